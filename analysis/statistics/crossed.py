"""Variance of everything that was drawn: projects × training seeds (× rewriting draws), crossed.

    θ of each cell, and without each project   ->   variance of the mean of θ, by source

θ (…, C) are the differences of C cells, one per seed and draw; `influence` (…, P, C) is θ less what it is
without a project. Both come from sums by project and cell alone, for a metric of any form.

The variance of the mean of θ is put together by moments (multiway clusters: Cameron, Gelbach & Miller 2011;
random effects that are crossed: Owen 2007): each source alone holds what it shares with the others too, so
what two share is taken off, and what three share is put back. It is never taken to be less than one source
alone shows. Degrees of freedom: Satterthwaite 1946.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.statistics.metrics import Floats

FEW_LEVELS = 4
"""Chosen in simulations, on other seeds than those of the tests of coverage."""

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which of C cells share a seed, and which a draw of the rewriting: (C,) each.

    Where every seed has a draw of its own the two can't be told apart and `draw` is None; what is said of
    seeds is then said of both.
    """

    seed: Codes
    draw: Codes | None = None

    @staticmethod
    def of(seeds: npt.ArrayLike, draws: npt.ArrayLike | None = None) -> "Layout":
        """From labels (C,); draws that there is one of, or one for each seed, are no source of their own."""
        seed = np.unique(np.asarray(seeds), return_inverse=True)[1].ravel()
        if draws is None:
            return Layout(seed=seed)
        draw = np.unique(np.asarray(draws), return_inverse=True)[1].ravel()
        pairs = len(set(zip(seed.tolist(), draw.tolist(), strict=True)))
        if draw.max() == 0 or (seed.max() > 0 and pairs == seed.max() + 1 == draw.max() + 1):
            return Layout(seed=seed)
        return Layout(seed=seed, draw=draw)

    @property
    def seeds(self) -> int:
        """How many seeds."""
        return int(self.seed.max()) + 1

    @property
    def draws(self) -> int:
        """How many draws that are a source of their own; 1 without."""
        return 1 if self.draw is None else int(self.draw.max()) + 1

    def table(self, values: Floats) -> Floats | None:
        """(…, C) → (…, S, D); None unless there is one cell for each seed and draw."""
        place = self.seed * self.draws + (0 if self.draw is None else self.draw)
        if len(place) != self.seeds * self.draws or len(np.unique(place)) != len(place):
            return None
        table: Floats = values[..., np.argsort(place)].reshape(*values.shape[:-1], self.seeds, self.draws)
        return table


@dataclass(frozen=True, kw_only=True)
class Variances:
    """Variance of the mean over cells by source, (…,) each; every one holds what it shares with others.

    `shared`: of each set of sources what they share, by name ("project seed", …); of none in a design with
    gaps, where nothing is taken off.
    """

    project: Floats
    seed: Floats
    draw: Floats
    shared: Mapping[str, Floats]
    seeds: int
    draws: int

    @property
    def unclipped(self) -> Floats:
        """The sum by inclusion and exclusion; an estimate without bias, which can be below zero."""
        total = self.project + self.seed + self.draw
        for name, value in self.shared.items():
            total = total + (1 if name.count(" ") == 2 else -1) * value
        return total

    @property
    def total(self) -> Floats:
        """`unclipped`, but never less than what one source shows alone."""
        alone = np.maximum(self.project, np.maximum(self.seed, self.draw))
        return np.maximum(self.unclipped, alone)

    def df(self, effective: npt.ArrayLike) -> Floats:
        """Satterthwaite's degrees of freedom, (…,); `effective`: number of projects.

        The variance of n seeds, or draws, counts 1 + `FEW_LEVELS`/(n − 1) times here: from two or three it
        is found too small in most studies, and such a study would get the degrees of freedom of its projects.
        Where nothing varies they are the projects'.
        """
        projects = np.maximum(np.asarray(effective, float) - 1, 1e-3)
        weight, parts = self.project, self.project**2 / projects
        for value, n in ((self.seed, self.seeds), (self.draw, self.draws)):
            if n > 1:
                counted = value * (1 + FEW_LEVELS / (n - 1))
                weight, parts = weight + counted, parts + counted**2 / (n - 1)
        df: Floats = np.where(parts > 0, weight**2 / np.where(parts > 0, parts, 1.0), projects)
        return df

    @property
    def shares(self) -> dict[str, Floats]:
        """What seed, draw, project and the rest (what they share) are of `unclipped`; they add up to 1.

        A share can be negative: an estimate of a small variance is, half of the time. NaN without variance,
        and of a source with one level.
        """
        alone = {"seed": self.seed, "draw": self.draw, "project": self.project}
        for name, value in self.shared.items():
            sign = 1 if name.count(" ") == 2 else -1
            alone = {one: v + sign * value * (one in name.split()) for one, v in alone.items()}
        rest = self.unclipped - alone["seed"] - alone["draw"] - alone["project"]
        with np.errstate(invalid="ignore", divide="ignore"):
            total = np.where(self.unclipped > 0, self.unclipped, np.nan)
            shares = {name: value / total for name, value in (alone | {"residual": rest}).items()}
        for name, n in (("seed", self.seeds), ("draw", self.draws)):
            if n == 1:
                shares[name] = np.full_like(total, np.nan)
        return shares


