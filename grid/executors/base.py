"""What every executor offers: run one job to its end, and stop everything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grid.scheduler import Failure, Slot


@dataclass(frozen=True, kw_only=True)
class Exit:
    """How a job's process ended. `failure` and `reason` say what ended it from outside, if anything did."""

    code: int
    failure: Failure | None = None
    reason: str = ""


class Executor(Protocol):
    """Runs jobs: `file` is a job file, and events stand beside it. Never raises for what a job does."""

    def run(self, file: Path, slot: Slot) -> Exit:
        """Do one job on a slot, to its end (blocking; called from one thread per slot)."""
        ...

    def stop(self) -> None:
        """End everything that runs, now; may be called from any thread, more than once."""
        ...
