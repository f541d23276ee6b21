"""Flips: tokens right before and wrong after a rewrite, and the reverse, in the literature's measures."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.comparing.renamed_tokens import measured
from analysis.comparing.token_by_token import COUNTS, Scan, with_axes
from analysis.results import Results
from analysis.statistics import significance
from analysis.statistics.metrics import Difference, Metric

NET = Metric(
    name="net", label="", unit="", form=Difference(plus="lost", minus="gained", denominator="n_tokens")
)
_FLIPS = ["cell", "n_tokens", "n_projects", "accuracy_before", "accuracy_after", "lost", "gained"]
_FLIPS += ["robust_drop", "robust_relative", "consistency", "p", "how", "p_tokens"]


def flips(results: Results, found: Scan) -> pd.DataFrame:
    """One row per cell, over all aligned tokens, with tests that flips are as frequent in both directions.

    `lost`, `gained`: shares of tokens right before and wrong after, and the reverse (accuracy@1).
    `robust_drop`: (before − after)/before, ReCode's RD₁@1. `robust_relative`: lost + gained, ReCode's RR₁@1
    (Wang et al. 2023).
    `consistency`: 1 − lost − gained (Rabin et al. 2021, of being right: what was predicted instead is not
    kept).
    `p`: clustered McNemar test over projects of this model, exact while that is cheap (`how`); `p_tokens`:
    McNemar's exact test; `p_holm`: of `p`.
    """
    ranked = found.kinds[found.kinds["cell"].isin(found.ranked)]
    by_project = ranked.groupby(["cell", "project"], sort=False)[list(COUNTS)].sum()
    totals = by_project.groupby("cell", sort=False).sum().to_dict("index")
    flipped = by_project[["lost", "gained"]].to_numpy()
    records = []
    for cell, rows in by_project.groupby("cell", sort=False).indices.items():
        total = totals[cell]
        n, before, after = total["n_tokens"], total["right_before"], total["right_after"]
        lost, gained = flipped[rows].T
        clustered = significance.mcnemar_clustered(lost, gained)
        records.append(
            {
                "cell": cell,
                "n_tokens": int(n),
                "n_projects": len(rows),
                "accuracy_before": before / n,
                "accuracy_after": after / n,
                "lost": total["lost"] / n,
                "gained": total["gained"] / n,
                "robust_drop": (before - after) / before if before else np.nan,
                "robust_relative": (total["lost"] + total["gained"]) / n,
                "consistency": 1 - (total["lost"] + total["gained"]) / n,
                "p": clustered.p,
                "how": clustered.how,
                "p_tokens": significance.mcnemar(int(total["lost"]), int(total["gained"])),
            }
        )
    table = pd.DataFrame(records, columns=_FLIPS)
    return with_axes(table.assign(p_holm=significance.holm(table["p"].to_numpy(float))), results)


def flips_by(results: Results, found: Scan, column: str = "kind", *, highest: bool = False) -> pd.DataFrame:
    """One row per group of cells × value of a column of `Scan.kinds`, such as the kind of token.

    `highest`: of each set of rewrites at its highest intensity alone.
    The group's axes, the column, n_tokens (per cell), n_projects, lost and gained (shares of these tokens,
    means over cells), net (lost − gained, the fall of accuracy@1) with low and high (95 %, of everything that
    was drawn), covers, and why there is no interval.
    """
    ranked = found.kinds[found.kinds["cell"].isin(found.ranked)]
    cells = results.cells
    if highest:
        most = cells.groupby(["rewrites", "intensity_unit"])["intensity_value"].transform("max")
        cells = cells[cells["intensity_value"] == most]
    rows = ranked.merge(cells[["cell", *results.groups]], on="cell")
    keys = [*results.groups, column]
    records: list[dict[str, Any]] = []
    for key, group in rows.groupby(keys, dropna=False, sort=False):
        cell = pd.factorize(group["cell"])[0]
        n, *both = (np.bincount(cell, group[name].to_numpy(float)) for name in ("n_tokens", "lost", "gained"))
        shares = {name: float((part / n).mean()) for name, part in zip(("lost", "gained"), both, strict=True)}
        head = dict(zip(keys, key, strict=True))
        records.append(head | shares | measured(results, group, NET, "net"))
    columns = [*keys, "n_tokens", "n_projects", "lost", "gained", "net", "low", "high", "covers", "why"]
    return pd.DataFrame(records, columns=columns)
