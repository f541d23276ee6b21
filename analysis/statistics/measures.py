"""One group of paired cells, measured: differences with intervals, effect sizes, tests and their power.

Metrics of sums by sample have a cluster bootstrap and effects over samples. Metrics that are made of strata
have their projects' sums alone: the jackknife gives interval and test, and there are no effects over samples.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.statistics import effects, jackknife, significance
from analysis.statistics.bootstrap import Interval, bootstrap
from analysis.statistics.metrics import Floats, Metric

EFFECT_RESAMPLES = 2000
MARGIN = 0.05
"""The margin of equivalence, as a share of the reference: smaller differences are called robust."""

Codes = npt.NDArray[np.int64]

EFFECTS = ("p", "p_samples", "delta", "delta_low", "delta_high", "a12", "a12_low", "a12_high", "share_worse")


def columns(count: str) -> list[str]:
    """The columns of a table of measured groups; `count` is the one that says how many units there are."""
    n = ["n_seeds", "n_samples", "n_projects", count]
    values = ["value", "reference", "difference", "low", "high", "interval", "relative"]
    tests = ["p", "p_samples", "p_holm", "p_fdr", *EFFECTS[2:]]
    certainty = ["standard_error", "detectable", "margin", "p_equivalence"]
    variance = ["variance_seed", "variance_project", "variance_residual"]
    return ["metric", *n, *values, *tests, *certainty, *variance]


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
    cells: Codes  # (S,) codes, or places
    values: Floats  # (S, 2)
    projects: Codes  # (P,) codes, or places
    by_project: Floats  # (P,)


def measure(
    pairs: Pairs, metric: Metric, count: str, *, resamples: int, seed: int, level: float
) -> Measured | None:
    """One metric of one group by its samples; None where no sample has a unit of the scope, or the sums."""
    names = [f"{name}_{side}" for side in "ab" for name in metric.sums]
    parts = np.column_stack([pairs.sums[name] for name in names])  # (n, K)
    by_sample = _values(metric, parts)  # (n, 2)
    there = np.isfinite(by_sample[:, 0]) & np.isfinite(by_sample[:, 1])
    if not there.any():
        return None
    rows = pairs
    if not there.all():
        rows, parts, by_sample = pairs.of(there), parts[there], by_sample[there]
    cells, cell = np.unique(rows.cell, return_inverse=True)
    projects, project = np.unique(rows.project, return_inverse=True)
    sums = _summed(project * len(cells) + cell, parts, len(projects), len(cells))  # (P, S, K)

    def differences(totals: Floats) -> Floats:
        """(N, S·K) → (N, 1): the mean over cells of the metric's difference."""
        gaps = _gaps(_values(metric, totals.reshape(len(totals), len(cells), -1)))
        means: Floats = gaps.mean(axis=1, keepdims=True)
        return means

    flat = sums.reshape(len(sums), -1)
    (estimate,), (interval,) = bootstrap(flat, differences, resamples=resamples, seed=seed, level=level)
    a, b, of = _by_sample(rows.sample, project, by_sample)
    n = {"n_samples": len(a), count: round(rows.sums[f"{count}_b"].sum() / len(cells))}
    values, by_project = _values(metric, sums.sum(axis=0)), _gaps(_values(metric, sums)).T
    row = _row(metric, values, by_project, estimate, interval, differences(flat.sum(axis=0) - flat)[:, 0])
    tests = _effects(a, b, of, metric, resamples=resamples, seed=seed, level=level)
    return Measured(
        row=row | n | tests,
        cells=cells,
        values=values,
        projects=projects,
        by_project=np.nanmean(by_project, axis=0),
    )


def measure_strata(
    sums: Mapping[str, Floats], metric: Metric, count: str, *, n_samples: int, level: float
) -> Measured | None:
    """One metric of one group by its strata, (P, S, 2, B) each; None where no project has a unit.

    Interval and p: the jackknife over projects, t with P − 1 degrees of freedom.
    """
    projects = np.flatnonzero(sums[count].sum(axis=(1, 2, 3)) > 0)
    sums = {name: values[projects] for name, values in sums.items()}
    values = metric.of({name: sums[name].sum(axis=0) for name in metric.sums})  # (S, 2)
    if not np.isfinite(values).all():
        return None
    estimate = float(_gaps(values).mean())
    without = _gaps(jackknife.leave_one_out(metric, sums)).mean(axis=1)  # (P,)
    by_project = _gaps(metric.of(sums)).T
    interval = jackknife.interval(estimate, without, level)
    n = {"n_samples": n_samples, count: round(sums[count][:, :, 1].sum() / len(values))}
    tests = dict.fromkeys(EFFECTS, np.nan) | {"p": jackknife.p_value(estimate, without)}
    return Measured(
        row=_row(metric, values, by_project, estimate, interval, without) | n | tests,
        cells=np.arange(len(values)),
        values=values,
        projects=projects,
        by_project=np.nanmean(by_project, axis=0),
    )


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
    estimate: float,
    interval: Interval,
    leave_one_out: Floats,
) -> dict[str, Any]:
    """What is said alike of every form of metric. values (S, 2), by_project (S, P), leave_one_out (P,)."""
    value, reference = values[:, 0].mean(), values[:, 1].mean()
    return {
        "metric": metric.name,
        "n_seeds": len(values),
        "n_projects": len(leave_one_out),
        "value": value,
        "reference": reference,
        "difference": estimate,
        "low": interval.low,
        "high": interval.high,
        "interval": interval.method,
        "relative": estimate / reference if reference else np.nan,
        **_certainty(estimate, reference, leave_one_out, by_project),
    }


def _certainty(
    difference: float, reference: float, leave_one_out: Floats, by_project: Floats
) -> dict[str, float]:
    """Standard error, detectable difference, equivalence within the margin, where variance is from."""
    df, error = len(leave_one_out) - 1, jackknife.standard_error(leave_one_out)
    margin = MARGIN * abs(reference)
    complete = by_project[:, np.isfinite(by_project).all(axis=0)]
    shares = (np.nan, np.nan, np.nan)
    if min(complete.shape) > 1:
        shares = significance.variance_split(complete).shares
    return {
        "standard_error": error,
        "detectable": significance.minimum_detectable_effect(error, df),
        "margin": margin,
        "p_equivalence": significance.tost(difference, error, margin, df) if margin > 0 else np.nan,
        **dict(zip(("variance_seed", "variance_project", "variance_residual"), shares, strict=True)),
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
) -> dict[str, float]:
    dominance = effects.cliffs_delta_interval(
        a, b, project, resamples=min(resamples, EFFECT_RESAMPLES), seed=seed, level=level
    )
    bounds = dominance.interval
    worse = {True: a < b, False: a > b, None: np.full(len(a), np.nan)}[metric.higher_is_better]
    return {
        "p": significance.wilcoxon_clustered(a - b, project),
        "p_samples": significance.wilcoxon(a - b),
        "delta": dominance.delta,
        "delta_low": bounds.low,
        "delta_high": bounds.high,
        "a12": (dominance.delta + 1) / 2,
        "a12_low": (bounds.low + 1) / 2,
        "a12_high": (bounds.high + 1) / 2,
        "share_worse": float(np.mean(worse)),
    }
