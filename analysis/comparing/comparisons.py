"""Paired differences of groups of cells as tidy tables, and their trends over intensity."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.comparing.paired_strata import paired_strata
from analysis.comparing.pairing import pairs, scope_of
from analysis.results import BadResults, Results
from analysis.statistics import measures, significance
from analysis.statistics.bootstrap import RESAMPLES
from analysis.statistics.measures import Measured, Pairs
from analysis.statistics.metrics import Metric


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Paired differences of every group of cells (the axes without the seed).

    `table`: one row per group × metric: the group's axes, n_seeds, n_samples, n_projects, how many units (per
    seed), value and reference (means over seeds), difference with low and high, how the interval was made,
    the relative difference, p (clustered signed-rank), p_samples (samples as independent),
    p_holm and p_fdr (Benjamini & Hochberg) over the rows of one metric, Cliff's δ and A₁₂ with interval,
    share_worse (of samples), standard_error (jackknife over projects), detectable (the smallest difference
    found with a power of 0.8), margin and p_equivalence (TOST), variance_seed, variance_project,
    variance_residual (shares of the variance of the differences per seed and project). Of a metric that is
    made of strata p is the jackknife's, and there is nothing by sample. `seeds`: one row per cell × metric:
    the axes, cell, value, reference, difference. `projects`: one row per group × metric × project: the axes,
    project, difference (mean over seeds).
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
    scope: str | None = None,
    metrics: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Comparison:
    """Paired differences of one kind (see `pairing`) in some metrics, by default those that lead, on one
    scope.

    A group's difference is the mean over its seeds of the metric's differences. The interval resamples
    projects, the same for all seeds; that of a metric which is made of strata is the projects' jackknife.
    Samples without a unit of the scope are left out. Raises `BadResults` for an unknown kind, scope or
    metric, for a metric that isn't compared, and where two sides don't hold the same units.
    """
    scope = scope_of(results, scope)
    names = results.task.leads if metrics is None else metrics
    chosen = [_comparable(results.metric(name)) for name in names]
    axes: dict[Any, dict[Any, Any]] = results.cells.set_index("cell")[list(results.axes)].to_dict("index")
    rows: list[dict[str, Any]] = []
    seeds: list[dict[Any, Any]] = []
    projects: list[dict[str, Any]] = []
    bootstrapped = partial(measures.measure, resamples=resamples, seed=seed, level=level)
    for found, cells, by_project in _measured(results, kind, scope, chosen, bootstrapped, level):
        head = {axis: axes[cells[0]][axis] for axis in results.groups}
        about = {"metric": found.row["metric"]}
        rows.append(head | found.row)
        for cell, (value, reference) in zip(cells, found.values, strict=True):
            values = {"value": value, "reference": reference, "difference": value - reference}
            seeds.append(axes[cell] | {"cell": cell} | about | values)
        projects += [head | about | {"project": name, "difference": d} for name, d in by_project]
    table = pd.DataFrame(rows, columns=[*results.groups, *measures.columns(results.task.unit.count)])
    for name in names:
        family = table["metric"] == name
        p = table.loc[family, "p"].to_numpy(float)
        table.loc[family, "p_holm"] = significance.holm(p)
        table.loc[family, "p_fdr"] = stats.false_discovery_control(p)
    of_seeds = [*results.axes, "cell", "metric", "value", "reference", "difference"]
    of_projects = [*results.groups, "metric", "project", "difference"]
    return Comparison(
        kind=kind,
        scope=scope,
        table=table,
        seeds=pd.DataFrame(seeds, columns=of_seeds),
        projects=pd.DataFrame(projects, columns=of_projects),
    )


def _comparable(metric: Metric) -> Metric:
    if metric.differences == "never" or metric.of_draws:
        raise BadResults(f"{metric.name} is a number of each cell alone; its differences are not told")
    return metric


def _measured(
    results: Results,
    kind: str,
    scope: str,
    metrics: Sequence[Metric],
    by_sample: Callable[[Pairs, Metric, str], Measured | None],
    level: float,
) -> Iterator[tuple[Measured, list[str], Iterator[tuple[str, float]]]]:
    """Each metric of each group that has it: what was measured, the cells' names, the differences by
    project."""
    count = results.task.unit.count
    strata = {
        one.name: paired_strata(results, kind, one, scope=scope) for one in metrics if one.by is not None
    }
    names, groups = _groups(pairs(results, kind, scope=scope), results)
    for number, group in groups.items():
        for metric in metrics:
            if metric.by is None:
                found = by_sample(group, metric, count)
                cells, projects = names["cell"], names["project"]
            elif number in strata[metric.name]:
                paired = strata[metric.name][number]
                n = len(np.unique(group.sample[group.sums[f"{count}_b"] > 0]))
                found = measures.measure_strata(paired.sums, metric, count, n_samples=n, level=level)
                cells, projects = pd.Index(paired.cells), pd.Index(paired.projects)
            else:
                continue
            if found is not None:
                by_project = zip(projects[found.projects], found.by_project, strict=True)
                yield found, list(cells[found.cells]), by_project


def _groups(paired: pd.DataFrame, results: Results) -> tuple[dict[str, pd.Index], dict[int, Pairs]]:
    """Paired samples cut into groups, by their numbers; names of cells and projects by code."""
    codes, names = {}, {}
    for column in ("cell", "project", "sample"):
        codes[column], names[column] = pd.factorize(paired[column])
    columns = (results.task.unit.count, *(one.name for one in results.task.sums))
    sums = {f"{name}_{side}": paired[f"{name}_{side}"].to_numpy(float) for side in "ab" for name in columns}
    whole = Pairs(cell=codes["cell"], project=codes["project"], sample=codes["sample"], sums=sums)
    group = paired["group"].to_numpy()
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    return names, {int(group[rows[0]]): whole.of(rows) for rows in np.split(order, cuts) if len(rows)}


def trends(results: Results, comparison: Comparison, metric_name: str) -> pd.DataFrame:
    """Page's L over the intensities of each rewrite: do the differences get worse with more rewriting?

    One row per rewrites × training mix × model (and further axes) with at least three intensities: the axes,
    intensities, n_projects, statistic, p (one-sided; of a rise, where neither direction is better), p_holm.
    Blocks are projects that have all intensities.
    """
    one = results.metric(metric_name)
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
        found = significance.page_trend(worse * wide[levels].to_numpy())
        records.append(
            dict(zip(axes, key, strict=True))
            | {"intensities": " ".join(map(str, levels)), "n_projects": found.blocks}
            | {"statistic": found.statistic, "p": found.p}
        )
    table = pd.DataFrame(records, columns=[*axes, "intensities", "n_projects", "statistic", "p"])
    return table.assign(p_holm=significance.holm(table["p"].to_numpy(float)))