def variances(theta: Floats, influence: Floats, layout: Layout) -> Variances:
    """Of the mean of θ (…, C), from the projects' influence (…, P, C), at least two projects."""
    projects = influence.shape[-2]
    scale = (projects - 1) / projects
    centred = influence - influence.mean(axis=-2, keepdims=True)
    project = scale * np.sum(centred.mean(axis=-1) ** 2, axis=-1)
    zero = np.zeros_like(project)
    seeds, draws = layout.seeds, layout.draws
    values, parts = layout.table(theta), layout.table(centred)
    if values is None or parts is None:
        seed = _between(theta, layout.seed)
        draw = zero if layout.draw is None else _between(theta, layout.draw)
        return Variances(project=project, seed=seed, draw=draw, shared={}, seeds=seeds, draws=draws)
    by_seed, by_draw = values.mean(axis=-1), values.mean(axis=-2)
    shared = {}
    if seeds > 1:
        shared["project seed"] = scale * _spread(parts.mean(axis=-1), (-2, -1))
    if draws > 1:
        shared["project draw"] = scale * _spread(parts.mean(axis=-2), (-2, -1))
    if seeds > 1 and draws > 1:
        n = seeds * draws * (seeds - 1) * (draws - 1)
        shared["seed draw"] = np.sum(_interaction(values) ** 2, axis=(-2, -1)) / n
        shared["project seed draw"] = scale * np.sum(_interaction(parts) ** 2, axis=(-3, -2, -1)) / n
    return Variances(
        project=project,
        seed=_spread(by_seed, (-1,)) if seeds > 1 else zero,
        draw=_spread(by_draw, (-1,)) if draws > 1 else zero,
        shared=shared,
        seeds=seeds,
        draws=draws,
    )


def _spread(values: Floats, axes: tuple[int, ...]) -> Floats:
    """Squared deviations from the mean of the last axis, summed over the axes, over n (n − 1)."""
    n = values.shape[-1]
    spread: Floats = np.sum((values - values.mean(axis=-1, keepdims=True)) ** 2, axis=axes) / (n * (n - 1))
    return spread


def _between(theta: Floats, codes: Codes) -> Floats:
    """Variance of the mean from the sums of clusters of cells, whatever their sizes."""
    n = int(codes.max()) + 1
    if n < 2:
        return np.zeros(theta.shape[:-1])
    deviations = theta - theta.mean(axis=-1, keepdims=True)
    sums = deviations @ np.eye(n)[codes]
    variance: Floats = n / (n - 1) * np.sum(sums**2, axis=-1) / theta.shape[-1] ** 2
    return variance


def _interaction(values: Floats) -> Floats:
    rows, columns = values.mean(axis=-1, keepdims=True), values.mean(axis=-2, keepdims=True)
    rest: Floats = values - rows - columns + values.mean(axis=(-2, -1), keepdims=True)
    return rest
