"""Paired differences of groups of cells as tidy tables."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.comparing.paired_strata import paired_strata
from analysis.comparing.pairing import pairs, scope_of
from analysis.results import BadResults, Results
from analysis.statistics import measures, significance
from analysis.statistics.bootstrap import RESAMPLES
from analysis.statistics.crossed import Layout
from analysis.statistics.estimates import Estimate, bounds, joint_level
from analysis.statistics.measures import Measured, Pairs
from analysis.statistics.metrics import Floats, Metric


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Paired differences of every group of cells (the axes without the seed).

    `table`: one row per group × metric: the group's axes; n_seeds, n_draws (that are a source of their own),
    n_samples, n_projects, n_effective (Σn)²/Σn², and how many units (per cell); value and reference (means
    over cells), difference with low and high (95 %) of everything that was drawn, what that `covers`, and
    `why` there is none; low_joint and high_joint, which hold together for all rows of the metric;
    low_models and high_models, which hold the trained models fixed; the relative difference; by_samples and
    by_projects, means of the differences of samples and of projects; by_chance (see `ByBin.by_chance`); p
    (t of the difference, with the interval's error and df), p_holm and p_fdr (Benjamini & Hochberg) over the
    rows of one metric, p_models (clustered signed-rank, and how it was found) with p_models_holm, p_samples
    (samples as independent); Cliff's δ and A₁₂ with interval, its parts delta_within and delta_between,
    share_worse (of samples); standard_error, df, detectable (the smallest difference found with a power of
    0.8) and detectable_holm (as the strictest of the rows), margin and p_equivalence (TOST; NaN without a
    margin in the claims); variance_seed, variance_draw, variance_project, variance_residual (shares of the
    variance of the difference). Of a metric that is made of strata there is nothing by sample, and of a
    rewrite that is invisible to the models neither equivalence nor a claim of robustness. `seeds`: one
    row per cell × metric: the axes, cell, value, reference, difference. `projects`: one row per group ×
    metric × project: the axes, project, difference (mean over cells).
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

    A group's difference is the mean over its cells of the metric's differences. Samples without a unit of the
    scope are left out. `resamples`, `seed`: of the interval of δ alone. Raises `BadResults` for an unknown
    kind, scope or metric, for a metric that isn't compared, and where two sides don't hold the same units.
    """
    scope = scope_of(results, scope)
    names = results.task.leads if metrics is None else metrics
    chosen = [_comparable(results.metric(name)) for name in names]
    axes: dict[Any, dict[Any, Any]] = results.cells.set_index("cell")[list(results.axes)].to_dict("index")
    rows: list[dict[str, Any]] = []
    seeds: list[dict[Any, Any]] = []
    projects: list[dict[str, Any]] = []
    found_by_metric: dict[str, list[tuple[Estimate, list[str], list[str]]]] = {name: [] for name in names}
    by_sample = partial(measures.measure, resamples=resamples, seed=seed, level=level)
    unseen = set(results.done.loc[results.done["invisible"].eq(True), "cell"])
    for one, cells, by_project in _measured(results, kind, scope, chosen, by_sample, level):
        found = one
        if kind != "clean" and unseen.issuperset(cells):
            found = measures.of_invisible(one, same_model=kind == "robustness")
        head = {axis: axes[cells[0]][axis] for axis in results.groups}
        about = {"metric": found.row["metric"]}
        rows.append(head | found.row)
        for cell, (value, reference) in zip(cells, found.values, strict=True):
            values = {"value": value, "reference": reference, "difference": value - reference}
            seeds.append(axes[cell] | {"cell": cell} | about | values)
        projects += [head | about | {"project": name, "difference": d} for name, d in by_project]
        who = [name for name, _ in by_project]
        found_by_metric[found.row["metric"]].append((found.found, who, cells))
    table = pd.DataFrame(rows, columns=[*results.groups, *measures.columns(results.task.unit.count)])
    for name in names:
        _adjust(table, table["metric"] == name, found_by_metric[name], results, level)
    of_seeds = [*results.axes, "cell", "metric", "value", "reference", "difference"]
    of_projects = [*results.groups, "metric", "project", "difference"]
    return Comparison(
        kind=kind,
        scope=scope,
        table=table,
        seeds=pd.DataFrame(seeds, columns=of_seeds),
        projects=pd.DataFrame(projects, columns=of_projects),
    )


