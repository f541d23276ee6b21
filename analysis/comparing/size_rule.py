"""Does the result depend on the size rule? The same differences as if a stricter rule had been in force."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.comparing.pairing import pairs, scope_of
from analysis.results import BadResults, Results

LIMITS = (np.inf, 0.5, 0.25, 0.1, 0.05)


def sensitivity(
    results: Results, metric_name: str | None = None, *, limits: Sequence[float] = LIMITS
) -> pd.DataFrame:
    """Differences to the baseline on the samples that grew by no more than a limit, by group of cells.

    Of one metric, without a name the first that leads. `limit`: growth of the sample in tokens, as
    a share of the original (0.25: a quarter more); infinity is the rule that was in force. One row per group
    × limit with at least one sample: the axes, limit, n_samples (over all seeds), share_kept, difference
    (mean over seeds), shift (from the difference without a limit). What the grid's own rule threw out was not
    scored and is in none. Raises `BadResults` where nothing is comparable, for a metric that isn't made of
    sums by sample, or a task that scores no tokens.
    """
    one, scope, count = (
        results.metric(metric_name or results.task.leads[0]),
        scope_of(results, None),
        results.task.unit.count,
    )
    if one.by is not None or one.of_draws:
        raise BadResults(f"{one.name} is not made of sums by sample")
    if results.task.tokens is None:
        raise BadResults(f"growth is counted in tokens, and the task {results.task.name} scores none")
    grown = results.samples((scope, results.task.comparable[scope]))
    grown = grown[(grown["test"] == "augmented") & (grown["scope"] == scope)]
    paired = pairs(results, "baseline").merge(grown[["cell", "sample", count]], on=["cell", "sample"])
    if paired.empty:
        raise BadResults(f"{results.folder}: no rewritten cell and its baseline have scores")
    growth = paired[count] / paired[f"{count}_a"] - 1
    columns = [f"{name}_{side}" for side in "ab" for name in one.sums]
    frames = []
    for limit in limits:
        sums = paired[growth <= limit].groupby("cell")[columns].sum()
        n = paired[growth <= limit].groupby("cell").size()
        a, b = (one.of({name: sums[f"{name}_{side}"].to_numpy() for name in one.sums}) for side in "ab")
        frames.append(pd.DataFrame({"limit": limit, "n_samples": n, "difference": a - b}))
    cells = pd.concat(frames).reset_index().merge(results.cells[["cell", *results.groups]], on="cell")
    groups = cells.groupby([*results.groups, "limit"], dropna=False, sort=False)
    table = groups.agg(n_samples=("n_samples", "sum"), difference=("difference", "mean")).reset_index()
    whole = table[table["limit"] == max(limits)].set_index(list(results.groups))
    both = table.join(whole[["n_samples", "difference"]].add_suffix("_whole"), on=list(results.groups))
    table["share_kept"] = both["n_samples"] / both["n_samples_whole"]
    table["shift"] = both["difference"] - both["difference_whole"]
    return table.sort_values([*results.groups, "limit"], ascending=[True] * len(results.groups) + [False])
