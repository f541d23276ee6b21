"""Tokens that stayed as they were, and renamed ones, apart: a changed context against a changed target.

The new name of a renamed token can't be known at its first occurrence; what unchanged tokens lose is pure
robustness.
"""

from typing import Any

import pandas as pd

from analysis.comparing.token_by_token import Scan
from analysis.results import Results
from analysis.statistics.bootstrap import RESAMPLES, bootstrap
from analysis.statistics.metrics import Floats

SUMS = ["n_tokens", "bits_before", "bits_after"]


def by_renaming(results: Results, found: Scan, *, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Change of bits per token, rewritten − original text under the same model, means over seeds.

    One row per group of cells × tokens ("unchanged", "renamed"): the axes, n_tokens (per seed), n_projects,
    change, low and high (95 %, cluster bootstrap over projects) and how the interval was made.
    """
    rows = found.kinds.merge(results.cells[["cell", *results.groups]], on="cell")
    rows["tokens"] = rows["renamed"].map({False: "unchanged", True: "renamed"})
    keys = [*results.groups, "tokens"]
    records: list[dict[str, Any]] = []
    for key, group in rows.groupby(keys, dropna=False, sort=False):
        sums = group.groupby(["project", "cell"], sort=False)[SUMS].sum().unstack(fill_value=0)
        parts = sums.to_numpy(float).reshape(len(sums), len(SUMS), -1)  # (P, 3, seeds)
        (change,), (interval,) = bootstrap(parts.reshape(len(parts), -1), _change, resamples=resamples)
        bounds = {"low": interval.low, "high": interval.high, "interval": interval.method}
        n = {"n_tokens": round(parts[:, 0].sum(axis=0).mean()), "n_projects": len(parts)}
        records.append(dict(zip(keys, key, strict=True)) | n | {"change": change} | bounds)
    return pd.DataFrame(
        records, columns=[*keys, "n_tokens", "n_projects", "change", "low", "high", "interval"]
    )


def _change(sums: Floats) -> Floats:
    """(N, 3·seeds) sums → (N, 1): the mean over seeds of the change of bits per token."""
    tokens, before, after = sums.reshape(len(sums), len(SUMS), -1).transpose(1, 0, 2)
    means: Floats = ((after - before) / tokens).mean(axis=1, keepdims=True)
    return means
