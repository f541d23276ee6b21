"""Where jobs run: one module per executor, looked up by its name."""

from __future__ import annotations

from typing import Protocol

from grid.hosts import Hosts
from grid.scheduler.executor import Executor
from grid.scheduler.slots import Slot
from preprocessing.by_kind import Kinds


class Module(Protocol):
    """What a module below this package gives."""

    def make(self, hosts: Hosts) -> tuple[Executor, list[Slot]]: ...


EXECUTORS = Kinds[Module](__name__, "--executor: no such executor")


def lookup(name: str, hosts: Hosts) -> tuple[Executor, list[Slot]]:
    """A new executor of the module `name`, for the hosts of a hosts file, and the slots that it has.

    Raises:
        BadInput: no such executor; names those there are.
    """
    return EXECUTORS.lookup(name).make(hosts)
