"""The slots of this machine: one per group of cores, and per GPU (or share of one)."""

from __future__ import annotations

import os

from grid.graph import KINDS
from grid.provenance import gpus
from grid.scheduler import Slot

CPU_KINDS = frozenset({"corpus", "tokenizer", "variant", "encode", "probe"})
GPU_KINDS = frozenset({"train", "evaluate", "probe"})
ALL_KINDS = frozenset({*KINDS, "probe"})


def local(slots: int | None = None, per_gpu: int = 1, memory_bytes: int | None = None) -> list[Slot]:
    """`slots` slots for CPU steps (all cores, if None), and `per_gpu` for each GPU, which then does the
    training and scoring.
    """
    cores = sorted(os.sched_getaffinity(0))
    n = min(slots or len(cores), 256)
    devices = [str(gpu["uuid"]) for gpu in gpus()]
    kinds = CPU_KINDS if devices else ALL_KINDS
    threads = max(1, len(cores) // n)
    made = [Slot(name=f"cpu{i}", kinds=kinds, threads=threads, memory_bytes=memory_bytes) for i in range(n)]
    for index, uuid in enumerate(devices):
        for share in range(per_gpu):
            made.append(Slot(name=f"gpu{index}.{share}", kinds=GPU_KINDS, threads=threads, gpu=uuid))
    return made
