"""What every executor offers: run one job to its end, and stop everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grid.plan.jobs import Job
from grid.plan.outcomes import Failure
from grid.scheduler.slots import Slot


@dataclass(frozen=True, kw_only=True)
class Exit:
    """How a job's process ended. `failure` and `reason` say what ended it from outside, if anything did."""

    code: int
    failure: Failure | None = None
    reason: str = ""


class Executor(Protocol):
    """Runs jobs: `file` is a job file, and events stand beside it. Never raises for what a job does."""

    def open(self, logs: Path, todo: Sequence[Job]) -> dict[str, str]:
        """Called before a run: `logs` has a folder per job. Returns id of a job → name of the slot where it
        goes on since an earlier run."""
        ...

    def run(self, file: Path, slot: Slot) -> Exit:
        """Do one job on a slot, to its end (blocking; called from one thread per slot)."""
        ...

    def stop(self) -> None:
        """End everything that runs, now; may be called from any thread, more than once."""
        ...

    def close(self) -> None:
        """Called after a run, when no job is left: give back what was taken. `open` may follow."""
        ...


class Stateless:
    """For executors whose jobs all die with the driver."""

    def open(self, logs: Path, todo: Sequence[Job]) -> dict[str, str]:
        """Nothing outlives a run."""
        return {}

    def close(self) -> None:
        """Nothing is left."""
