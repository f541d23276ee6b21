"""All metrics of all cells as one tidy table."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

import tasks
from analysis.statistics.descriptions import BadDescription, Description
from grid.commands import keeping, steps_ahead
from grid.plan.opening import Grid
from grid.plan.planner import CellSteps
from grid.results.folder import read_json
from grid.store.finished import Store
from preprocessing.errors import BadInput


def export(folder: Path, out: Path) -> int:
    """Join cells.parquet and metrics.parquet of a results folder into `out`; returns the number of rows.

    Each value has its `unit`, and in `higher_is_better` its direction, null where neither is better.

    Raises:
        BadInput: neither .parquet nor .csv, a place that can't be written, or a folder whose run.json can't
        be read.
    """
    import pandas as pd

    if out.suffix not in (".parquet", ".csv"):
        raise BadInput(f"{out}: must end in .parquet or .csv")
    cells = pd.read_parquet(folder / "cells.parquet").drop(columns=["error", "train_key", "wall_s"])
    table = cells.merge(pd.read_parquet(folder / "metrics.parquet"), on="cell", how="inner")
    metrics = _described(folder).by_name
    table["unit"] = table["metric"].map({name: one.unit for name, one in metrics.items()})
    direction = {name: one.higher_is_better for name, one in metrics.items()}
    table["higher_is_better"] = table["metric"].map(direction).astype("boolean")
    try:
        if out.suffix == ".csv":
            table.to_csv(out, index=False)
        else:
            table.to_parquet(out, index=False)
    except OSError as error:
        raise BadInput(f"{out}: can't be written: {error.strerror or error}") from None
    return len(table)


def _described(folder: Path) -> Description:
    """What the folder says of its metrics; a folder from before that has the default task."""
    told = (read_json(folder / "run.json") or {}).get("task")
    try:
        return tasks.lookup(tasks.DEFAULT).DESCRIPTION if told is None else Description.from_plain(told)
    except BadDescription as error:
        raise BadInput(f"{folder / 'run.json'}: what the task says of its results: {error}") from None


def data(grid: Grid, root: Path, out: Path, kind: str, cell: str | None, console: Console) -> int:
    """Write the corpus of a grid, or the variant of one cell, in a format of `preprocessing.exports`.

    What is missing of it is made. Returns the number of samples.

    Raises:
        BadInput: no such format or cell, several corpora, a folder that isn't empty or can't be written.
    """
    from preprocessing import exports
    from preprocessing.lexer.tokens import TokensConfig

    export = exports.lookup(kind)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out}: not an empty folder")
    steps = _behind(grid, cell)
    made_of = steps.corpus if steps.variant is None or cell is None else steps.variant
    if steps_ahead.finish(grid, root, set(made_of.keys), console):
        raise BadInput(f"{grid.spec.name}: the data could not be made; `augrid sizes` says more")
    store = Store(root / "store")
    folders = [store.path(made_of.kind, key) for key in dict.fromkeys(made_of.keys)]
    shards = [shard for folder in folders for shard in sorted(folder.glob("shard*.parquet"))]
    tokens = grid.plan.steps[steps.tokenizer.keys[0]].parameters["tokens"]
    try:
        out.mkdir(parents=True, exist_ok=True)
        export.write(shards, out, TokensConfig.model_validate(tokens))
    except OSError as error:
        raise BadInput(f"{out}: can't be written: {error.strerror or error}") from None
    return sum(1 for _ in exports.rows(shards))


def _behind(grid: Grid, cell: str | None) -> CellSteps:
    if cell is not None:
        return grid.plan.by_cell[keeping.find_cell(grid, cell)[0]]
    found = steps_ahead.distinct(grid, "corpus", ("corpus",))
    if len(found) > 1:
        raise BadInput(f"{grid.spec.name}: {len(found)} corpora; choose one by --cell (augrid plan --cells)")
    return found[0][1]
