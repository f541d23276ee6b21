"""Which samples train, validate and test: whole projects or single files, drawn by a seed, balanced by
bytes.
"""

import hashlib
from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from preprocessing.errors import BadInput

SPLITS = ("train", "valid", "test")
_DRAWS = 256  # the best balanced of so many draws is taken; fewer where there is a lot to draw
_HASHES = 200_000


class SplitConfig(BaseModel):
    """Shares of the bytes of the corpus; they add up to one. A share of 0 leaves a split empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["project", "file"] = "project"
    train: float = Field(default=0.8, ge=0, le=1)
    valid: float = Field(default=0.1, ge=0, le=1)
    test: float = Field(default=0.1, ge=0, le=1)
    seed: int = 1

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if abs(self.train + self.valid + self.test - 1) > 1e-6:
            raise ValueError(
                f"train, valid and test must add up to 1, not {self.train + self.valid + self.test:g}"
            )
        return self

    def shares(self) -> dict[str, float]:
        """The splits that are not empty, and their shares."""
        return {name: share for name in SPLITS if (share := getattr(self, name)) > 0}


def assign(sizes: Mapping[str, int], config: SplitConfig) -> dict[str, str]:
    """Unit (project, or sample) → split, given the bytes of each unit.

    Units stand in an order drawn by the seed and are cut where the bytes come closest to the shares; each
    split gets at least one. Of several draws the one whose worst split is nearest to its share is taken,
    so that a few large projects don't spoil the balance. Raises BadInput if there are fewer units than
    splits.
    """
    shares = config.shares()
    units = sorted(sizes)
    if len(units) < len(shares):
        raise BadInput(
            f"corpus.split.by: {config.by} needs at least {len(shares)} {config.by}s "
            f"for {', '.join(shares)}; the corpus has {len(units)} ({', '.join(units)})"
        )
    weights = np.array([max(1, sizes[unit]) for unit in units], dtype=np.float64)
    target = np.array(list(shares.values()))
    draws = max(1, min(_DRAWS, _HASHES // len(units)))
    best = min(
        (_draw(units, weights, target, config.seed, number) for number in range(draws)), key=lambda d: d[0]
    )
    _, order, cuts = best
    names = np.repeat(np.array(list(shares)), np.diff([0, *cuts, len(units)]))
    return {units[index]: str(name) for index, name in zip(order, names, strict=True)}


def _draw(
    units: list[str], weights: np.ndarray, target: np.ndarray, seed: int, number: int
) -> tuple[float, np.ndarray, list[int]]:
    keys = [hashlib.blake2b(f"{seed}:{number}:{unit}".encode(), digest_size=8).digest() for unit in units]
    order = np.argsort(np.array(keys, dtype="S8"), kind="stable")
    filled = np.cumsum(weights[order]) / weights.sum()
    cuts: list[int] = []
    for index, wanted in enumerate(np.cumsum(target)[:-1]):
        nearest = int(np.argmin(np.abs(filled - wanted))) + 1
        first, last = (cuts[-1] if cuts else 0) + 1, len(units) - (len(target) - 1 - index)
        cuts.append(min(max(nearest, first), last))
    reached = np.diff([0.0, *(filled[cut - 1] for cut in cuts), 1.0])
    return float(np.max(np.abs(reached - target) / target)), order, cuts
