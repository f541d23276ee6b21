"""One group of paired cells, measured: differences with intervals, effect sizes, tests and their power.

Of every form of metric, interval, p, equivalence and detectable difference rest on one estimate
(`estimates.py`), from the metric of each cell and what it is without each project. Metrics of sums by sample
have effects over samples too; metrics that are made of strata have their projects' sums alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.statistics import effects, significance
from analysis.statistics.crossed import Layout
from analysis.statistics.estimates import Claim, Estimate, estimate
from analysis.statistics.metrics import ByBin, Floats, Metric

EFFECT_RESAMPLES = 2000

Codes = npt.NDArray[np.int64]
Layouts = Callable[[Codes], Layout]
"""Which of these cells share seeds and draws."""

INVISIBLE = "invisible"
"""Why nothing is claimed of a model on rewritten text in which no token is another."""

EFFECTS = (
    *(
        "p_samples",
        "p_models",
        "p_models_how",
        "delta",
        "delta_low",
        "delta_high",
        "a12",
        "a12_low",
        "a12_high",
    ),
    *("delta_within", "delta_between", "share_worse", "by_samples"),
)
"""What only metrics of sums by sample have."""


def columns(count: str) -> list[str]:
    """The columns of a table of measured groups; `count` is the one that says how many units there are."""
    n = ["n_seeds", "n_draws", "n_samples", "n_projects", "n_effective", count]
    values = ["value", "reference", "difference", "low", "high", "covers", "why", "relative"]
    values += [
        "low_joint",
        "high_joint",
        "low_models",
        "high_models",
        "by_samples",
        "by_projects",
        "by_chance",
    ]
    tests = ["p", "p_holm", "p_fdr", "p_models", "p_models_how", "p_models_holm", "p_samples"]
    of_samples = [name for name in EFFECTS if name not in (*tests, *values)]
    certainty = ["standard_error", "df", "detectable", "detectable_holm", "margin", "p_equivalence"]
    certainty += ["standard_error_models", "df_models"]
    variance = [f"variance_{source}" for source in ("seed", "draw", "project", "residual")]
    return ["metric", *n, *values, *tests, *of_samples, *certainty, *variance]


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """n paired samples of one group of cells, as numbers: cell, project and sample are codes."""

    cell: Codes  # (n,)
    project: Codes  # (n,)
    sample: Codes  # (n,)
    sums: dict[str, Floats]  # (n,) each: nll_bits_a, nll_bits_b, …

    def of(self, rows: npt.NDArray[Any]) -> "Pairs":
        """Some of the rows."""
        sums = {name: values[rows] for name, values in self.sums.items()}
        return Pairs(cell=self.cell[rows], project=self.project[rows], sample=self.sample[rows], sums=sums)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is said of one group in one metric: a row of the table, and the parts that it is made of.

    `values`: of each cell and of what it is compared with. `by_project`: differences, means over the cells.
    """

    row: dict[str, Any]
    found: Estimate
    cells: Codes  # (C,) codes, or places
    values: Floats  # (C, 2)
    projects: Codes  # (P,) codes, or places
    by_project: Floats  # (P,)


def measure(
    pairs: Pairs,
    metric: Metric,
    count: str,
    layouts: Layouts,
    *,
    margin: float | None,
    resamples: int,
    seed: int,
    level: float,
) -> Measured | None:
    """One metric of one group by its samples; None where no sample has a unit of the scope, or the sums."""
    names = [f"{name}_{side}" for side in "ab" for name in metric.sums]
    parts = np.column_stack([*(pairs.sums[name] for name in names), pairs.sums[f"{count}_b"]])  # (n, K + 1)
    by_sample = _values(metric, parts[:, :-1])  # (n, 2)
    there = np.isfinite(by_sample[:, 0]) & np.isfinite(by_sample[:, 1])
    if not there.any():
        return None
    rows = pairs
    if not there.all():
        rows, parts, by_sample = pairs.of(there), parts[there], by_sample[there]
    cells, cell = np.unique(rows.cell, return_inverse=True)
    projects, project = np.unique(rows.project, return_inverse=True)
    sums = _summed(project * len(cells) + cell, parts, len(projects), len(cells))  # (P, C, K + 1)
    values, by_project = _values(metric, sums.sum(axis=0)[:, :-1]), _gaps(_values(metric, sums[..., :-1]))
    without = _gaps(_values(metric, (sums.sum(axis=0) - sums)[..., :-1]))  # (P, C)
    units = sums[..., -1].sum(axis=1) / len(cells)  # (P,)
    found = estimate(_gaps(values), without, layouts(cells), units, level)
    a, b, of = _by_sample(rows.sample, project, by_sample)
    n = {"n_samples": len(a), count: round(units.sum())}
    row = _row(metric, values, by_project, found, layouts(cells), margin)
    tests = _effects(a, b, of, metric, resamples=resamples, seed=seed, level=level)
    return Measured(
        row=row | n | tests,
        found=found,
        cells=cells,
        values=values,
        projects=projects,
        by_project=_means(by_project),
    )


