"""Tests for paired samples that come in clusters; each function names the source of its formula."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from analysis.statistics.bootstrap import product
from analysis.statistics.metrics import Floats

LISTED_CLUSTERS = 14  # 2^14 sign patterns are still listed one by one
EXACT_WORK = 10_000_000  # half-steps × clusters


def wilcoxon(differences: Floats) -> float:
    """Two-sided p of the Wilcoxon signed-rank test of paired differences (n,).

    Zeros: Pratt's rule (1959), they are ranked and their ranks left out. Ties: mean ranks, with the variance
    corrected. Exact up to 50 pairs without ties or zeros, else the normal approximation. No difference at all
    gives p = 1. Takes the samples as independent: see `wilcoxon_clustered`.
    """
    if not np.any(differences):
        return 1.0
    n, zeros = len(differences), int(np.sum(differences == 0))
    if n <= 50 and not zeros and len(np.unique(np.abs(differences))) == n:
        return float(stats.wilcoxon(differences, method="exact").pvalue)
    ranks = stats.rankdata(np.abs(differences))
    _, ties = np.unique(ranks[differences != 0], return_counts=True)
    mean = (n * (n + 1) - zeros * (zeros + 1)) / 4
    variance = (n * (n + 1) * (2 * n + 1) - zeros * (zeros + 1) * (2 * zeros + 1)) / 24
    variance -= float((ties.astype(float) ** 3 - ties).sum()) / 48
    z = (ranks[differences > 0].sum() - mean) / np.sqrt(variance)
    return float(2 * special.ndtr(-abs(z)))


def wilcoxon_clustered(differences: Floats, clusters: npt.ArrayLike) -> "SignFlip":
    """Two-sided p of a signed-rank test for clustered pairs, after Rosner, Glynn & Lee (2006).

    Signed ranks (Pratt's zeros, mean ranks for ties) are summed within clusters; see `sign_flip`. Theirs
    drops zeros, and weighs clusters of unequal size.
    """
    signed = np.sign(differences) * stats.rankdata(np.abs(differences))
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    return sign_flip(np.bincount(codes, weights=signed))


@dataclass(frozen=True, kw_only=True)
class SignFlip:
    """A two-sided p, and how it was found: "exact" or "saddlepoint"."""

    p: float
    how: str


def sign_flip(sums: npt.NDArray[Any]) -> SignFlip:
    """Of Σ sums (P,), when by the null hypothesis the sign of each is a fair coin (Fisher 1935).

    Exact for up to 14 clusters, and while half-steps × clusters ≤ 10⁷ for sums of halves: the distribution of
    the sum is a convolution. Beyond that a saddlepoint approximation (Barndorff-Nielsen 1990, for the mean of
    independent variables).
    """
    sizes = np.abs(sums[sums != 0]).astype(float)
    if not len(sizes):
        return SignFlip(p=1.0, how="exact")
    observed = abs(float(np.sum(sums)))
    if len(sizes) <= LISTED_CLUSTERS:
        reached = np.abs(product(_signs(len(sizes)), sizes)) >= observed * (1 - 1e-12)
        return SignFlip(p=float(reached.mean()), how="exact")
    steps = np.rint(2 * sizes).astype(np.int64)
    if np.array_equal(steps, 2 * sizes) and steps.sum() * len(steps) <= EXACT_WORK:
        return SignFlip(p=_convolved(steps, round(2 * observed)), how="exact")
    return SignFlip(p=_saddlepoint(sizes, observed), how="saddlepoint")


def _convolved(steps: npt.NDArray[np.int64], observed: int) -> float:
    """P(|Σ ± steps| ≥ observed); the sum is that of the positive ones, doubled, less all.

    Of the distribution of what the positive ones sum to, no more than the tail in question is made.
    """
    needed = (int(steps.sum()) - observed) // 2 + 1
    shares = np.zeros(needed)
    shares[0] = 1.0
    reach = 1
    for step in np.sort(steps).tolist():
        shares[:reach] /= 2
        end = min(reach + step, needed)
        if step < end:
            shares[step:end] += shares[: end - step].copy()
        reach = end
    return float(min(1.0, 2 * shares.sum())) if observed else 1.0


def _saddlepoint(sizes: Floats, observed: float) -> float:
    """The tail of Σ ± sizes with the cumulant generating function Σ log cosh(t · sizes)."""
    whole = float(sizes.sum())
    if observed >= whole * (1 - 1e-12):
        return float(2.0 ** (1 - len(sizes)))
    if not observed:
        return 1.0
    scaled, wanted = sizes / whole, observed / whole

    def slope(t: float) -> float:
        return float(np.sum(scaled * np.tanh(t * scaled))) - wanted

    high = 1.0
    while slope(high) < 0:
        high *= 2
    t = float(optimize.brentq(slope, 0.0, high, xtol=1e-12, rtol=1e-12))
    cumulants = np.logaddexp(t * scaled, -t * scaled) - np.log(2)
    r = np.sqrt(max(2 * (t * wanted - float(cumulants.sum())), 0.0))
    u = t * np.sqrt(float(np.sum(scaled**2 / np.cosh(np.minimum(t * scaled, 300.0)) ** 2)))
    if r > 1e-4:
        r += np.log(u / r) / r
    return float(min(1.0, 2 * special.ndtr(-r)))


@lru_cache(maxsize=8)
def _signs(n: int) -> Floats:
    flips = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return (1 - 2 * flips).astype(np.float64)


def holm(p: Floats) -> Floats:
    """Holm's step-down adjusted p-values (Holm 1979) of one family (n,); they hold its family-wise error.

    Rows without a p, NaN, are not in the family.
    """
    there = np.flatnonzero(np.isfinite(p))
    order = there[np.argsort(p[there], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1)
    return adjusted


def false_discovery(p: Floats) -> Floats:
    """Benjamini & Hochberg's (1995) adjusted p-values of one family (n,), NaN where there is no p."""
    adjusted, there = np.full(len(p), np.nan), np.isfinite(p)
    if there.any():
        adjusted[there] = stats.false_discovery_control(p[there])
    return adjusted


def mcnemar(lost: int, gained: int) -> float:
    """Exact two-sided p of McNemar's test (1947) for flips, right → wrong against wrong → right.

    Takes the tokens as independent: see `mcnemar_clustered`.
    """
    return float(stats.binomtest(lost, lost + gained).pvalue) if lost + gained else 1.0


def mcnemar_clustered(lost: npt.ArrayLike, gained: npt.ArrayLike) -> SignFlip:
    """Two-sided p for flips counted in P clusters, (P,) and (P,).

    The statistic is Obuchowski's (1998), Σ(lost − gained) against the clusters' own sums; its null
    distribution flips the sign of each cluster's sum, see `sign_flip`.
    """
    return sign_flip(np.asarray(lost, dtype=float) - np.asarray(gained, dtype=float))


def tost(estimate: float, standard_error: float, margin: float, df: float) -> float:
    """p of equivalence within ±margin: the larger of two one-sided t tests (Schuirmann 1987).

    Small p: the difference is shown to be smaller than the margin. With a standard error of zero the estimate
    is the truth: p is 0 within the margin, 1 beyond. Without one, NaN, nothing can be shown and p is NaN.
    Raises ValueError for a margin that is not positive.
    """
    if margin <= 0:
        raise ValueError(f"the margin of equivalence must be positive, not {margin}")
    if np.isnan(standard_error):
        return float("nan")
    if standard_error == 0:
        return 0.0 if abs(estimate) < margin else 1.0
    return float(special.stdtr(df, -(margin - abs(estimate)) / standard_error))


def minimum_detectable_effect(
    standard_error: Floats | float, df: Floats | float, *, alpha: float = 0.05, power: float = 0.8
) -> Floats:
    """The smallest true difference, (…), found with this power by a two-sided test at alpha (Bloom 1995).

    (t₁₋α⁄₂ + t_power) × standard error, both with df degrees of freedom; NaN without them.
    """
    effect: Floats = (special.stdtrit(df, 1 - alpha / 2) + special.stdtrit(df, power)) * standard_error
    return effect


def smallest_margin(standard_error: float, df: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest margin within which `tost` shows a difference that is zero to lie, with this power.

    (t₁₋α + t₍₁₊power₎⁄₂) × standard error, both with df degrees of freedom.
    """
    return float((special.stdtrit(df, 1 - alpha) + special.stdtrit(df, (1 + power) / 2)) * standard_error)


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Page's L over blocks × ordered levels; `p` is one-sided, for values that rise with the level."""

    statistic: float
    p: float
    blocks: int
    levels: int


def page_trend(values: Floats) -> Trend:
    """Page's trend test (Page 1963) of (blocks, levels), levels in ascending order, at least three.

    Blocks are clusters (projects), since they must be independent. Raises ValueError for fewer than three
    levels.
    """
    blocks, levels = values.shape
    if levels < 3:
        raise ValueError(f"a trend needs three levels of intensity, there are {levels}")
    method = "exact" if blocks <= 12 and levels <= 8 else "asymptotic"
    found = stats.page_trend_test(values, method=method)
    return Trend(statistic=float(found.statistic), p=float(found.pvalue), blocks=blocks, levels=levels)
