"""Does the result depend on the size rule? The same differences as if a stricter rule had been in force."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.comparing.pairing import metric, pairs
from analysis.results import BadResults, Results

LIMITS = (np.inf, 0.5, 0.25, 0.1, 0.05)


def sensitivity(
    results: Results, metric_name: str = "entropy", *, limits: Sequence[float] = LIMITS
) -> pd.DataFrame:
    """Differences to the baseline on the samples that grew by no more than a limit, by group of cells.

    `limit`: growth of the sample's tokens, as a share of the original (0.25: a quarter more); infinity is
    the rule that was in force. One row per group × limit with at least one sample: the axes, limit,
    n_samples (over all seeds), share_kept, difference (mean over seeds), shift (from the difference without
    a limit). What the grid's own rule threw out was not scored and is in none. Raises `BadResults` where
    nothing is comparable.
    """
    one = metric(metric_name)
    grown = results.samples(("all", "aligned"))
    grown = grown[(grown["test"] == "augmented") & (grown["scope"] == "all")]
    paired = pairs(results, "baseline").merge(grown[["cell", "sample", "n_tokens"]], on=["cell", "sample"])
    if paired.empty:
        raise BadResults(f"{results.folder}: no rewritten cell and its baseline have scores")
    growth = paired["n_tokens"] / paired["n_tokens_a"] - 1
    columns = [f"{name}_{side}" for side in "ab" for name in (one.numerator, one.denominator)]
    frames = []
    for limit in limits:
        sums = paired[growth <= limit].groupby("cell")[columns].sum()
        n = paired[growth <= limit].groupby("cell").size()
        a, da, b, db = (sums[name] for name in columns)
        frames.append(pd.DataFrame({"limit": limit, "n_samples": n, "difference": a / da - b / db}))
    cells = pd.concat(frames).reset_index().merge(results.cells[["cell", *results.groups]], on="cell")
    groups = cells.groupby([*results.groups, "limit"], dropna=False, sort=False)
    table = groups.agg(n_samples=("n_samples", "sum"), difference=("difference", "mean")).reset_index()
    whole = table[table["limit"] == max(limits)].set_index(list(results.groups))
    both = table.join(whole[["n_samples", "difference"]].add_suffix("_whole"), on=list(results.groups))
    table["share_kept"] = both["n_samples"] / both["n_samples_whole"]
    table["shift"] = both["difference"] - both["difference_whole"]
    return table.sort_values([*results.groups, "limit"], ascending=[True] * len(results.groups) + [False])
