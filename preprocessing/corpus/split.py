"""Which samples train, validate and test: whole projects, single files, by time, or as somebody gave it."""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from preprocessing.errors import BadInput
from preprocessing.frozen import Frozen

SPLITS = ("train", "valid", "test")
_DRAWS = 256  # the best balanced of so many draws is taken; fewer where there is a lot to draw
_HASHES = 200_000

Floats = np.ndarray[Any, np.dtype[np.float64]]


class SplitConfig(Frozen):
    """Shares of the bytes of the corpus; they add up to one. A share of 0 leaves a split empty.

    `project` and `file` are drawn by the seed. `time` puts the oldest into train and the newest into
    test, by the dates that the source gives. `given` takes the split that the source gives, or that
    stands in `file`, a CSV table with the columns split and sample, or split and project, or split,
    project and path; then shares and seed mean nothing.
    """

    by: Literal["project", "file", "time", "given"] = "project"
    train: float = Field(default=0.8, ge=0, le=1)
    valid: float = Field(default=0.1, ge=0, le=1)
    test: float = Field(default=0.1, ge=0, le=1)
    seed: int = 1
    file: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        total = self.train + self.valid + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, valid and test must add up to 1, not {total:g}")
        if self.file is not None and self.by != "given":
            raise ValueError(f"a file of splits needs by: given, not by: {self.by}")
        return self

    def shares(self) -> dict[str, float]:
        """The splits that are not empty, and their shares."""
        return {name: share for name in SPLITS if (share := getattr(self, name)) > 0}


def assign(sizes: Mapping[str, int], config: SplitConfig) -> dict[str, str]:
    """Unit (project, or sample) → split, given the bytes of each unit.

    Units stand in an order drawn by the seed and are cut where the bytes come closest to the shares;
    each split gets at least one. Of several draws the one whose worst split is nearest to its share is
    taken, so that a few large projects don't spoil the balance. Raises BadInput if there are fewer
    units than splits.
    """
    units = sorted(sizes)
    target = _targets(units, config)
    weights = np.array([max(1, sizes[unit]) for unit in units], dtype=np.float64)
    draws = max(1, min(_DRAWS, _HASHES // len(units)))
    orders = (_order(units, f"{config.seed}:{number}") for number in range(draws))
    cut = ((order, *_cut(weights[order], target)) for order in orders)
    order, _, cuts = min(cut, key=lambda draw: draw[1])
    return _named([units[index] for index in order], cuts, config)


def assign_by_time(sizes: Mapping[str, int], dates: Mapping[str, str], config: SplitConfig) -> dict[str, str]:
    """Unit → split: in the order of their dates (ISO 8601). Raises BadInput for a unit without a date."""
    undated = sorted(unit for unit in sizes if not dates.get(unit))
    if undated:
        raise BadInput(
            f"corpus.split.by: time needs a date for every file; {len(undated)} have none "
            f"({', '.join(undated[:3])}): another source (PyPI's "
            "has them with released in its lock), or by: project, file or given"
        )
    units = sorted(sizes, key=lambda unit: (dates[unit], unit))
    target = _targets(units, config)
    _, cuts = _cut(np.array([max(1, sizes[unit]) for unit in units], dtype=np.float64), target)
    return _named(units, cuts, config)


def read_given(path: Path) -> dict[tuple[str, ...], str]:
    """A published split: (sample,), (project,) or (project, path) → split; BadInput names a bad line."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            columns = [name for name in ("sample", "project", "path") if name in (table.fieldnames or ())]
            if "split" not in (table.fieldnames or ()) or columns not in (
                ["sample"], ["project"], ["project", "path"],
            ):  # fmt: skip
                raise BadInput(
                    f"corpus.split.file: {path} has the columns {', '.join(table.fieldnames or ['none'])}; "
                    "must be split and sample, or split and project, or split, project and path"
                )
            given: dict[tuple[str, ...], str] = {}
            for row in table:
                if row["split"] not in SPLITS:
                    raise BadInput(
                        f"corpus.split.file: {path}:{table.line_num}: split is {row['split']!r}; "
                        f"must be one of {', '.join(SPLITS)}"
                    )
                given[tuple(row[name] for name in columns)] = row["split"]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"corpus.split.file: can't read {path}: {error}") from error
    return given


def _targets(units: Sequence[str], config: SplitConfig) -> Floats:
    shares = config.shares()
    what = "file" if config.by == "time" else config.by
    if len(units) < len(shares):
        raise BadInput(
            f"corpus.split.by: {config.by} needs at least {len(shares)} {what}s for {', '.join(shares)}; "
            f"the corpus has {len(units)} ({', '.join(units)})"
        )
    return np.array(list(shares.values()))


def _order(units: Sequence[str], seed: str) -> "np.ndarray[Any, np.dtype[np.int64]]":
    keys = [hashlib.blake2b(f"{seed}:{unit}".encode(), digest_size=8).digest() for unit in units]
    return np.argsort(np.array(keys, dtype="V8").view(">u8"), kind="stable")


def _cut(weights: Floats, target: Floats) -> tuple[float, list[int]]:
    """How far the worst split is from its share, relative to it, and where to cut."""
    filled = np.cumsum(weights) / weights.sum()
    cuts: list[int] = []
    for index, wanted in enumerate(np.cumsum(target)[:-1]):
        nearest = int(np.argmin(np.abs(filled - wanted))) + 1
        first, last = (cuts[-1] if cuts else 0) + 1, len(weights) - (len(target) - 1 - index)
        cuts.append(min(max(nearest, first), last))
    reached = np.diff([0.0, *(float(filled[cut - 1]) for cut in cuts), 1.0])
    return float(np.max(np.abs(reached - target) / target)), cuts


def _named(units: Sequence[str], cuts: list[int], config: SplitConfig) -> dict[str, str]:
    bounds = [0, *cuts, len(units)]
    return {
        unit: name
        for name, first, last in zip(config.shares(), bounds, bounds[1:], strict=False)
        for unit in units[first:last]
    }
