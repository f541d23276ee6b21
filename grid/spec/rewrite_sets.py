"""Sets of rewrites as a spec writes them, checked by `transformers_py` itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType

import transformers_py
import transformers_py.rewrites
from preprocessing.frozen import Frozen

FIRST_VERSION = 8
"""What all rewrites had when each got a version of its own: left out of keys, so that older ones stay."""

Entry = str | dict[str, dict[str, Any]]
"""A rewrite as it is written: its name, or {name: {option: value}}."""
Rewrite = tuple[str, dict[str, Any]]
"""A rewrite that was checked: its name, and all of its options."""


def versions(rewrites: Iterable[Rewrite]) -> dict[str, int]:
    """What the key of a variant says of the versions of its rewrites."""
    found = transformers_py.versions(_requests(rewrites))
    return {name: version for name, version in found.items() if version != FIRST_VERSION}


def needs_tokenizer(rewrites: Iterable[Rewrite]) -> bool:
    """Whether new names are drawn that have as many subwords as the old ones."""
    return transformers_py.counts_subwords(_requests(rewrites))


def misfit(rewrites: Iterable[Rewrite], unit: str) -> tuple[int, str] | None:
    """Which entry of a set can't be applied to samples of this unit, and why; None if all can."""
    for index, (name, options) in enumerate(rewrites):
        if options.get("world") == "closed" and unit != "function":
            return index, (
                f"{name} with world: closed also renames what other files of a project use, and corpus.unit "
                f"is {unit!r}; it needs corpus.unit: function, and on files world: open is valid"
            )
    return None


def unseen(rewrites: Iterable[Rewrite], comments: str, tokenizer: str) -> tuple[int, str] | None:
    """Which entry of a set changes nothing that a model of tokens reads, and why; None if all do."""
    for index, (name, _) in enumerate(rewrites):
        touched = transformers_py.touches(name)
        if touched == "comments" and comments == "drop":
            return index, (
                f"{name} changes nothing that the model reads: comments are dropped; "
                "`tokens: {comments: keep}` would show them"
            )
        if touched == "layout" and tokenizer != "huggingface":
            return index, (
                f"{name} changes nothing that the model reads: where lines end inside of brackets, and blank "
                "lines, are no tokens; a tokenizer of running text, {kind: huggingface, …}, would show them"
            )
    return None


def _requests(rewrites: Iterable[Rewrite]) -> list[dict[str, dict[str, Any]]]:
    return [{name: options} for name, options in rewrites]


def entry_schema() -> dict[str, Any]:
    """JSON schema of one entry of a set: a bare name, or {name: {option: value}}."""
    names, objects = [], []
    for info in pkgutil.iter_modules(transformers_py.rewrites.__path__):
        module = importlib.import_module(f"transformers_py.rewrites.{info.name}")
        options = getattr(module, "Options", None)
        if options is None:
            continue
        names.append(info.name)
        shape = {**TypeAdapter(options).json_schema(), "additionalProperties": False}
        objects.append(
            {
                "type": "object",
                "properties": {info.name: shape},
                "required": [info.name],
                "additionalProperties": False,
            }
        )
    return {"anyOf": [{"enum": names}, *objects]}


def _checked(entry: Any) -> Rewrite:
    options = list(entry.values()) if isinstance(entry, dict) else []
    if not isinstance(entry, str) and not (len(options) == 1 and isinstance(options[0], dict)):
        raise ValueError(f"write a rewrite as name, or as {{name: {{option: value}}}}; got {entry!r}")
    return transformers_py.check([entry])[0]


def _together(rewrites: tuple[Rewrite, ...]) -> tuple[Rewrite, ...]:
    if not rewrites:
        raise ValueError("an empty set; the baseline is added by itself")
    transformers_py.check(_requests(rewrites))
    return rewrites


def _limit(value: Any) -> Any:
    transformers_py.check_growth_limit(value)
    return value


RewriteEntry = TypeAliasType(
    "RewriteEntry", Annotated[Rewrite, BeforeValidator(_checked), WithJsonSchema(entry_schema())]
)
"""With a name, so that a schema writes it once."""
Rewrites = Annotated[tuple[RewriteEntry, ...], AfterValidator(_together)]


class LimitedSet(Frozen):
    """Rewrites that are applied together, and how far they may let a text grow."""

    rewrites: Rewrites
    growth_limit: Annotated[float | None, BeforeValidator(_limit)] = Field(
        default=None,
        json_schema_extra={"minimum": 1},
        description="Tokens of a rewritten text / tokens of the original, at most: of the sites in the "
        "seed's order the first are taken, as long as they fit.",
    )

    @model_validator(mode="before")
    @classmethod
    def _list_is_its_rewrites(cls, value: Any) -> Any:
        return {"rewrites": value} if isinstance(value, list | tuple) else value

    def place(self, index: int) -> tuple[str | int, ...]:
        """Where in the set, as it is written, one of its rewrites stands."""
        return (index,) if self.growth_limit is None else ("rewrites", index)

    @model_serializer(mode="plain")
    def _short(self) -> Any:
        """As it is written without a limit: a list."""
        return self.rewrites if self.growth_limit is None else dict(self)


class _ListOrLimited:
    """Annotation: in a schema, a set is a list of entries, or an object with a limit beside them."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        limited = handler(schema)
        entries = handler.resolve_ref_schema(limited)["properties"]["rewrites"]
        return {"anyOf": [entries, limited]}


RewriteSet = Annotated[LimitedSet, _ListOrLimited()]
