"""Effect sizes of dominance, Cliff's δ and A₁₂, with intervals over clusters."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.statistics.bootstrap import RESAMPLES, Interval, interval, product, resample
from analysis.statistics.metrics import Floats


def cliffs_delta(x: Floats, y: Floats) -> float:
    """δ = (#{x > y} − #{x < y}) / (m·n) over all pairs (Cliff 1993), in O((m + n) log n)."""
    ordered = np.sort(y)
    below = np.searchsorted(ordered, x, side="left").sum()
    above = (len(y) - np.searchsorted(ordered, x, side="right")).sum()
    return float((int(below) - int(above)) / (len(x) * len(y)))


def a12(x: Floats, y: Floats) -> float:
    """A₁₂ = P(x > y) + P(x = y)/2 = (δ + 1)/2 (Vargha & Delaney 2000)."""
    return (cliffs_delta(x, y) + 1) / 2


@dataclass(frozen=True, kw_only=True)
class PairedDominance:
    """Cliff's δ of paired data in two parts (Cliff 1993; `orddom` in R): `within` is δw, the share of pairs
    whose first value is larger less the share whose second is; `between` is δb, over values of different
    pairs."""

    within: float
    between: float


def paired_dominance(x: Floats, y: Floats) -> PairedDominance:
    """δw and δb of paired values (n,), (n,); δ = (δw + (n − 1) δb)/n."""
    n, within = len(x), float(np.sign(x - y).mean())
    between = (n * cliffs_delta(x, y) - within) / (n - 1) if n > 1 else float("nan")
    return PairedDominance(within=within, between=between)


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
    numerator = np.einsum("rp,rp->r", product(weights, dominance), weights) - product(copies, within)
    denominator = product(weights, sizes) ** 2 - product(copies, sizes**2)
    rest = dominance.sum() - dominance.sum(axis=0) - dominance.sum(axis=1) + within
    jackknife = rest / (sizes.sum() - sizes) ** 2
    return Dominance(delta=delta, interval=interval(delta, numerator / denominator, jackknife, level))


def _dominance(x: Floats, y: Floats, codes: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    sizes = np.bincount(codes).astype(float)
    n = len(sizes)
    dominance = np.empty((n, n))
    order = np.argsort(x)
    x, of = x[order], codes[order]  # found faster among other values in ascending order
    for cluster in range(n):
        ordered = np.sort(y[codes == cluster])
        gain = (
            np.searchsorted(ordered, x, side="left")
            + np.searchsorted(ordered, x, side="right")
            - len(ordered)
        )
        dominance[:, cluster] = np.bincount(of, weights=gain.astype(float), minlength=n)
    return dominance, sizes
