"""A step that sleeps and writes one small file: `doctor`, benchmarks and tests check executors with it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence

from grid.steps.worker import Result, Work, Workplace, each


def version() -> int:
    """Raised when what this step writes changes."""
    return 1


def make(works: Sequence[Work], context: Workplace) -> Iterator[Result]:
    """Hold `bytes` of memory and sleep `seconds`; with `fail`, raise it as the message of a RuntimeError."""
    return each(works, context, _one)


def _one(work: Work, context: Workplace) -> dict[str, object]:
    context.report(work, {"text": "asleep"})
    held = b"x" * work.parameters.get("bytes", 0)
    time.sleep(work.parameters.get("seconds", 0))
    if work.parameters.get("fail"):
        raise RuntimeError(work.parameters["fail"])
    (work.out / "slept").write_text(str(work.parameters.get("seconds", 0)))
    seen = {"threads": "OMP_NUM_THREADS", "gpus": "CUDA_VISIBLE_DEVICES"}
    return {"held_bytes": len(held), **{fact: os.environ.get(name, "") for fact, name in seen.items()}}
