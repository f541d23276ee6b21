"""Does jobs in the driver's own process, one after the other: for debuggers."""

from __future__ import annotations

from pathlib import Path

from grid.hosts import Hosts
from grid.scheduler import slots
from grid.scheduler.executor import Exit, Stateless
from grid.scheduler.slots import Slot
from grid.steps import worker


def make(hosts: Hosts) -> tuple[Executor, list[Slot]]:
    """An executor without limits, and one slot for everything."""
    return Executor(), slots.cpu(1, slots.ALL_KINDS)


class Executor(Stateless):
    """Runs `work.main` directly. Nothing bounds memory or time here, and a crash is the driver's."""

    def run(self, file: Path, slot: Slot) -> Exit:
        """Do the job of a job file; its return code."""
        return Exit(code=worker.main(file))

    def stop(self) -> None:
        """Nothing runs beside the caller."""
