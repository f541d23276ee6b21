"""Where a change falls: the same paired difference on each of the scopes that a variant decides on.

    scope                 share of tokens   Δ bits   share of the change
    first tokens behind              0.49     1.71                  0.89
    tokens 5 to 10 behind            0.13     0.00                  0.00

Shares of the change are of what a sum over units changes; scopes that share the units out share it out, too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparing.pairing import pairs, scope_of
from analysis.results import Results
from analysis.statistics.descriptions import Scope
from analysis.statistics.estimates import estimate
from analysis.statistics.metrics import Floats, Metric, Ratio

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
    count = results.task.unit.count
    names = dict.fromkeys([*results.task.leads, *scope.also])
    metrics = [one for one in map(results.metric, names) if one.by is None and not one.of_draws]
    rows = pairs(results, "robustness", scope=scope.name, cells=cells)
    cell, found = pd.factorize(rows["cell"])
    project = pd.factorize(rows["project"])[0]
    shape = (len(found), int(project.max(initial=-1)) + 1)
    sums: dict[str, Floats] = {
        f"{name}_{side}": np.bincount(
            cell * shape[1] + project, rows[f"{name}_{side}"].to_numpy(float), shape[0] * shape[1]
        )
        .astype(np.float64)
        .reshape(shape)
        for name in dict.fromkeys([count, *(name for one in metrics for name in one.sums)])
        for side in "ab"
    }  # (C, P) each; not a number in all of a cell that lacks it
    axes: dict[Any, dict[Any, Any]] = results.cells.set_index("cell")[list(results.groups)].to_dict("index")
    group = np.zeros(len(found), dtype=np.int64)
    group[cell] = rows["group"].to_numpy()
    for number in dict.fromkeys(group.tolist()):
        own = np.flatnonzero(group == number)
        there = sums[f"{count}_a"][own].any(axis=0)
        of_group = {name: values[own][:, there].T for name, values in sums.items()}  # (P, C)
        for metric in metrics:
            one = _measured(results, of_group, found[own], metric)
            if one is not None:
                yield {**axes[found[own[0]]], "scope": scope.name, "metric": metric.name, **one}


def _measured(
    results: Results, sums: Mapping[str, Floats], cells: Any, metric: Metric
) -> dict[str, Any] | None:
    """A metric of sums (P, C), of the cells that have them; None if no cell does."""
    count = results.task.unit.count
    wanted = dict.fromkeys([count, *metric.sums])
    sides = [{name: sums[f"{name}_{side}"] for name in wanted} for side in "ab"]
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
