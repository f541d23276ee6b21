"""What all configs have in common: they are frozen, refuse unknown fields, and say which fields are in keys.

devices: Annotated[int, InKey.UNLESS_DEFAULT] = Field(default=1, ge=1)
"""

from enum import Enum
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, SerializationInfo, SerializerFunctionWrapHandler, model_serializer


class InKey(Enum):
    """Beside a field's type: when the field is part of the keys of steps. Without it, it always is."""

    NEVER = "never"
    """It changes no result of the step that the config is for."""
    UNLESS_DEFAULT = "unless default"
    """Added after keys were first published: left out of the key while at its default, which must be what was
    done before, so old results stay valid."""


_FOR_KEY = object()


class Frozen(BaseModel):
    """A config: immutable, and no field that isn't known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def keyed(self) -> dict[str, Any]:
        """The part of it that keys are made of, as plain JSON data; configs inside of it likewise."""
        return self.model_dump(mode="json", context=_FOR_KEY)

    def unkeyed(self) -> dict[str, Any]:
        """Its own fields that are in no key, whatever their values, as plain JSON data."""
        fields = type(self).model_fields.items()
        return self.model_dump(
            mode="json", include={name for name, field in fields if InKey.NEVER in field.metadata}
        )

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.model_dump_json())

    @model_serializer(mode="wrap")
    def _without_what_is_in_no_key(
        self, dump: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        plain: dict[str, Any] = dump(self)
        if info.context is not _FOR_KEY:
            return plain
        fields = type(self).model_fields
        return {name: value for name, value in plain.items() if self._in_key(name, fields[name].metadata)}

    def _in_key(self, name: str, metadata: list[Any]) -> bool:
        if InKey.UNLESS_DEFAULT in metadata:
            default = type(self).model_fields[name].get_default(call_default_factory=True)
            return bool(getattr(self, name) != default)
        return InKey.NEVER not in metadata
