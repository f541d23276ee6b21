"""Paired differences of groups of cells, with intervals, effect sizes, tests and their power."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis import effects, statistics
from analysis.bootstrap import RESAMPLES, Floats, Interval, bootstrap
from analysis.pairing import Metric, metric, pairs
from analysis.results import Results

EFFECT_RESAMPLES = 2000
MARGIN = 0.05
"""The margin of equivalence, as a share of the reference: smaller differences are called robust."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Paired differences of every group of cells (the axes without the seed).

    `table`: one row per group × metric: the group's axes, n_seeds, n_samples, n_projects, n_tokens (per
    seed), value and reference (means over seeds), difference with low and high, how the interval was made,
    the relative difference, p (clustered signed-rank), p_samples (samples as independent),
    p_holm and p_fdr (Benjamini & Hochberg) over the rows of one metric, Cliff's δ and A₁₂ with interval,
    share_worse (of samples), standard_error (jackknife over projects), detectable (the smallest difference
    found with a power of 0.8), margin and p_equivalence (TOST), variance_seed, variance_project,
    variance_residual (shares of the variance of the differences per seed and project).
    `seeds`: one row per cell × metric: the axes, cell, value, reference, difference.
    `projects`: one row per group × metric × project: the axes, project, difference (mean over seeds).
    """

    kind: str
    scope: str
    table: pd.DataFrame
    seeds: pd.DataFrame
    projects: pd.DataFrame


def compare(
    results: Results,
    kind: str,
    *,
    scope: str = "all",
    metrics: Sequence[str] = ("entropy", "accuracy_1", "mrr_10"),
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Comparison:
    """Paired differences of one kind (see the module's head), on all tokens or on identifiers.

    A group's difference is the mean over its seeds of the differences of ratios; the interval resamples
    projects, the same for all seeds. Samples without a token of the scope are left out. Raises `BadResults`
    for an unknown kind, scope or metric, and where two sides don't hold the same tokens.
    """
    chosen = [metric(name) for name in metrics]
    paired = pairs(results, kind, scope=scope)
    rows: list[dict[str, Any]] = []
    seeds: list[dict[str, Any]] = []
    projects: list[pd.DataFrame] = []
    axes = results.cells.set_index("cell")[list(results.axes)]
    for _, group in paired.groupby("group", sort=True):
        cells = group["cell"].unique().tolist()
        head = axes.loc[cells[0], list(results.groups)].to_dict()
        for row in _measure(group, cells, chosen, resamples=resamples, seed=seed, level=level):
            by_seed, (names, by_project) = row.pop("by_seed"), row.pop("by_project")
            projects.append(
                pd.DataFrame(head | {"metric": row["metric"], "project": names, "difference": by_project})
            )
            rows.append(head | row)
            seeds += [axes.loc[cell].to_dict() | {"cell": cell} | values for cell, values in by_seed]
    table = pd.DataFrame(rows, columns=[*results.groups, *_COLUMNS])
    for name in metrics:
        family = table["metric"] == name
        p = table.loc[family, "p"].to_numpy(float)
        table.loc[family, "p_holm"] = statistics.holm(p)
        table.loc[family, "p_fdr"] = statistics.benjamini_hochberg(p)
    columns = [*results.axes, "cell", "metric", "value", "reference", "difference"]
    by_project = [*results.groups, "metric", "project", "difference"]
    return Comparison(
        kind=kind,
        scope=scope,
        table=table,
        seeds=pd.DataFrame(seeds, columns=columns),
        projects=pd.concat(projects, ignore_index=True) if projects else pd.DataFrame(columns=by_project),
    )


def trends(results: Results, comparison: Comparison, metric_name: str) -> pd.DataFrame:
    """Page's L over the intensities of each rewrite: do the differences get worse with more rewriting?

    One row per rewrites × training mix × model (and further axes) with at least three intensities: the axes,
    intensities, n_projects, statistic, p (one-sided), p_holm. Blocks are projects that have all intensities.
    """
    one = metric(metric_name)
    worse = -1 if one.higher_is_better else 1
    axes = [axis for axis in results.groups if axis != "intensity"]
    order = results.cells.drop_duplicates("intensity").set_index("intensity")["intensity_value"]
    rows = comparison.projects[comparison.projects["metric"] == one.name]
    records = []
    for key, group in rows.groupby(axes, dropna=False, sort=False):
        wide = group.pivot_table(index="project", columns="intensity", values="difference").dropna()
        levels = sorted(wide.columns, key=lambda level: float(order[level]))
        if len(levels) < 3 or len(wide) < 2:
            continue
        found = statistics.page_trend(worse * wide[levels].to_numpy())
        records.append(
            dict(zip(axes, key, strict=True))
            | {"intensities": " ".join(map(str, levels)), "n_projects": found.blocks}
            | {"statistic": found.statistic, "p": found.p}
        )
    table = pd.DataFrame(records, columns=[*axes, "intensities", "n_projects", "statistic", "p"])
    return table.assign(p_holm=statistics.holm(table["p"].to_numpy(float)))


_COLUMNS = [
    "metric",
    "n_seeds",
    "n_samples",
    "n_projects",
    "n_tokens",
    "value",
    "reference",
    "difference",
    "low",
    "high",
    "interval",
    "relative",
    "p",
    "p_samples",
    "p_holm",
    "p_fdr",
    "delta",
    "delta_low",
    "delta_high",
    "a12",
    "a12_low",
    "a12_high",
    "share_worse",
    "standard_error",
    "detectable",
    "margin",
    "p_equivalence",
    "variance_seed",
    "variance_project",
    "variance_residual",
]


def _measure(
    group: pd.DataFrame,
    cells: list[str],
    metrics: Sequence[Metric],
    *,
    resamples: int,
    seed: int,
    level: float,
) -> Iterable[dict[str, Any]]:
    for one in metrics:
        columns = [f"{one.numerator}_a", f"{one.denominator}_a", f"{one.numerator}_b", f"{one.denominator}_b"]
        rows = group[(group[columns[1]] > 0) & (group[columns[3]] > 0)]
        if rows.empty:
            continue
        parts = rows[columns].to_numpy(float)
        project, names = pd.factorize(rows["project"])
        cell = pd.Index(cells).get_indexer(pd.Index(rows["cell"].astype(str)))
        sums = np.zeros((project.max() + 1, len(cells), 4))
        np.add.at(sums, (project, cell), parts)
        present = [int(c) for c in np.unique(cell)]
        sums = sums[:, present]
        estimates, (difference,) = bootstrap(
            sums.reshape(len(sums), -1), _differences, resamples=resamples, seed=seed, level=level
        )
        totals = sums.sum(axis=0)  # (seeds, 4)
        leave_one_out = _differences((totals - sums).reshape(len(sums), -1))[:, 0]
        by_project = _by_project(sums)
        value, reference = totals[:, 0] / totals[:, 1], totals[:, 2] / totals[:, 3]
        by_sample = _by_sample(rows, parts)
        yield {
            "metric": one.name,
            "n_seeds": len(present),
            "n_samples": len(by_sample),
            "n_projects": len(sums),
            "n_tokens": round(rows["n_tokens_b"].sum() / len(present)),
            "value": value.mean(),
            "reference": reference.mean(),
            "difference": estimates[0],
            "low": difference.low,
            "high": difference.high,
            "interval": difference.method,
            "relative": estimates[0] / reference.mean(),
            **_effects(by_sample, one, resamples=resamples, seed=seed, level=level),
            **_certainty(estimates[0], reference.mean(), leave_one_out, by_project),
            "by_project": (names, np.nanmean(by_project, axis=0)),
            "by_seed": [
                (
                    cells[c],
                    {
                        "metric": one.name,
                        "value": value[i],
                        "reference": reference[i],
                        "difference": value[i] - reference[i],
                    },
                )
                for i, c in enumerate(present)
            ],
        }


def _by_project(sums: Floats) -> Floats:
    """(P, seeds, 4) sums → (seeds, P) differences, NaN where a project has no token."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (sums[..., 0] / sums[..., 1] - sums[..., 2] / sums[..., 3]).T


def _certainty(
    difference: float, reference: float, leave_one_out: Floats, by_project: Floats
) -> dict[str, float]:
    """Standard error, detectable difference, equivalence within the margin, where variance is from."""
    df = len(leave_one_out) - 1
    error = statistics.jackknife_error(leave_one_out) if df > 0 else np.nan
    margin = MARGIN * abs(reference)
    complete = by_project[:, np.isfinite(by_project).all(axis=0)]
    shares = (np.nan, np.nan, np.nan)
    if min(complete.shape) > 1:
        shares = statistics.variance_split(complete).shares
    return {
        "standard_error": error,
        "detectable": statistics.minimum_detectable_effect(error, df),
        "margin": margin,
        "p_equivalence": statistics.tost(difference, error, margin, df) if margin > 0 else np.nan,
        **dict(zip(("variance_seed", "variance_project", "variance_residual"), shares, strict=True)),
    }


def _differences(sums: Floats) -> Floats:
    """(N, seeds·4) sums → (N, 1): the mean over seeds of the difference of ratios."""
    parts = sums.reshape(len(sums), -1, 4)
    ratios = parts[..., 0] / parts[..., 1] - parts[..., 2] / parts[..., 3]
    means: Floats = ratios.mean(axis=1, keepdims=True)
    return means


def _by_sample(rows: pd.DataFrame, parts: Floats) -> pd.DataFrame:
    """One row per sample: project, and both sides' ratios as means over the seeds."""
    codes, samples = pd.factorize(rows["sample"])
    n = np.bincount(codes)
    return pd.DataFrame(
        {
            "project": rows["project"].to_numpy()[np.unique(codes, return_index=True)[1]],
            "a": np.bincount(codes, weights=parts[:, 0] / parts[:, 1]) / n,
            "b": np.bincount(codes, weights=parts[:, 2] / parts[:, 3]) / n,
        },
        index=pd.Index(samples, name="sample"),
    )


def _effects(
    by_sample: pd.DataFrame, one: Metric, *, resamples: int, seed: int, level: float
) -> dict[str, float]:
    a, b, project = by_sample["a"].to_numpy(), by_sample["b"].to_numpy(), by_sample["project"].to_numpy()
    dominance = effects.cliffs_delta_interval(
        a, b, project, resamples=min(resamples, EFFECT_RESAMPLES), seed=seed, level=level
    )
    bounds: Interval = dominance.interval
    return {
        "p": statistics.wilcoxon_clustered(a - b, project),
        "p_samples": statistics.wilcoxon(a - b),
        "delta": dominance.delta,
        "delta_low": bounds.low,
        "delta_high": bounds.high,
        "a12": (dominance.delta + 1) / 2,
        "a12_low": (bounds.low + 1) / 2,
        "a12_high": (bounds.high + 1) / 2,
        "share_worse": float(np.mean(a < b) if one.higher_is_better else np.mean(a > b)),
    }
