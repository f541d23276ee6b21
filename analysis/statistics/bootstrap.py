"""Cluster bootstrap: projects are resampled, each with all its samples.

(R, P) counts of how often each project was drawn, times (P, K) sums, gives (R, K) sums of all resamples at
once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special
from threadpoolctl import ThreadpoolController

from analysis.statistics.metrics import Floats

RESAMPLES = 10_000
DRAWS_AT_ONCE = 1_000_000
CACHED_CLUSTERS = 400
_BLAS = ThreadpoolController()


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A confidence interval; `method` is "BCa", "percentile", or "none" (one cluster: bounds are NaN)."""

    low: float
    high: float
    method: str
    level: float = 0.95


def product(a: Floats, b: Floats) -> Floats:
    """a @ b in one thread: where other processes use the cores, the product of small matrices waits for a
    second thread a hundred times as long as it takes.
    """
    with _BLAS.limit(limits=1, user_api="blas"):
        result: Floats = a @ b
    return result


def resample(sums: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Sums of R resamples of P clusters, drawn with replacement: (P, K) → (R, K)."""
    clusters = len(sums)
    if clusters <= CACHED_CLUSTERS:
        return product(_counts(clusters, resamples, seed), sums)
    return np.concatenate([product(counts, sums) for counts in _draw(clusters, resamples, seed)])


def interval(estimate: float, replicates: Floats, jackknife: Floats, level: float = 0.95) -> Interval:
    """Bias-corrected and accelerated interval (Efron 1987), with few clusters widened (Hesterberg 2015,
    §3.3).

    The normal quantile z is replaced by √(P/(P−1)) · t with P − 1 degrees of freedom, since P projects give
    intervals that are too narrow by about this. Where bias or acceleration can't be computed (all replicates
    on one side of the estimate, a jackknife without spread, a quantile out of range) it is the percentile
    interval with the same widening, and says so.
    """
    replicates = replicates[np.isfinite(replicates)]
    jackknife = jackknife[np.isfinite(jackknife)]
    clusters = len(jackknife)
    if clusters < 2 or not len(replicates):
        return Interval(low=np.nan, high=np.nan, method="none", level=level)
    quantile = np.sqrt(clusters / (clusters - 1)) * special.stdtrit(clusters - 1, (1 + level) / 2)
    z = np.array([-quantile, quantile])
    shares = _bca_shares(estimate, replicates, jackknife, z)
    method = "BCa" if shares is not None else "percentile"
    low, high = np.quantile(replicates, special.ndtr(z) if shares is None else shares)
    return Interval(low=float(low), high=float(high), method=method, level=level)


def _bca_shares(estimate: float, replicates: Floats, jackknife: Floats, z: Floats) -> Floats | None:
    below = (np.mean(replicates < estimate) + np.mean(replicates <= estimate)) / 2
    spread = jackknife.mean() - jackknife
    scale = float(np.sum(spread**2))
    if not 0 < below < 1 or scale <= 1e-24 * max(estimate**2, 1.0):
        return None
    bias = special.ndtri(below)
    acceleration = np.sum(spread**3) / (6 * scale**1.5)
    divisor = 1 - acceleration * (bias + z)
    if (divisor <= 0).any():
        return None
    shares: Floats = special.ndtr(bias + (bias + z) / divisor)
    return shares if 0 < shares[0] < shares[1] < 1 else None


@lru_cache(maxsize=8)
def _counts(clusters: int, resamples: int, seed: int) -> Floats:
    counts = np.concatenate(list(_draw(clusters, resamples, seed)))
    counts.flags.writeable = False
    return counts


def _draw(clusters: int, resamples: int, seed: int) -> Iterator[Floats]:
    """(R, P) counts of how often each cluster was drawn, some rows at a time."""
    rng = np.random.default_rng(seed)
    rows = max(1, DRAWS_AT_ONCE // clusters)
    for start in range(0, resamples, rows):
        n = min(rows, resamples - start)
        drawn = rng.integers(0, clusters, size=(n, clusters))
        yield np.array([np.bincount(row, minlength=clusters) for row in drawn], dtype=np.float64)
