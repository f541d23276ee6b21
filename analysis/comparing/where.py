"""Where a change falls: the same paired difference on each of the scopes that a variant decides on.

    scope                 share of tokens   Δ bits   share of the change
    first tokens behind              0.49     1.71                  0.89
    tokens 5 to 10 behind            0.13     0.00                  0.00

Shares of the change are of what a sum over units changes; scopes that share the units out share it out, too.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparing.pairing import pairs, scope_of
from analysis.results import Results
from analysis.statistics.descriptions import Scope
from analysis.statistics.estimates import estimate
from analysis.statistics.metrics import Metric, Ratio

SHARES = ("share_of_units", "share_of_change")
COLUMNS = (
    "scope",
    "metric",
    "n_units",
    "n_projects",
    SHARES[0],
    "reference",
    "value",
    "difference",
    "low",
    "high",
    "covers",
    "why",
    "low_models",
    "high_models",
    "relative",
    SHARES[1],
)


def where(results: Results) -> pd.DataFrame:
    """Rewritten − original text under the same model, by scope, at the highest intensity of each rewrite set.

    One row per group of cells × scope (all units, then those that a variant decides on) × metric (those that
    lead, and what a scope has `also`): the axes, n_units (per cell) and their share, reference (original) and
    value, difference with its 95 % interval and what that covers, or why there is none, the interval of these
    models, relative (to the reference: what is lost of what there was), and the share of the whole change; of
    a metric that isn't a mean over units there is no such share. Empty in a folder without such scopes.
    """
    task, whole = results.task, scope_of(results, None)
    scopes = [one for one in task.scopes if one.by_variant and one.rewritten is not None]
    rows: list[dict[str, Any]] = []
    cells = _chosen(results)
    for scope in [task.scope(whole), *scopes] if scopes and cells else ():
        rows += _by_group(results, scope, cells)
    table = pd.DataFrame(rows, columns=[*results.groups, *COLUMNS])
    if set(table["scope"]) <= {whole}:
        return table[:0]
    of_whole = table[table["scope"] == whole].set_index([*results.groups, "metric"])[[*SHARES]]
    shares = table[[*results.groups, "metric"]].merge(
        of_whole, left_on=[*results.groups, "metric"], right_index=True, how="left"
    )
    wholes = shares[[*SHARES]].to_numpy(float)
    table[[*SHARES]] = table[[*SHARES]].to_numpy(float) / np.where(wholes == 0, np.nan, wholes)
    return table


def _chosen(results: Results) -> list[str]:
    cells = results.done[~results.done["baseline"].astype(bool)]
    highest = cells.groupby("rewrites")["intensity_value"].transform("max")
    return sorted(cells.loc[cells["intensity_value"] == highest, "cell"])


def _by_group(results: Results, scope: Scope, cells: list[str]) -> Iterator[dict[str, Any]]:
    axes = results.cells.set_index("cell")[list(results.groups)]
    names = dict.fromkeys([*results.task.leads, *scope.also])
    metrics = [one for one in map(results.metric, names) if one.by is None and not one.of_draws]
    for _, rows in pairs(results, "robustness", scope=scope.name, cells=cells).groupby("group", sort=False):
        sums = (
            rows.drop(columns=["group", "sample"]).groupby(["project", "cell"], sort=False).sum(min_count=1)
        )
        head = axes.loc[rows["cell"].iloc[0]].to_dict()
        for metric in metrics:
            found = _measured(results, sums, metric)
            if found is not None:
                yield {**head, "scope": scope.name, "metric": metric.name, **found}


def _measured(results: Results, sums: pd.DataFrame, metric: Metric) -> dict[str, Any] | None:
    """A metric of sums by project and cell, of the cells that have them; None if no cell does."""
    count = results.task.unit.count
    wanted = [f"{name}_{side}" for side in "ab" for name in dict.fromkeys([count, *metric.sums])]
    lacking = sums[wanted].isna().any(axis=1)
    gone = lacking[lacking].index.get_level_values("cell")
    by_cell = sums.loc[~sums.index.get_level_values("cell").isin(gone), wanted].unstack(fill_value=0)
    if by_cell.empty:
        return None
    cells = by_cell[f"{count}_a"].columns
    sides = [
        {name: by_cell[f"{name}_{side}"].to_numpy(float) for name in (count, *metric.sums)} for side in "ab"
    ]
    values = [metric.of({name: one.sum(axis=0) for name, one in sums.items()}) for sums in sides]
    kept = np.isfinite(values[0]) & np.isfinite(values[1])
    if not kept.any():
        return None
    sides = [{name: one[:, kept] for name, one in sums.items()} for sums in sides]
    (value, reference), sizes = (of[kept] for of in values), sides[0][count].sum(axis=1)
    without = metric.without_each(sides[0]) - metric.without_each(sides[1])
    found = estimate(value - reference, without, results.layout(cells[kept]), sizes)
    change = np.nan
    if isinstance(metric.form, Ratio) and metric.form.denominator == count:
        change = float((sides[0][metric.form.numerator] - sides[1][metric.form.numerator]).sum())
    claim, models, before = found.everything, found.models, float(reference.mean())
    return {
        "n_units": round(float(sizes.sum()) / int(kept.sum())),
        "n_projects": int(np.count_nonzero(sizes)),
        SHARES[0]: float(sizes.sum()),
        "reference": before,
        "value": float(value.mean()),
        "difference": found.mean,
        "low": claim.low,
        "high": claim.high,
        "covers": claim.covers,
        "why": claim.why,
        "low_models": models.low,
        "high_models": models.high,
        "relative": found.mean / before if before else np.nan,
        SHARES[1]: change,
    }
