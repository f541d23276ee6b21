"""Scored tokens: the scopes that a token belongs to, and what is summed over tokens.

rank 1, 7, 0   ->   accuracy_5: 1, 0, 0   ->   1 of the sample's three tokens
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from preprocessing.lexer.tokens import KINDS, NAME
from tasks.units import Sum, Units

PLACES = ("kind", "origin", "change")
"""What says of a token to which scopes it belongs."""
UNCHANGED, RENAMED = 0, 1


def scopes(
    kinds: NDArray[np.uint8], origins: NDArray[np.int32], changes: NDArray[np.uint8]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each scope and which tokens belong to it; every array has one entry per token.

    aligned: stood in the original, as it is or renamed. identifier: a NAME that is no keyword.
    """
    aligned, name = origins >= 0, kinds == NAME
    yield "all", np.ones(len(kinds), dtype=np.bool_)
    yield "identifier", name
    yield "aligned", aligned
    yield "aligned_identifier", aligned & name
    yield "unchanged", aligned & (changes == UNCHANGED)
    yield "renamed", aligned & (changes == RENAMED)
    yield "inserted", ~aligned
    for code, kind in enumerate(KINDS):
        yield f"kind:{kind}", kinds == code


def with_inserted(
    bits: NDArray[np.float32], origins: NDArray[np.int32], tokens: NDArray[np.int32]
) -> NDArray[np.float64]:
    """(n,) bits of each original token and of what was inserted right before it; of the last one of a sample,
    also of what follows. 0 for inserted ones, so that the sum over aligned tokens is that of the whole text.

    tokens: their index in the sample, from 0.
    """
    sample = np.cumsum(tokens == 0)
    aligned = np.flatnonzero(origins >= 0)
    if not len(aligned):
        return np.zeros(len(bits))
    following = np.searchsorted(aligned, np.arange(len(bits)))
    owner = aligned[np.minimum(following, len(aligned) - 1)]
    before = aligned[np.maximum(following - 1, 0)]
    owner = np.where(sample[owner] == sample, owner, before)
    owner = np.where(sample[owner] == sample, owner, np.arange(len(bits)))
    return np.asarray(np.bincount(owner, bits, len(bits)), np.float64)


def _within(k: int) -> Callable[[NDArray[np.uint8]], NDArray[np.generic]]:
    return lambda rank: (rank > 0) & (rank <= k)  # 0 is beyond ten


SUMS = (
    Sum(name="nll_bits", needs=("nll_bits",), of=lambda bits: bits),
    *(Sum(name=f"accuracy_{k}", needs=("rank",), of=_within(k), optional=True) for k in (1, 5, 10)),
    Sum(
        name="reciprocal_rank_10",
        needs=("rank",),
        of=lambda rank: np.where(rank > 0, 1.0 / np.maximum(rank, 1), 0.0),
        optional=True,
    ),
    Sum(name="n_bytes", needs=("n_bytes",), of=lambda n_bytes: n_bytes, whole=True),
    Sum(
        name="confidence",
        needs=("best_bits",),
        of=lambda bits: np.exp2(-bits.astype(np.float64)),
        optional=True,
    ),
    Sum(name="f1_shared", needs=("f1_shared",), of=lambda n: n, whole=True, optional=True),
    Sum(name="f1_both", needs=("f1_both",), of=lambda n: n, whole=True, optional=True),
)
"""What a scoring sums for each sample, in the order of its table."""

SCORED = Units(file="tokens.parquet", count="n_tokens", places=PLACES, scopes=scopes, sums=SUMS)
"""As a scoring leaves it."""
