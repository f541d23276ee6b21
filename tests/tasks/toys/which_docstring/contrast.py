"""Docstrings and functions, each contrasted with all others (InfoNCE, van den Oord et al. 2018).

n pairs · T subwords · d numbers per text
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.config import TrainingConfig
from models.interface import device
from models.training.objective import Batch, Rows
from models.training.shuffled import Shuffled

TEMPERATURE = 0.05
SIDES = ("query", "code")

Vectors = NDArray[np.float64]


def padded(column: pa.ChunkedArray, most: int | None = None) -> NDArray[np.int64]:
    """(n, T) the first `most` subwords of each text, then 0."""
    texts = [ids[:most] for ids in column.to_pylist()]
    width = max(1, *map(len, texts)) if texts else 1
    return np.array([ids + [0] * (width - len(ids)) for ids in texts], np.int64).reshape(-1, width)


@torch.no_grad()
def vectors(model: Any, column: pa.ChunkedArray, tower: int) -> Vectors:
    """(n, d) on the unit sphere."""
    ids = torch.from_numpy(padded(column)).to(device())
    return np.asarray(model(ids, tower).cpu().double().numpy())


def ranks(queries: Vectors, codes: Vectors, places: Sequence[int], own: Vectors, tie: float) -> Vectors:
    """(n,) the rank of each query's own function, in its place among the codes (N, d); ties count half."""
    found = np.empty(len(queries))
    for number, (query, place) in enumerate(zip(queries, places, strict=True)):
        others = codes.copy()
        others[place] = own[number]
        ahead = (others * query).sum(1)
        ahead -= ahead[place]
        found[number] = 1 + (ahead > tie).sum() + ((abs(ahead) <= tie).sum() - 1) / 2
    return found


class Contrast:
    """Pairs of a docstring and its function."""

    leap_nats = 1 / TEMPERATURE  # a loss can hardly be more than twice that: similarities are within ± 1

    def __init__(self, train: pa.Table, valid: pa.Table) -> None:
        self.train, self.valid = train, valid

    def identity(self) -> list[int]:
        return [len(self.train), len(self.valid)]

    def facts(self) -> dict[str, Any]:
        return {"train_pairs": len(self.train), "valid_pairs": len(self.valid)}

    def batches(self, network: Any, training: TrainingConfig, seed: int) -> Shuffled:
        sides = [padded(self.train[side], training.window) for side in SIDES]
        return Shuffled(sides, rows=training.rows, seed=seed)

    def weigh(self, batch: Batch) -> tuple[int, int]:
        return len(batch[0]), len(batch[0])

    def embed(self, network: Any, rows: Rows) -> Tensor:
        """(n, 2, d)"""
        return torch.stack([network(ids, tower) for tower, ids in enumerate(rows)], dim=1)

    def joint_loss(self, embedded: Tensor) -> Tensor:
        queries, codes = embedded.unbind(1)
        right = torch.arange(len(queries), device=queries.device)
        return functional.cross_entropy(queries @ codes.T / TEMPERATURE, right)

    @torch.no_grad()
    def validate(self, model: Any, training: TrainingConfig) -> float:
        """Bits of the right function among all of the split."""
        sides = (padded(self.valid[side], training.window) for side in SIDES)
        rows = [torch.from_numpy(ids).to(device()) for ids in sides]
        return float(self.joint_loss(self.embed(model, rows))) / math.log(2)
