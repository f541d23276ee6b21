"""Kinds of models by their names: `lookup("gru")` is the package `models.kinds.gru`, never registered."""

import difflib
import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

from preprocessing.errors import BadInput


@cache
def kinds() -> tuple[str, ...]:
    """Names of all model kinds, sorted: every package below `models/kinds/` is one."""
    return tuple(
        sorted(module.name for module in pkgutil.iter_modules(import_module("models.kinds").__path__))
    )


def lookup(kind: str) -> ModuleType:
    """The package of a model kind, which holds its `Config` and imports without torch.

    Raises BadInput, with the valid names, if there is no such kind.
    """
    if kind not in kinds():
        close = difflib.get_close_matches(kind, kinds(), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise BadInput(f"unknown model kind {kind!r}: valid kinds are {', '.join(kinds())}{hint}")
    return import_module(f"models.kinds.{kind}")
