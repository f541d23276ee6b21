"""`augrid sizes`: how variants grow, what they lose and how natural they are, before anybody trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from grid.commands import steps_ahead
from grid.commands.cautions import cautions
from grid.plan.opening import Grid
from grid.plan.planner import CellSteps
from grid.steps import naturalness
from grid.store.finished import Store
from preprocessing.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

SECTIONS = ("corpus", "rewrites", "size", "tokens", "tokenizer")
CORE = ("rewrites", "intensity", "seed", "rewriting_seed")
MEASURED = ("inserted_bits", "renamed_bits", "replaced_bits", "original_bits", "auc", "auc_low", "auc_high")
IN_FILE = ("replaced_bits", "auc_low", "auc_high")  # and not on the screen


def show(grid: Grid, root: Path, console: Console, *, slots: int | None) -> int:
    """Make the variants that are missing, then print sizes.csv and save survivors.parquet. Exit code.

    Raises:
        BadInput: as a run of the grid.
    """
    found = list(steps_ahead.distinct(grid, "variant", SECTIONS, CORE))
    keys = {key for _, steps in found if steps.variant for key in steps.variant.keys}
    keys |= {steps.naturalness.name for _, steps in found if steps.naturalness}
    code = steps_ahead.finish(grid, root, keys, console, slots)
    if code:
        return code
    rows, survivors = measure(grid, root)
    folder = steps_ahead.folder(grid, root)
    try:
        rows.to_csv(folder / "sizes.csv", index=False)
        survivors.to_parquet(folder / "survivors.parquet", index=False)
    except OSError as error:
        raise BadInput(f"{folder}: can't be written: {error.strerror or error}") from None
    console.print(_table(rows))
    for line in cautions(grid, Store(root / "store")):
        console.print(f"caution: {line}", markup=False, highlight=False, soft_wrap=True)
    for name in ("sizes.csv", "survivors.parquet"):
        console.print(str(folder / name), markup=False, highlight=False)
    return 0


def measure(grid: Grid, root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row for each variant (shares by outcome, growth, naturalness), and one for each of its samples."""
    import pandas as pd

    from preprocessing import survivors

    store = Store(root / "store")
    rows, samples = [], []
    for axes, steps in steps_ahead.distinct(grid, "variant", SECTIONS, CORE):
        assert steps.variant is not None
        shards = [store.path("variant", key) / "shard.parquet" for key in steps.variant.keys]
        table = survivors.survivors(shards)
        rows.append({**axes, **survivors.sizes(table), **_naturalness(steps, store)})
        samples.append(table.assign(**axes)[[*axes, *table.columns]])
    return pd.DataFrame(rows), pd.concat(samples, ignore_index=True)


def _naturalness(steps: CellSteps, store: Store) -> dict[str, Any]:
    """Bits and AUC of a variant; nothing where it isn't measured."""
    if steps.naturalness is None:
        return {}
    found = json.loads((store.path("naturalness", steps.naturalness.name) / naturalness.FILE).read_bytes())
    return dict.fromkeys(MEASURED) if found is None else {name: found[name] for name in MEASURED}


def _table(rows: pd.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False)
    core = [name for name in CORE if name in rows.columns]
    names = [*core, *(name for name in rows.columns if name not in CORE and name not in IN_FILE)]
    for name in names:
        heading = name.removeprefix("growth_").replace("_", "\n")
        table.add_column(heading, justify="left" if name in CORE else "right", no_wrap=True)
    for row in rows[names].to_dict("records"):
        table.add_row(*(_text(str(name), value) for name, value in row.items()))
    return table


def _text(name: str, value: object) -> str:
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if name.endswith("_bits") or name.startswith("auc"):
        return "" if value != value else f"{value:.2f}"
    return f"{value:.2f}" if name.startswith("growth") else f"{value:.1%}"
