"""The slots of this machine: for CPU steps, and per GPU (or share of one) for training and scoring."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from grid.plan.graph import KINDS

CPU_KINDS = frozenset({"corpus", "tokenizer", "variant", "naturalness", "encode", "probe"})
GPU_KINDS = frozenset({"train", "evaluate", "probe"})
ALL_KINDS = frozenset({*KINDS, "probe"})


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What a job occupies while it runs. `kinds`: the kinds of steps that may run here."""

    name: str
    kinds: frozenset[str]
    host: str = "local"
    threads: int = 1
    cores: tuple[int, ...] = ()
    gpu: str = ""
    memory_bytes: int | None = None


def bounded(threads: int) -> dict[str, str]:
    """Environment in which the libraries that compute use so many threads."""
    return {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}


def cores() -> list[int]:
    """Cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def cpu(n: int | None, kinds: frozenset[str], memory_bytes: int | None = None) -> list[Slot]:
    """`n` slots that share all cores; None: one per core."""
    n = len(cores()) if n is None else n
    threads = max(1, len(cores()) // max(n, 1))
    return [Slot(name=f"cpu{i}", kinds=kinds, threads=threads, memory_bytes=memory_bytes) for i in range(n)]


def gpu(uuids: Sequence[str], per_gpu: int, memory_bytes: int | None = None) -> list[Slot]:
    """`per_gpu` slots for each GPU; they share its memory, and nothing keeps them apart."""
    threads = max(1, len(cores()) // max(len(uuids) * per_gpu, 1))
    return [
        Slot(
            name=f"gpu{index}.{share}", kinds=GPU_KINDS, threads=threads, gpu=uuid, memory_bytes=memory_bytes
        )
        for index, uuid in enumerate(uuids)
        for share in range(per_gpu)
    ]
