"""A simulated folder as a grid with `test_on` would write it: every set is tested on others, too."""

from pathlib import Path

import pandas as pd


def cross_tested(folder: Path) -> Path:
    """Cells of a lower intensity become cells of the highest one that are tested on another set.

    From a folder of a simulation that throws nothing out: then all cells share their samples.
    """
    cells = pd.read_parquet(folder / "cells.parquet")
    sets = list(cells["rewrites"].dropna().unique())
    levels = sorted(cells["intensity_value"].dropna().unique(), reverse=True)
    step = cells["intensity_value"].map({level: number for number, level in enumerate(levels)})
    cells = cells[cells["baseline"] | (cells["train_on"] != "original") | (step == 0)]
    own = cells["rewrites"].map({name: number for number, name in enumerate(sets)})
    other = (own + step).map({n: sets[n % len(sets)] for n in range(len(sets) + len(levels))})
    cells = cells.assign(
        intensity=cells["intensity"].where(cells["baseline"], f"{levels[0]:g}"),
        intensity_value=cells["intensity_value"].where(cells["baseline"], levels[0]),
        test_on=other.where(step > 0, "same").where(~cells["baseline"], None),
    )
    for name in ("intensity", "intensity_value", "intensity_unit"):
        cells[f"test_{name}"] = cells[name]
    cells["test_rewrites"] = other.where(~cells["baseline"], None)
    cells.to_parquet(folder / "cells.parquet", index=False)
    return folder
