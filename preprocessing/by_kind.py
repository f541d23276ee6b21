"""What is chosen by its kind: the kinds of a thing are the modules of a package, and none is registered.

SOURCES = Kinds[Source]("preprocessing.sources", "corpus.source.kind: no source")
SOURCES.lookup("git")                           the module preprocessing.sources.git
AnySource = Annotated[SourceConfig, SOURCES]    a field: the `Config` of the module that its `kind` names
"""

import pkgutil
from collections.abc import Collection
from importlib import import_module
from typing import Any, Generic, TypeVar, cast

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from preprocessing.errors import BadInput, suggest

Module = TypeVar("Module")


class Kinds(Generic[Module]):
    """The kinds of one thing. `no_such` begins the message for a name that is none of them.

    folders: whether each kind is a package, so that what they share can stand beside them.
    """

    def __init__(
        self, package: str, no_such: str, *, folders: bool = False, but: Collection[str] = ()
    ) -> None:
        self.package, self.no_such, self._folders, self._but = package, no_such, folders, but

    def names(self) -> tuple[str, ...]:
        """All kinds, sorted."""
        found = pkgutil.iter_modules(import_module(self.package).__path__)
        names = {module.name for module in found if module.ispkg or not self._folders}
        return tuple(sorted(names.difference(self._but)))

    def lookup(self, kind: str) -> Module:
        """The module of a kind. Raises BadInput, with the right name or all of them."""
        names = self.names()
        if kind not in names:
            raise BadInput(f"{self.no_such} '{kind}'{suggest(kind, names)}")
        return cast(Module, import_module(f"{self.package}.{kind}"))

    def but(self, *names: str) -> "Kinds[Module]":
        """All kinds but these."""
        return Kinds(self.package, self.no_such, folders=self._folders, but=names)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        modules: dict[str, Any] = {kind: self.lookup(kind) for kind in self.names()}
        choices = {kind: handler.generate_schema(module.Config) for kind, module in modules.items()}
        return core_schema.tagged_union_schema(choices, discriminator="kind")
