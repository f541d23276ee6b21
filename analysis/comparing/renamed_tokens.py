"""Tokens that stayed as they were, and renamed ones, apart: a changed context against a changed target.

The new name of a renamed token can't be known at its first occurrence. At which one it stands, `where` tells.
"""

from typing import Any

import numpy as np
import pandas as pd

from analysis.comparing.token_by_token import Scan
from analysis.results import Results
from analysis.statistics.estimates import estimate
from analysis.statistics.metrics import Difference, Metric

CHANGE = Metric(
    name="change",
    label="",
    unit="",
    form=Difference(plus="bits_after", minus="bits_before", denominator="n_tokens"),
)


def by_renaming(results: Results, found: Scan) -> pd.DataFrame:
    """Change of bits per token, rewritten − original text under the same model, means over seeds.

    One row per group of cells × tokens ("unchanged", "renamed"): the axes, n_tokens (per cell), n_projects,
    change, low and high (95 %, of everything that was drawn), covers, and why there is no interval.
    """
    rows = found.kinds.merge(results.cells[["cell", *results.groups]], on="cell")
    rows["tokens"] = rows["renamed"].map({False: "unchanged", True: "renamed"})
    keys = [*results.groups, "tokens"]
    records: list[dict[str, Any]] = []
    for key, group in rows.groupby(keys, dropna=False, sort=False):
        head = dict(zip(keys, key, strict=True))
        records.append(head | measured(results, group, CHANGE, "change"))
    columns = [*keys, "n_tokens", "n_projects", "change", "low", "high", "covers", "why"]
    return pd.DataFrame(records, columns=columns)


def measured(results: Results, rows: pd.DataFrame, metric: Metric, name: str) -> dict[str, Any]:
    """A metric of counts by project and cell (columns of `Scan.kinds`), mean over cells with its interval."""
    wanted = list(dict.fromkeys(["n_tokens", *metric.sums]))
    project, projects = pd.factorize(rows["project"])
    cell, cells = pd.factorize(rows["cell"])
    place, shape = project * len(cells) + cell, (len(projects), len(cells))
    sums = {}  # (P, C) each
    for one in wanted:
        summed = np.bincount(place, rows[one].to_numpy(float), shape[0] * shape[1])
        sums[one] = summed.reshape(shape).astype(np.float64)
    theta = metric.of({one: values.sum(axis=0) for one, values in sums.items()})
    layout = results.layout(cells.tolist())
    found = estimate(theta, metric.without_each(sums), layout, sums["n_tokens"].sum(axis=1))
    claim = found.everything
    n = {"n_tokens": round(sums["n_tokens"].sum(axis=0).mean()), "n_projects": len(projects)}
    bounds = {"low": claim.low, "high": claim.high, "covers": claim.covers, "why": claim.why}
    return n | {name: found.mean} | bounds