def _adjust(
    table: pd.DataFrame,
    family: "pd.Series[bool]",
    found: Sequence[tuple[Estimate, list[str], list[str]]],
    results: Results,
    level: float,
) -> None:
    """What depends on the other rows of a metric; `found`: of each row its projects and cells too."""
    rows = table[family]
    p = rows["p"].to_numpy(float)
    table.loc[family, "p_holm"] = significance.holm(p)
    table.loc[family, "p_fdr"] = significance.false_discovery(p)
    table.loc[family, "p_models_holm"] = significance.holm(rows["p_models"].to_numpy(float))
    error, df = rows["standard_error"].to_numpy(float), rows["df"].to_numpy(float)
    strictest = 0.05 / max(int(np.isfinite(p).sum()), 1)
    table.loc[family, "detectable_holm"] = significance.minimum_detectable_effect(error, df, alpha=strictest)
    claimed = [one for one in found if not one[0].everything.why]
    projects = _by_name([(one.influence, who) for one, who, _ in claimed])
    seed_of = results.cells.set_index("cell")["seed"]
    of_seeds = []
    for one, _, cells in claimed:
        labels = seed_of.loc[cells].astype(str).to_numpy()
        of_seeds.append((one.seeds, list(np.unique(labels))))
    joint = joint_level(projects, _by_name(of_seeds), level)
    mean = rows["difference"].to_numpy(float)
    table.loc[family, "low_joint"], table.loc[family, "high_joint"] = bounds(mean, error, df, joint)


def _by_name(rows: Sequence[tuple[Floats, list[str]]]) -> Floats:
    """(M, names) of values that have names, 0 where a row lacks one."""
    names = pd.Index(dict.fromkeys(name for _, own in rows for name in own))
    table = np.zeros((len(rows), len(names)))
    for row, (values, own) in zip(table, rows, strict=True):
        row[names.get_indexer(pd.Index(own))] = values
    return table


def _comparable(metric: Metric) -> Metric:
    if metric.differences == "never" or metric.of_draws:
        raise BadResults(f"{metric.name} is a number of each cell alone; its differences are not told")
    return metric


def _measured(
    results: Results,
    kind: str,
    scope: str,
    metrics: Sequence[Metric],
    by_sample: Callable[..., Measured | None],
    level: float,
) -> Iterator[tuple[Measured, list[str], list[tuple[str, float]]]]:
    """Each metric of each group that has it: what was measured, the cells' names, the differences by
    project."""
    count = results.task.unit.count
    strata = {
        one.name: paired_strata(results, kind, one, scope=scope) for one in metrics if one.by is not None
    }
    names, groups = _groups(pairs(results, kind, scope=scope), results)
    for number, group in groups.items():
        layouts = _layouts(results, names["cell"])
        for metric in metrics:
            margin = results.margin(metric)
            if metric.by is None:
                found = by_sample(group, metric, count, layouts, margin=margin)
                cells, projects = names["cell"], names["project"]
            elif number in strata[metric.name]:
                paired = strata[metric.name][number]
                n = len(np.unique(group.sample[group.sums[f"{count}_b"] > 0]))
                layout = results.layout(paired.cells)
                found = measures.measure_strata(
                    paired.sums, metric, count, layout, n_samples=n, margin=margin, level=level
                )
                cells, projects = pd.Index(paired.cells), pd.Index(paired.projects)
            else:
                continue
            if found is not None:
                by_project = list(zip(projects[found.projects], found.by_project, strict=True))
                yield found, list(cells[found.cells]), by_project


def _layouts(results: Results, names: pd.Index) -> Callable[[npt.NDArray[np.int64]], Layout]:
    """The layout of cells by their codes."""
    return lambda codes: results.layout(names[codes])


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
