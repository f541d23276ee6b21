"""Configurations that are looked up by `kind`, the name of a module with a class `Config`."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


def configs(package: ModuleType) -> dict[str, type[BaseModel]]:
    """Kind → its `Config`, for every module (or, if there are any, sub-package) of `package` that has one.

    Packages that mix kinds with other modules (`models`) make each kind a sub-package, so that nothing
    else of them is imported here.
    """
    found = list(pkgutil.iter_modules(package.__path__))
    packages = [info for info in found if info.ispkg]
    result: dict[str, type[BaseModel]] = {}
    for info in packages or found:
        config = getattr(importlib.import_module(f"{package.__name__}.{info.name}"), "Config", None)
        if isinstance(config, type) and issubclass(config, BaseModel) and "kind" in config.model_fields:
            result[info.name] = config
    return dict(sorted(result.items()))


class ByKind:
    """Annotation: a mapping whose `kind` names the module in `package` that says what else it may hold.

    `by_name`: the bare kind may stand for {kind: …}.
    """

    def __init__(self, package: ModuleType, *, by_name: bool = False) -> None:
        self.package, self.by_name = package, by_name

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {kind: handler.generate_schema(config) for kind, config in configs(self.package).items()}
        union = core_schema.tagged_union_schema(choices, discriminator="kind")
        return core_schema.no_info_before_validator_function(spelled_out, union) if self.by_name else union

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        shown = handler(schema)
        return {"anyOf": [{"enum": list(configs(self.package))}, shown]} if self.by_name else shown


def spelled_out(value: Any) -> Any:
    """The mapping that a bare kind stands for."""
    return {"kind": value} if isinstance(value, str) else value
