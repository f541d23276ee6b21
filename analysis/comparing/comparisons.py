"""Paired differences of groups of cells as tidy tables, and their trends over intensity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.comparing.pairing import metric, pairs
from analysis.results import Results
from analysis.statistics import measures, significance
from analysis.statistics.bootstrap import RESAMPLES


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
    names, all_pairs = measures.groups(pairs(results, kind, scope=scope))
    rows: list[dict[str, Any]] = []
    seeds: list[dict[Any, Any]] = []
    projects: list[dict[str, Any]] = []
    axes: dict[Any, dict[Any, Any]] = results.cells.set_index("cell")[list(results.axes)].to_dict("index")
    for group in all_pairs:
        head = {axis: axes[names["cell"][group.cell[0]]][axis] for axis in results.groups}
        for found in measures.measure(group, chosen, resamples=resamples, seed=seed, level=level):
            about = head | {"metric": found.row["metric"]}
            rows.append(head | found.row)
            for code, values in found.seeds:
                cell = names["cell"][code]
                difference = values["value"] - values["reference"]
                same = {"cell": cell, "metric": about["metric"], **values, "difference": difference}
                seeds.append(axes[cell] | same)
            each = dict(zip(names["project"][found.projects], found.by_project, strict=True))
            projects += [about | {"project": name, "difference": d} for name, d in each.items()]
    table = pd.DataFrame(rows, columns=[*results.groups, *measures.COLUMNS])
    for name in metrics:
        family = table["metric"] == name
        p = table.loc[family, "p"].to_numpy(float)
        table.loc[family, "p_holm"] = significance.holm(p)
        table.loc[family, "p_fdr"] = significance.benjamini_hochberg(p)
    columns = [*results.axes, "cell", "metric", "value", "reference", "difference"]
    by_project = [*results.groups, "metric", "project", "difference"]
    return Comparison(
        kind=kind,
        scope=scope,
        table=table,
        seeds=pd.DataFrame(seeds, columns=columns),
        projects=pd.DataFrame(projects, columns=by_project),
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
        found = significance.page_trend(worse * wide[levels].to_numpy())
        records.append(
            dict(zip(axes, key, strict=True))
            | {"intensities": " ".join(map(str, levels)), "n_projects": found.blocks}
            | {"statistic": found.statistic, "p": found.p}
        )
    table = pd.DataFrame(records, columns=[*axes, "intensities", "n_projects", "statistic", "p"])
    return table.assign(p_holm=significance.holm(table["p"].to_numpy(float)))
