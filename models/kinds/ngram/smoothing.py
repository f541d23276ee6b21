"""Interpolated Kneser–Ney probabilities from counts (Chen & Goodman 1999, sections 2.7 and 3).

Discounts are estimated from how many n-grams were seen once, twice, … If a training set holds several
versions of its texts, hardly anything was seen once, and the estimate would mean nothing. So they come from
the originals alone, and a text with m versions weighs 1/m in each: repeating it changes nothing.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.kinds.ngram.counts import Floats, Ints, Level


def discounts(counts: Ints | Floats, modified: bool) -> Floats:
    """What is taken from an n-gram counted 1, 2, and 3 times or more.

    The plain estimate is n₁ / (n₁ + 2 n₂) for all three (Ney et al. 1994), or ½ where a level is too small
    for it; the modified one is that of Chen & Goodman, equation 26, where the level is large enough for it.
    """
    n1, n2, n3, n4 = (float(np.count_nonzero(counts == i)) for i in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2) if n1 and n2 else 0.5
    plain = np.full(3, y)
    if not modified or not (n1 and n2 and n3 and n4):
        return plain
    three = np.array([1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    return three if np.all(three > 0) and np.all(three < [1, 2, 3]) else plain


@dataclass(frozen=True)
class Smoothed:
    """One order: p = share of the child + backoff[c] · p of the lower order.

    The children of context c are keys[first[c] : first[c + 1]].
    """

    keys: Ints
    words: Ints
    share: Floats
    first: Ints
    backoff: Floats


def smooth(
    levels: Sequence[Level], vocab_size: int, discounted: Sequence[Floats]
) -> tuple[Floats, list[Smoothed]]:
    """The unigram distribution (V), zero for `<file>`, and orders 2 to n; discounted: those of each order."""
    counts = levels[0].counts
    taken = _taken(counts, discounted[0])
    total = max(1.0, float(counts.sum()))
    uniform = np.full(vocab_size, 1.0 / (vocab_size - 1))
    uniform[0] = 0.0
    left = taken.sum() / total if counts.any() else 1.0
    unigram = (counts - taken) / total + left * uniform
    orders = []
    for (below, level), discount in zip(itertools.pairwise(levels), discounted[1:], strict=True):
        parents, words = np.divmod(level.keys, vocab_size)
        first = np.searchsorted(parents, np.arange(len(below.keys) + 1))
        taken = _taken(level.counts, discount)
        size = len(below.keys)
        totals = np.bincount(parents, weights=level.counts, minlength=size)
        backoff = np.ones(size)
        seen = totals > 0
        backoff[seen] = np.bincount(parents, weights=taken, minlength=size)[seen] / totals[seen]
        orders.append(Smoothed(level.keys, words, (level.counts - taken) / totals[parents], first, backoff))
    return unigram, orders


def _taken(counts: Ints | Floats, discount: Floats) -> Floats:
    """What is taken from each count; in between whole numbers, what lies in between."""
    taken: Floats = np.interp(counts, [0.0, 1.0, 2.0, 3.0], np.r_[0.0, discount])
    return taken
