"""All metrics of all cells as one tidy table."""

from __future__ import annotations

from pathlib import Path

from grid.errors import BadInput


def export(folder: Path, out: Path) -> int:
    """Join cells.parquet and metrics.parquet of a results folder into `out`; returns the number of rows.

    Raises:
        BadInput: neither .parquet nor .csv, or a place that can't be written.
    """
    import pandas as pd

    if out.suffix not in (".parquet", ".csv"):
        raise BadInput(f"{out}: must end in .parquet or .csv")
    cells = pd.read_parquet(folder / "cells.parquet").drop(columns=["error", "train_key", "wall_s"])
    table = cells.merge(pd.read_parquet(folder / "metrics.parquet"), on="cell", how="inner")
    try:
        if out.suffix == ".csv":
            table.to_csv(out, index=False)
        else:
            table.to_parquet(out, index=False)
    except OSError as error:
        raise BadInput(f"{out}: can't be written: {error.strerror or error}") from None
    return len(table)
