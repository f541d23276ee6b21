"""Where jobs run: one module per executor, looked up by its name."""

from __future__ import annotations

import importlib
import pkgutil

from grid.hosts import Hosts
from grid.scheduler.executor import Executor
from grid.scheduler.slots import Slot
from preprocessing.errors import BadInput, suggest


def lookup(name: str, hosts: Hosts) -> tuple[Executor, list[Slot]]:
    """A new executor of the module `name`, for the hosts of a hosts file, and the slots that it has.

    Raises:
        BadInput: no such executor; names those there are.
    """
    names = [info.name for info in pkgutil.iter_modules(__path__) if info.name != "base"]
    if name not in names:
        raise BadInput(f"--executor {name}: no such executor{suggest(name, names)}")
    made: tuple[Executor, list[Slot]] = importlib.import_module(f"{__name__}.{name}").make(hosts)
    return made
