"""Where the units of both sides of a pair stand, as a variant decides: for scopes that no scoring knows.

rewritten   x = ( b )       place of each, from the text        →   by sample, on either side
original    x = a           a has the place of its partner b
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.units import NO_PLACE, Paired

Places = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """Codes of the units of each test sample of a variant; samples that it threw out aren't there."""

    rewritten: Mapping[str, Places]
    original: Mapping[str, Places]


def pairing(paired: Paired, file: Path, variant: Iterable[Path], comments: Any) -> Pairing:
    """From the units of a variant, whichever model scored them, and the shards of the variant, which are read
    if a text is asked for.
    """
    table = pq.read_table(file, columns=["sample", *dict.fromkeys([*paired.needs, paired.origin])])
    table = table.unify_dictionaries()

    @lru_cache(1)
    def texts() -> Mapping[str, str]:
        shards = (
            pq.read_table(path, columns=["sample", "text"], filters=[("split", "=", "test")])
            for path in variant
        )
        return {
            name: text for shard in shards for name, text in zip(*shard.to_pydict().values(), strict=True)
        }

    codes = paired.places(table.combine_chunks(), lambda sample: texts()[sample], comments)
    origin, rewritten, original = table[paired.origin].to_numpy(), {}, {}
    for name, own in _runs(table):
        rewritten[name] = codes[own]
        there = codes[own] != NO_PLACE
        partners = origin[own][there]
        original[name] = np.full(int(partners.max(initial=-1)) + 1, NO_PLACE, np.uint8)
        original[name][partners] = codes[own][there]
    return Pairing(rewritten=rewritten, original=original)


def place_of(side: Mapping[str, Places]) -> Callable[[pa.Table], Places]:
    """The codes of a table's units: NO_PLACE in samples that the variant threw out."""

    def place(table: pa.Table) -> Places:
        found = np.full(len(table), NO_PLACE, np.uint8)
        for name, own in _runs(table):
            if name in side:
                found[own] = side[name]
        return found

    return place


def _runs(table: pa.Table) -> Iterable[tuple[str, slice]]:
    """Each sample of a table, whose dictionaries are one, and where its rows are."""
    sample = table["sample"].combine_chunks()
    codes, names = sample.indices.to_numpy(), sample.dictionary.to_pylist()
    starts = np.flatnonzero(np.diff(codes, prepend=-1)).tolist()
    for first, last in zip(starts, [*starts[1:], len(codes)], strict=True):
        yield names[codes[first]], slice(first, last)
