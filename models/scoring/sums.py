"""What is summed over tokens: each sum is a function of the columns of a scored token.

    rank 1, 7, 0   ->   accuracy_5: 1, 0, 0   ->   1 of the sample's three tokens

Needs NumPy alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Sum:
    """`of` takes the columns in `needs`, (T,) each, and gives one value per token.

    `whole`: these are whole numbers. `optional`: where no metric asked for a column that it needs, that
    column is null as a whole, and so is the sum.
    """

    name: str
    needs: tuple[str, ...]
    of: Callable[..., NDArray[np.generic]]
    whole: bool = False
    optional: bool = False


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
