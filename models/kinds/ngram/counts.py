"""Counts of all n-grams of a training set as sorted arrays: one level per order, nodes of a trie.

    level 1   node w            = the subword w itself
    level k   node (parent, w)  = parent's n-gram followed by w

The keys parent · V + w are sorted, so the children of a node lie together.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.vocabulary import FILE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Level:
    """All n-grams of one length. keys: (G) sorted; counts: (G) occurrences, or distinct subwords before it.

    suffix: (G) node on the level below of the same n-gram without its first subword. Counts are no whole
    numbers where texts weigh less than one.
    """

    keys: Ints
    counts: Ints | Floats
    suffix: Ints


def stream(samples: Iterable[NDArray[np.int64]]) -> Ints:
    """All samples behind one another, each after its `<file>`."""
    parts: list[Ints] = []
    for ids in samples:
        parts += [np.array([FILE], dtype=np.int64), np.asarray(ids, dtype=np.int64)]
    return np.concatenate(parts)


def count(ids: Ints, order: int, vocab_size: int, weights: Floats | None = None) -> list[Level]:
    """Levels 1 to `order` for Kneser–Ney: occurrences on the highest, numbers of left neighbours below.

    No n-gram spans two files. One that starts with `<file>` has no left neighbour: it keeps its occurrences
    (as in Heafield et al. 2013, section 3.1). `<file>` itself is never predicted, nor counted on level 1.
    weights: what an occurrence counts, by position; without them 1.
    """
    opens = ids == FILE
    node = ids.copy()  # per position: node of the n-gram that ends there, −1 if it would span two files
    starts = opens.copy()  # whether that n-gram starts with <file>
    keys = [np.arange(vocab_size, dtype=np.int64)]
    suffixes = [np.zeros(vocab_size, dtype=np.int64)]
    occurrences: list[Ints | Floats] = [np.bincount(ids, weights, minlength=vocab_size)]
    first_is_file = [np.arange(vocab_size) == FILE]
    for _ in range(2, order + 1):
        valid = (node[:-1] >= 0) & ~opens[1:]
        key = np.where(valid, node[:-1] * vocab_size + ids[1:], -1)
        unique, where, times = np.unique(key[valid], return_inverse=True, return_counts=True)
        at = np.flatnonzero(valid) + 1
        suffix = np.zeros(len(unique), dtype=np.int64)
        suffix[where] = node[at]
        is_file = np.zeros(len(unique), dtype=bool)
        is_file[where] = starts[at - 1]
        node = np.full(len(ids), -1, dtype=np.int64)
        node[at] = where
        starts = np.r_[False, starts[:-1]] & (node >= 0)
        keys.append(unique)
        suffixes.append(suffix)
        weighted = times if weights is None else np.bincount(where, weights[at], minlength=len(unique))
        occurrences.append(weighted)
        first_is_file.append(is_file)
    levels = []
    for k in range(order):
        counts = occurrences[k]
        if k + 1 < order:
            left = np.bincount(suffixes[k + 1], minlength=len(keys[k]))
            counts = np.where(first_is_file[k], counts, left)
        if k == 0:
            counts = np.where(np.arange(vocab_size) == FILE, 0, counts)
        levels.append(Level(keys[k], counts, suffixes[k]))
    return levels