def measure_strata(
    sums: Mapping[str, Floats],
    metric: Metric,
    count: str,
    layout: Layout,
    *,
    n_samples: int,
    margin: float | None,
    level: float,
) -> Measured | None:
    """One metric of one group by its strata, (P, C, 2, B) each; None where no project has a unit."""
    projects = np.flatnonzero(sums[count].sum(axis=(1, 2, 3)) > 0)
    sums = {name: values[projects] for name, values in sums.items()}
    whole = {name: sums[name].sum(axis=0) for name in metric.sums}
    values = metric.of(whole)  # (C, 2)
    if not np.isfinite(values).all():
        return None
    units = sums[count][:, :, 1].sum(axis=(1, 2)) / len(values)  # (P,)
    found = estimate(_gaps(values), _gaps(metric.without_each(sums)), layout, units, level)
    by_project = _gaps(metric.of(sums))  # (P, C)
    n = {"n_samples": n_samples, count: round(units.sum())}
    chance = float(metric.form.by_chance(whole)[:, 1].mean()) if isinstance(metric.form, ByBin) else np.nan
    tests = dict.fromkeys(EFFECTS, np.nan) | {"p_models_how": "", "by_chance": chance}
    return Measured(
        row=_row(metric, values, by_project, found, layout, margin) | n | tests,
        found=found,
        cells=np.arange(len(values)),
        values=values,
        projects=projects,
        by_project=_means(by_project),
    )


def of_invisible(measured: Measured, *, same_model: bool) -> Measured:
    """The same where no token of the rewritten text is another: no equivalence is claimed of it.

    same_model: both sides are one model, so that the difference is zero by itself and says nothing at all.
    """
    unsaid = ["p_equivalence"]
    found = measured.found
    if same_model:
        nothing = Claim(why=INVISIBLE)
        found = replace(found, everything=nothing, models=nothing)
        unsaid += ["low", "high", "low_models", "high_models", "p", "p_models", "p_samples", "detectable"]
        unsaid += ["standard_error", "standard_error_models", "df", "df_models"]
    row = measured.row | dict.fromkeys(unsaid, np.nan)
    if same_model:
        row |= {"covers": "", "why": INVISIBLE, "p_models_how": ""}
    return replace(measured, row=row, found=found)


def _means(by_project: Floats) -> Floats:
    """(P, C) → (P,): means over the cells in which a project has units."""
    there = np.isfinite(by_project)
    means: Floats = np.where(there, by_project, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return np.where(there.any(axis=1), means, np.nan)


def _values(metric: Metric, parts: Floats) -> Floats:
    """(…, K) sums of side a, then of side b → (…, 2) values."""
    sides = parts.reshape(*parts.shape[:-1], 2, -1)
    return metric.of({name: sides[..., i] for i, name in enumerate(metric.sums)})


def _gaps(values: Floats) -> Floats:
    """(…, 2) → (…): side a − side b."""
    gaps: Floats = values[..., 0] - values[..., 1]
    return gaps


def _summed(place: Codes, parts: Floats, projects: int, cells: int) -> Floats:
    """(n, K) parts → (P, S, K) sums."""
    size = projects * cells
    columns = [np.bincount(place, weights=column, minlength=size) for column in parts.T]
    sums: Floats = np.stack(columns, axis=-1).astype(np.float64).reshape(projects, cells, -1)
    return sums


def _row(
    metric: Metric,
    values: Floats,
    by_project: Floats,
    found: Estimate,
    layout: Layout,
    margin: float | None,
) -> dict[str, Any]:
    """What is said alike of every form of metric. values (C, 2), by_project (P, C)."""
    value, reference = values[:, 0].mean(), values[:, 1].mean()
    claim, models = found.everything, found.models
    tested = claim.error if margin is not None else np.nan
    return {
        "metric": metric.name,
        "n_seeds": layout.seeds,
        "n_draws": layout.draws,
        "n_projects": len(by_project),
        "n_effective": found.effective,
        "value": value,
        "reference": reference,
        "difference": found.mean,
        "low": claim.low,
        "high": claim.high,
        "covers": claim.covers,
        "why": claim.why,
        "relative": found.mean / reference if reference else np.nan,
        "low_models": models.low,
        "high_models": models.high,
        "by_projects": float(np.nanmean(_means(by_project))),
        "by_chance": np.nan,
        "p": claim.p,
        "standard_error": claim.error,
        "df": claim.df,
        "detectable": float(significance.minimum_detectable_effect(claim.error, claim.df)),
        "margin": np.nan if margin is None else margin,
        "p_equivalence": significance.tost(found.mean, tested, margin or np.inf, claim.df),
        "standard_error_models": models.error,
        "df_models": models.df,
        **{f"variance_{source}": share for source, share in found.shares.items()},
    }


def _by_sample(sample: Codes, project: Codes, values: Floats) -> tuple[Floats, Floats, Codes]:
    """Both sides' values (n, 2) as means over the cells by sample, and each sample's project: (N,), (N,),
    (N,)."""
    _, first, codes = np.unique(sample, return_index=True, return_inverse=True)
    n = np.bincount(codes)
    a, b = (np.bincount(codes, weights=side) / n for side in values.T)
    return a, b, project[first]


def _effects(
    a: Floats, b: Floats, project: Codes, metric: Metric, *, resamples: int, seed: int, level: float
) -> dict[str, Any]:
    dominance = effects.cliffs_delta_interval(
        a, b, project, resamples=min(resamples, EFFECT_RESAMPLES), seed=seed, level=level
    )
    bounds, paired = dominance.interval, effects.paired_dominance(a, b)
    worse = {True: a < b, False: a > b, None: np.full(len(a), np.nan)}[metric.higher_is_better]
    flipped = significance.wilcoxon_clustered(a - b, project)
    return {
        "p_samples": significance.wilcoxon(a - b),
        "p_models": flipped.p,
        "p_models_how": flipped.how,
        "delta": dominance.delta,
        "delta_low": bounds.low,
        "delta_high": bounds.high,
        "a12": (dominance.delta + 1) / 2,
        "a12_low": (bounds.low + 1) / 2,
        "a12_high": (bounds.high + 1) / 2,
        "delta_within": paired.within,
        "delta_between": paired.between,
        "share_worse": float(np.mean(worse)),
        "by_samples": float(np.mean(a - b)),
    }
