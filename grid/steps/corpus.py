"""Corpus step: a source becomes cleaned, de-duplicated, split and sharded samples."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from grid.steps.worker import Result, Work, Workplace, each

MAX_WORKERS = 8  # cleaning takes about six times as long as what one process must do: reading and writing


def version() -> int:
    """Raised when the same config and raw data give another corpus."""
    return 3


def make(works: Sequence[Work], context: Workplace) -> Iterator[Result]:
    """shard-00000.parquet … and excluded.parquet."""
    return each(works, context, _one)


def _one(work: Work, context: Workplace) -> dict[str, object]:
    from preprocessing.corpus import building

    config = building.CorpusConfig.model_validate(work.parameters["config"])
    threads = int(os.environ.get("OMP_NUM_THREADS") or 1)  # how the executor says what the slot has
    return building.build(config, work.out, workers=min(threads, MAX_WORKERS))
