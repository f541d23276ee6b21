"""What became of each sample in a variant, and how variants grow: read from their shards before training."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

_COLUMNS = [
    "sample", "project", "path", "split", "outcome", "reason",
    "n_tokens_original", "n_tokens", "n_bytes_original", "n_bytes",
]  # fmt: skip


def survivors(shards: Sequence[Path]) -> pd.DataFrame:
    """One row for each sample of a variant: what happened, why, its sizes before and after, and
    `growth` in tokens.

    Sizes of what was thrown out are those that it would have had.
    """
    parts = [pq.read_table(shard, columns=_COLUMNS).to_pandas() for shard in shards]
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    table["growth"] = table["n_tokens"] / table["n_tokens_original"]
    return table


def sizes(table: pd.DataFrame) -> dict[str, float]:
    """A row of the table of sizes, one variant: shares of samples by outcome, growth of what was rewritten.

    `growth` is the ratio of all tokens, `growth_median` and `growth_p95` are over samples; growth
    counts samples that were rewritten, also if they were thrown out afterwards.
    """
    shares = table["outcome"].value_counts(normalize=True)
    grown = table[(table["outcome"] == "rewritten") | (table["outcome"] == "thrown_out")]
    return {
        "samples": len(table),
        **{
            name: float(shares.get(name, 0.0))
            for name in ("rewritten", "unchanged", "not_augmented", "thrown_out")
        },
        "growth": float(grown["n_tokens"].sum() / max(1, grown["n_tokens_original"].sum())),
        "growth_median": float(grown["growth"].median()),
        "growth_p95": float(grown["growth"].quantile(0.95)),
    }
