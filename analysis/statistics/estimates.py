"""What a group of cells shows: a mean with its interval and p, beyond its projects and models, and of them.

    θ of 3 seeds, and without each of 22 projects   ->   −0.009 (−0.014 to −0.004), p 0.002

It needs what `crossed.py` needs. Tests, margins and detectable differences use the same error and degrees of
freedom as the interval.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis.statistics.bootstrap import product
from analysis.statistics.crossed import Layout, Variances, variances
from analysis.statistics.metrics import Floats

FEWEST = 5
"""With fewer projects no interval is claimed: without any effect it would exclude zero too often."""
ROUGH = 8
"""With a smaller effective number of projects an interval is shown with a warning."""
COVERAGE_FOUND = {
    "one project that has 60 % of the tokens": 0.98,
    "sizes that differ much": 0.95,
    "heavy tails": 0.96,
    "skewed effects": 0.90,
}
TWO_SEEDS = 0.93
"""How often 95 % intervals held the truth in simulated studies: of one seed setting each, in
`tests/analysis/statistics/test_coverage.py`."""
BAND_DRAWS = 10_000


def effective_number(sizes: Floats) -> float:
    """(Σn)²/Σn² of the projects' sizes (P,): so many projects of equal size weigh the same (Kish 1965)."""
    return float(sizes.sum() ** 2 / np.sum(sizes**2)) if np.any(sizes) else 0.0


@dataclass(frozen=True, kw_only=True)
class Claim:
    """estimate ± t · error, and p of estimate / error.

    `covers`: what may be drawn anew so that the interval still holds: "projects × seeds". `why`: why nothing
    is claimed; then the numbers are NaN.
    """

    error: float = float("nan")
    df: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    p: float = float("nan")
    covers: str = ""
    why: str = ""

    def excludes(self, value: float) -> bool:
        """Whether the value lies outside; False where nothing is claimed."""
        return bool(self.low > value or self.high < value)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over cells with what can be claimed of it.

    `everything`: beyond these projects and models. `models`: the trained models are held fixed; drawn are the
    projects, and rewritings where each model saw several. `effective`: the effective number of projects.
    `shares`: of seed, draw, project and the rest in the variance. `influence` (P,) and `seeds` (S,) are the
    deviations that make up the variance: what `joint_level` takes.
    """

    mean: float
    everything: Claim
    models: Claim
    effective: float
    shares: Mapping[str, float]
    influence: Floats
    seeds: Floats


def estimate(theta: Floats, without: Floats, layout: Layout, sizes: Floats, level: float = 0.95) -> Estimate:
    """From θ of each cell (C,), θ without each project (P, C) and the projects' sizes (P,).

    Nothing is claimed of fewer than FEWEST projects, or where one of them holds all units of a cell; and
    nothing beyond the models of one seed.
    """
    projects, seeds = len(without), layout.seeds
    mean, effective = float(theta.mean()), effective_number(sizes)
    by_seed = np.bincount(layout.seed, weights=theta) / np.bincount(layout.seed)
    why = "" if projects >= FEWEST else f"{projects} project{'s' * (projects > 1)}"
    if projects < 2 or not np.isfinite(without).all():
        nothing = Claim(why=why or "one project holds all units of a cell")
        shares = dict.fromkeys(("seed", "draw", "project", "residual"), float("nan"))
        everything = models = nothing
        influence = np.zeros(projects)
    else:
        drawn = variances(theta, theta - without, layout)
        shares = {name: float(share) for name, share in drawn.shares.items()}
        everything = _claim(mean, drawn, effective, level, why or ("" if seeds > 1 else "one seed"))
        models = _claim(
            mean, variances(*_models_fixed(theta, theta - without, layout)), effective, level, why
        )
        influence = without.mean() - without.mean(axis=1)
    return Estimate(
        mean=mean,
        everything=everything,
        models=models,
        effective=effective,
        shares=shares,
        influence=influence * np.sqrt((projects - 1) / projects),
        seeds=(by_seed - by_seed.mean()) / np.sqrt(seeds * max(seeds - 1, 1)),
    )


def joint_level(projects: Floats, seeds: Floats, level: float = 0.95, seed: int = 0) -> float:
    """The level at which each of M intervals must be taken so that all hold together with `level`.

    From the deviations by project (M, P) and by seed (M, S) of `Estimate`: the quantile of max |t| when every
    project's and seed's deviations are multiplied by one normal draw for all rows, so that rows which share
    projects and models count as less than M (Romano & Wolf 2005; Hothorn, Bretz & Westfall 2008).
    """
    parts = np.concatenate([projects, seeds], axis=1)
    parts = parts[np.any(parts, axis=1)]
    if len(parts) < 2:
        return level
    parts = parts / np.sqrt(np.sum(parts**2, axis=1, keepdims=True))
    drawn = product(np.random.default_rng(seed).normal(size=(BAND_DRAWS, parts.shape[1])), parts.T)
    largest = np.quantile(np.abs(drawn).max(axis=1), level)
    return max(level, float(1 - 2 * special.ndtr(-largest)))


def bounds(mean: Floats, error: Floats, df: Floats, level: float) -> tuple[Floats, Floats]:
    """mean ± t · error, (M,) each."""
    width = special.stdtrit(df, (1 + level) / 2) * error
    return mean - width, mean + width


def _models_fixed(theta: Floats, influence: Floats, layout: Layout) -> tuple[Floats, Floats, Layout]:
    """Means over the seeds, one for each draw where every model saw every one."""
    values, parts = layout.table(theta), layout.table(influence)
    if values is None or parts is None:
        values, parts = theta[:, None], influence[:, :, None]
    draws = np.arange(values.shape[-1])
    return values.mean(axis=-2), parts.mean(axis=-2), Layout.of(np.zeros_like(draws), draws)


def _claim(mean: float, drawn: Variances, effective: float, level: float, why: str) -> Claim:
    if why:
        return Claim(why=why)
    error, df = float(np.sqrt(drawn.total)), float(drawn.df(effective))
    low, high = bounds(np.array(mean), np.array(error), np.array(df), level)
    covers = ["projects", "seeds" if drawn.seeds > 1 else "", "draws" if drawn.draws > 1 else ""]
    p = float(2 * special.stdtr(df, -abs(mean) / error)) if error > 0 else float(mean == 0)
    return Claim(
        error=error, df=df, low=float(low), high=float(high), p=p, covers=" × ".join(filter(None, covers))
    )
