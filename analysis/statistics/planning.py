"""What a study can find before it is made: from the variance of each source to the error of a design.

    σ of a project 0.0097 and of a seed 0.0041   ->   22 projects × 3 seeds find 0.011, 60 × 12 find 0.005

The error and its degrees of freedom are those that `crossed.py` takes of a finished study.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.statistics.crossed import Variances
from analysis.statistics.significance import minimum_detectable_effect, smallest_margin

PROJECTS = (10, 15, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500)
MOST_SEEDS = 30
"""Larger designs are not proposed."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Variance of one project's, seed's and draw's difference, and of what they share, in squares of the
    metric's unit. `seed` is None where nothing tells it.
    """

    project: float
    seed: float | None
    draw: float = 0.0
    residual: float = 0.0

    @staticmethod
    def of(rows: Iterable[Mapping[str, float]]) -> "Spread | None":
        """Means over rows of tables of differences (see `Comparison`); None where none tells anything.

        Estimates below zero count as they are, since means of those that are cut off at zero are too large.
        Where all rows are of one seed only projects are known.
        """
        every = list(rows)
        crossed = [found for row in every if (found := _of_row(row)) is not None]
        if crossed:
            return Spread(
                **{name: max(0.0, float(np.mean([r[name] for r in crossed]))) for name in crossed[0]}
            )
        alone = [row["standard_error_models"] ** 2 * row["n_effective"] for row in every]
        alone = [variance for variance in alone if variance > 0]
        return Spread(project=float(np.mean(alone)), seed=None) if alone else None


def _of_row(row: Mapping[str, float]) -> dict[str, float] | None:
    """The total was taken not to be less than one source shows alone, which holds what it shares: undone.

    Where the estimates add up to nothing there are no shares, and what was seen counts as what they share.
    """
    if not row["standard_error"] > 0 or row["n_seeds"] < 2:
        return None
    share = {name: row[f"variance_{name}"] for name in ("project", "seed", "residual")}
    if not np.isfinite(list(share.values())).all():
        share = {"project": 0.0, "seed": 0.0, "residual": 1.0}
    share["draw"] = 0.0 if np.isnan(row["variance_draw"]) else row["variance_draw"]
    alone = (share[name] + share["residual"] for name in ("project", "seed", "draw"))
    total = row["standard_error"] ** 2 / max(1.0, *alone)
    levels = {"project": row["n_effective"], "seed": row["n_seeds"], "draw": row["n_draws"]}
    levels["residual"] = float(np.prod(list(levels.values())))
    return {name: share[name] * total * levels[name] for name in levels}


@dataclass(frozen=True, kw_only=True)
class Design:
    """How much is drawn: projects (their effective number), training seeds, and rewriting draws that are a
    source of their own.
    """

    projects: float
    seeds: int
    draws: int = 1

    def error(self, spread: Spread) -> tuple[float, float]:
        """Standard error of a mean difference and its degrees of freedom; two seeds at least.

        With one draw for each seed what draws differ by is part of what seeds differ by.
        """
        assert spread.seed is not None
        rest = np.array(spread.residual / (self.projects * self.seeds * self.draws))
        seed, draw, names = spread.seed, np.array(0.0), ["project seed"]
        if self.draws > 1:
            draw = spread.draw / self.draws + rest
            names += ["project draw", "seed draw", "project seed draw"]
        else:
            seed += spread.draw
        drawn = Variances(
            project=spread.project / self.projects + rest,
            seed=seed / self.seeds + rest,
            draw=draw,
            shared=dict.fromkeys(names, rest),
            seeds=self.seeds,
            draws=self.draws,
        )
        return float(np.sqrt(drawn.total)), float(drawn.df(self.projects))

    def finds(self, spread: Spread, *, rows: int = 1) -> float:
        """The smallest true difference found with a power of 0.8, as the strictest of so many rows (Holm)."""
        return float(minimum_detectable_effect(*self.error(spread), alpha=0.05 / rows))

    def shows(self, spread: Spread) -> float:
        """The smallest margin within which no difference can be shown to be none."""
        return smallest_margin(*self.error(spread))


def enough(spread: Spread, wanted: float, there: Design) -> Design | None:
    """The design that finds a difference with the fewest projects × seeds, none of them fewer than there are;
    None where it would be larger than anybody's.
    """
    found = []
    for projects in (there.projects, *(n for n in PROJECTS if n > there.projects)):
        for seeds in range(max(2, there.seeds), MOST_SEEDS + 1):
            design = Design(projects=projects, seeds=seeds, draws=there.draws)
            if design.finds(spread) <= wanted:
                found.append(design)
                break
    return min(found, key=lambda design: design.projects * design.seeds, default=None)
