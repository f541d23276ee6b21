"""Tests for paired samples that come in clusters; each function names the source of its formula."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from analysis.statistics.bootstrap import product
from analysis.statistics.metrics import Floats

EXACT_CLUSTERS = 14  # 2^14 sign patterns are still listed one by one
SIGN_DRAWS = 20_000


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


def wilcoxon_clustered(differences: Floats, clusters: npt.ArrayLike) -> float:
    """Two-sided p of the signed-rank test for clustered pairs (Rosner, Glynn & Lee 2006).

    Signed ranks (Pratt's zeros, mean ranks for ties) are summed within clusters; see `sign_flip`.
    """
    signed = np.sign(differences) * stats.rankdata(np.abs(differences))
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    return sign_flip(np.bincount(codes, weights=signed))


def sign_flip(sums: npt.NDArray[Any]) -> float:
    """Two-sided p of Σ sums (P,) when by the null hypothesis the sign of each is a fair coin (Fisher 1935).

    All 2^P patterns up to 14 clusters, so that p can't be below 2^(1−P); beyond that 20,000 random
    patterns, the observed one counted among them.
    """
    if not np.any(sums):
        return 1.0
    observed = abs(sums.sum())
    reached = np.abs(product(_signs(len(sums)), sums)) >= observed * (1 - 1e-12)
    if len(sums) <= EXACT_CLUSTERS:
        return float(reached.mean())
    return float((reached.sum() + 1) / (len(reached) + 1))


def smallest_p(clusters: int) -> float:
    """The smallest p that `sign_flip` can give for so many clusters."""
    return 2.0 ** (1 - clusters) if clusters <= EXACT_CLUSTERS else 1 / (SIGN_DRAWS + 1)


@lru_cache(maxsize=8)
def _signs(n: int) -> Floats:
    if n <= EXACT_CLUSTERS:
        flips = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    else:
        flips = np.random.default_rng(n).integers(0, 2, size=(SIGN_DRAWS, n))
    return (1 - 2 * flips).astype(np.float64)


def holm(p: Floats) -> Floats:
    """Holm's step-down adjusted p-values (Holm 1979) of one family (n,); they hold its family-wise error."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted


def mcnemar(lost: int, gained: int) -> float:
    """Exact two-sided p of McNemar's test (1947) for flips, right → wrong against wrong → right.

    Takes the tokens as independent: see `mcnemar_clustered`.
    """
    return float(stats.binomtest(lost, lost + gained).pvalue) if lost + gained else 1.0


def mcnemar_clustered(lost: npt.ArrayLike, gained: npt.ArrayLike) -> float:
    """Two-sided p for flips counted in P clusters, (P,) and (P,).

    The statistic is Obuchowski's (1998), Σ(lost − gained) against the clusters' own sums; its null
    distribution flips the sign of each cluster's sum, exactly up to 14 clusters and with 20,000 random
    patterns beyond.
    """
    return sign_flip(np.asarray(lost, dtype=float) - np.asarray(gained, dtype=float))


def tost(estimate: float, standard_error: float, margin: float, df: float) -> float:
    """p of equivalence within ±margin: the larger of two one-sided t tests (Schuirmann 1987).

    Small p: the difference is shown to be smaller than the margin. Raises ValueError for a margin that is not
    positive; without a standard error there is nothing to show and p is 1.
    """
    if margin <= 0:
        raise ValueError(f"the margin of equivalence must be positive, not {margin}")
    if not standard_error > 0 or df < 1:
        return 1.0
    return float(special.stdtr(df, -(margin - abs(estimate)) / standard_error))


def minimum_detectable_effect(
    standard_error: float, df: float, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """The smallest true difference found with this power by a two-sided test at alpha (Bloom 1995).

    (t₁₋α⁄₂ + t_power) × standard error, both with df degrees of freedom.
    """
    if df < 1:
        return float("nan")
    return float((special.stdtrit(df, 1 - alpha / 2) + special.stdtrit(df, power)) * standard_error)


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


@dataclass(frozen=True, kw_only=True)
class VarianceSplit:
    """Variance components of a seeds × projects table."""

    seed: float
    project: float
    residual: float

    @property
    def shares(self) -> tuple[float, float, float]:
        """Shares of seed, project and residual; NaN where nothing varies."""
        total = self.seed + self.project + self.residual
        parts = (self.seed, self.project, self.residual)
        return tuple(part / total if total > 0 else float("nan") for part in parts)  # type: ignore[return-value]


def variance_split(values: Floats) -> VarianceSplit:
    """Components of (seeds, projects) by two-way random-effects analysis of variance, one value per cell.

    σ²seed = (MSseed − MSresidual)/P, σ²project = (MSproject − MSresidual)/S, negative estimates are 0
    (Searle, Casella & McCulloch 1992, ch. 4). Raises ValueError for fewer than two seeds or projects.
    """
    seeds, projects = values.shape
    if seeds < 2 or projects < 2:
        raise ValueError(f"a split of variance needs two seeds and two projects, not {seeds} and {projects}")
    rows, columns, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    rest = values - rows[:, None] - columns + mean
    residual = float((rest**2).sum() / ((seeds - 1) * (projects - 1)))
    between_seeds = float(projects * ((rows - mean) ** 2).sum() / (seeds - 1))
    between_projects = float(seeds * ((columns - mean) ** 2).sum() / (projects - 1))
    return VarianceSplit(
        seed=max(0.0, (between_seeds - residual) / projects),
        project=max(0.0, (between_projects - residual) / seeds),
        residual=residual,
    )
