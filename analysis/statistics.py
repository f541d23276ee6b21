"""Tests and effect sizes for paired samples that come in clusters; each function names the source of its
formula.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.bootstrap import RESAMPLES, Floats, Interval, bootstrap, interval, resample

EXACT_CLUSTERS = 14  # 2^14 sign patterns are still listed one by one
SIGN_DRAWS = 20_000

__all__ = [
    "Dominance",
    "Interval",
    "a12",
    "bootstrap",
    "cliffs_delta",
    "cliffs_delta_interval",
    "holm",
    "magnitude",
    "wilcoxon",
    "wilcoxon_clustered",
]


def wilcoxon(differences: Floats) -> float:
    """Two-sided p of the Wilcoxon signed-rank test of paired differences (n,).

    Zeros: Pratt's rule (1959), they are ranked and their ranks left out. Ties: mean ranks, with the variance
    corrected. Exact up to 50 pairs without ties or zeros, else the normal approximation. No difference at all
    gives p = 1. Takes the samples as independent: see `wilcoxon_clustered`.
    """
    if not np.any(differences):
        return 1.0
    exact = len(differences) <= 50 and len(np.unique(np.abs(differences))) == len(differences)
    method = "exact" if exact and np.all(differences) else "asymptotic"
    return float(stats.wilcoxon(differences, zero_method="pratt", method=method).pvalue)


def wilcoxon_clustered(differences: Floats, clusters: npt.ArrayLike) -> float:
    """Two-sided p of the signed-rank test for clustered pairs (Rosner, Glynn & Lee 2006).

    Signed ranks (Pratt's zeros, mean ranks for ties) are summed within clusters; under the null hypothesis
    the sign of a cluster's sum is a fair coin. All 2^P patterns up to 14 clusters (the smallest possible p is
    2^(1−P)), beyond that 20,000 random patterns, the observed one counted among them.
    """
    signed = np.sign(differences) * stats.rankdata(np.abs(differences))
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(codes, weights=signed)
    if not np.any(sums):
        return 1.0
    observed = abs(sums.sum())
    totals = np.abs(_signs(len(sums)) @ sums)
    reached = totals >= observed * (1 - 1e-12)
    if len(sums) <= EXACT_CLUSTERS:
        return float(reached.mean())
    return float((reached.sum() + 1) / (len(totals) + 1))


@lru_cache(maxsize=8)
def _signs(n: int) -> Floats:
    if n <= EXACT_CLUSTERS:
        flips = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    else:
        flips = np.random.default_rng(n).integers(0, 2, size=(SIGN_DRAWS, n))
    return (1 - 2 * flips).astype(np.float64)


def cliffs_delta(x: Floats, y: Floats) -> float:
    """δ = (#{x > y} − #{x < y}) / (m·n) over all pairs (Cliff 1993), in O((m + n) log n)."""
    ordered = np.sort(y)
    below = np.searchsorted(ordered, x, side="left").sum()
    above = (len(y) - np.searchsorted(ordered, x, side="right")).sum()
    return float((int(below) - int(above)) / (len(x) * len(y)))


def a12(x: Floats, y: Floats) -> float:
    """A₁₂ = P(x > y) + P(x = y)/2 = (δ + 1)/2 (Vargha & Delaney 2000)."""
    return (cliffs_delta(x, y) + 1) / 2


def magnitude(delta: float) -> str:
    """The customary word for |δ|: A₁₂ of .56, .64 and .71 begin small, medium and large (Vargha & Delaney
    2000).
    """
    size = abs(delta)
    bounds = ((0.42, "large"), (0.28, "medium"), (0.12, "small"))
    return next((word for bound, word in bounds if size >= bound - 1e-12), "negligible")


@dataclass(frozen=True, kw_only=True)
class Dominance:
    """Cliff's δ with its interval; A₁₂ and its bounds are (δ + 1)/2 of these."""

    delta: float
    interval: Interval


def cliffs_delta_interval(
    x: Floats,
    y: Floats,
    clusters: npt.ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Dominance:
    """Cliff's δ of paired samples (n,), (n,), with an interval from resampling their clusters (n,).

    δ is a sum over pairs of clusters: with D (P, P) the dominance between them, N (P, P) the numbers of pairs
    and w (P,) how often each was drawn, δ(w) = Σ c·D / Σ c·N with c = w_p w_q between two clusters and w_p
    within one (the pairs between copies of one cluster are left out: they would count it double). So
    resamples are matrix products too.
    """
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    dominance, sizes = _dominance(x, y, codes)
    delta = float(dominance.sum() / sizes.sum() ** 2)
    if len(sizes) < 2:
        return Dominance(delta=delta, interval=Interval(low=np.nan, high=np.nan, method="none", level=level))
    weights = resample(np.eye(len(sizes)), resamples, seed)
    copies = weights**2 - weights  # pairs of different copies of one cluster
    within = np.diag(dominance)
    numerator = np.einsum("rp,rp->r", weights @ dominance, weights) - copies @ within
    denominator = (weights @ sizes) ** 2 - copies @ sizes**2
    rest = dominance.sum() - dominance.sum(axis=0) - dominance.sum(axis=1) + within
    jackknife = rest / (sizes.sum() - sizes) ** 2
    return Dominance(delta=delta, interval=interval(delta, numerator / denominator, jackknife, level))


def _dominance(x: Floats, y: Floats, codes: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    sizes = np.bincount(codes).astype(float)
    n = len(sizes)
    dominance = np.empty((n, n))
    for cluster in range(n):
        ordered = np.sort(y[codes == cluster])
        gain = (
            np.searchsorted(ordered, x, side="left")
            + np.searchsorted(ordered, x, side="right")
            - len(ordered)
        )
        dominance[:, cluster] = np.bincount(codes, weights=gain.astype(float), minlength=n)
    return dominance, sizes


def holm(p: Floats) -> Floats:
    """Holm's step-down adjusted p-values (Holm 1979) of one family (n,); they hold its family-wise error."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted
