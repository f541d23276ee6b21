"""What is remembered of each sample between the two passes over a corpus, and what is decided from it."""

import hashlib
from array import array
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from preprocessing.corpus import duplicates, split
from preprocessing.corpus.cleaning import Sample
from preprocessing.corpus.duplicates import NearConfig, NearIndex
from preprocessing.corpus.split import SPLITS, SplitConfig
from preprocessing.errors import BadInput

Integers = np.ndarray[Any, np.dtype[np.int64]]


class Index:
    """Samples by position: a few dozen bytes each, and with `near` their signatures and the LSH index."""

    def __init__(self, near: NearConfig | None, config: SplitConfig) -> None:
        self._names = array("Q")  # a sample's 16 hex digits as a number
        self._fingerprints = array("Q")
        self._n_bytes = array("L")
        self._projects = array("L")
        self._project_ids: dict[str, int] = {}
        self._near = NearIndex(near) if near else None
        self._reduce = near is not None and near.clusters == "reduce"
        self._repeated: dict[int, int] = {}  # near duplicates, and of what
        self._dates: dict[int, str] = {}
        self._given: dict[int, str] = {}
        self._is_given = config.by == "given"  # only then paths matter
        self._paths: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._names)

    def add(self, sample: Sample) -> None:
        """Remember the next sample."""
        position = len(self)
        self._names.append(int(sample.name, 16))
        self._fingerprints.append(duplicates.fingerprint(sample.text))
        self._n_bytes.append(sample.n_bytes)
        self._projects.append(self._project_ids.setdefault(sample.project, len(self._project_ids)))
        if sample.date:
            self._dates[position] = sample.date
        if sample.given_split:
            self._given[position] = sample.given_split
        if self._is_given:
            self._paths[position] = sample.path
        if self._near is not None:
            similar = self._near.add(position, sample.signature)
            if similar is not None and self._reduce:
                self._repeated[position] = similar

    def choose(self, *, exact: bool, seed: int, max_samples: int | None) -> dict[int, str]:
        """Samples to leave out, by position, with the reason. Of duplicates the first stays."""
        dropped: dict[int, str] = {}
        _drop_repeated(self._names, "same_sample", dropped)
        if exact:
            _drop_repeated(self._fingerprints, "duplicate", dropped)
        for position in self._repeated:
            dropped.setdefault(position, "near_duplicate")
        if max_samples is not None:
            left = [position for position in range(len(self)) if position not in dropped]
            left.sort(key=lambda position: _lot(seed, self._names[position]))
            dropped.update(dict.fromkeys(left[max_samples:], "not_drawn"))
        return dropped

    def deal(self, dropped: dict[int, str], config: SplitConfig, shards: int) -> list[tuple[str, int]]:
        """Split and shard of each sample, by position. Shards are contiguous runs of about the same bytes."""
        kept = [position for position in range(len(self)) if position not in dropped]
        assigned = self._given_splits(kept, config) if config.by == "given" else self._drawn(kept, config)
        shard_of = _even(np.array([self._n_bytes[position] for position in kept]), shards)
        dealt = [("", 0)] * len(self)
        for position, shard in zip(kept, shard_of, strict=True):
            dealt[position] = (assigned[position], int(shard))
        return dealt

    def _drawn(self, kept: list[int], config: SplitConfig) -> dict[int, str]:
        unit_of = self._units(kept, config)
        sizes: Counter[str] = Counter()
        for position in kept:
            sizes[unit_of[position]] += self._n_bytes[position]
        if config.by == "time":
            dates: dict[str, str] = {}
            for position in kept:  # the newest of what belongs together decides
                unit = unit_of[position]
                dates[unit] = max(dates.get(unit, ""), self._dates.get(position, ""))
            assigned = split.assign_by_time(sizes, dates, config)
        else:
            assigned = split.assign(sizes, config)
        return {position: assigned[unit_of[position]] for position in kept}

    def _units(self, kept: list[int], config: SplitConfig) -> dict[int, str]:
        """What must stay together: a project or a file, and all that hangs on it by near duplicates."""
        names = list(self._project_ids)
        by_project = config.by == "project"
        units = {
            position: names[self._projects[position]] if by_project else f"{self._names[position]:016x}"
            for position in kept
        }
        if self._near is None or self._reduce:
            return units
        parents: dict[str, str] = {}

        def root(unit: str) -> str:
            while unit in parents:
                unit = parents[unit]
            return unit

        firsts: dict[int, str] = {}
        for position in kept:
            cluster = self._near.cluster(position)
            one, other = root(units[position]), root(firsts.setdefault(cluster, units[position]))
            if one != other:
                parents[max(one, other)] = min(one, other)
        return {position: root(unit) for position, unit in units.items()}

    def _given_splits(self, kept: list[int], config: SplitConfig) -> dict[int, str]:
        given = split.read_given(Path(config.file)) if config.file is not None else {}
        names = list(self._project_ids)
        assigned: dict[int, str] = {}
        for position in kept:
            project, path = names[self._projects[position]], self._paths[position]
            keys = ((f"{self._names[position]:016x}",), (project, path), (project,))
            found = next((given[key] for key in keys if key in given), "")
            assigned[position] = found if config.file is not None else self._given.get(position, "")
        missing = [position for position, name in assigned.items() if name not in SPLITS]
        if missing:
            first = f"{names[self._projects[missing[0]]]}: {self._paths[missing[0]]}"
            raise BadInput(
                f"corpus.split.by: given, but {len(missing)} of {len(kept)} samples have no split "
                f"(first: {first})"
                f"{'' if config.file else '; the source gives none: name a file of splits, or another by'}"
            )
        return assigned


def _drop_repeated(values: "array[int]", reason: str, dropped: dict[int, str]) -> None:
    _, first = np.unique(np.array(values, dtype=np.uint64), return_index=True)
    repeated = np.ones(len(values), dtype=bool)
    repeated[first] = False
    for position in np.flatnonzero(repeated):
        dropped.setdefault(int(position), reason)


def _lot(seed: int, name: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{name:016x}".encode(), digest_size=8).digest()


def _even(n_bytes: Integers, shards: int) -> Integers:
    middles = np.cumsum(n_bytes) - n_bytes / 2
    shard_of: Integers = np.minimum(middles / n_bytes.sum() * shards, shards - 1).astype(np.int64)
    return shard_of
