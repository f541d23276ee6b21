"""A results folder with known effects, as a grid would write it: for tests, benchmarks and planning."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from tests.simulation import tables, texts
from tests.simulation.scores import Simulation, Split, cell_id, scores

__all__ = ["Simulation", "write"]


def write(folder: Path, simulation: Simulation | None = None) -> Path:
    """Writes the folder; raises nothing but what the file system raises."""
    simulation = simulation or Simulation()
    (folder / "tokens").mkdir(parents=True)
    grid = list(_cells(simulation))
    cells = pd.DataFrame(grid)
    test = Split.draw(simulation)
    scored = []
    for cell in grid:
        for name, table in scores(cell, simulation, test):
            if simulation.with_tokens:
                pq.write_table(table, folder / "tokens" / f"{cell['cell']}-{name}.parquet")
            scored.append(tables.samples(cell, name, table, test, simulation))
    samples = pd.concat(scored, ignore_index=True)
    samples.to_parquet(folder / "samples.parquet", index=False)
    of_strata = tables.STRATA.empty_table()
    if simulation.with_best:
        of_strata = tables.strata(folder, grid, test, simulation)
    pq.write_table(of_strata, folder / "strata.parquet")
    rewritten = cells[~cells["baseline"]]
    frames = {
        "cells": cells,
        "metrics": tables.metrics(samples, of_strata.to_pandas()),
        "training": tables.training(cells),
        "scorings": pd.DataFrame(
            [
                {"cell": cell["cell"], "test": name, "searched": 40, "cut_off": 0, "best_cut_off": 0}
                for cell in grid
                for name in ("original", "augmented")
                if name == "original" or not cell["baseline"]
            ]
        ),
        "variants": pd.concat([tables.variants(cell, test) for cell in grid if not cell["baseline"]]),
        "refusals": pd.DataFrame(
            {"cell": rewritten["cell"], "rewrite": rewritten["rewrites"], "reason": "calls_locals", "n": 3}
        ),
        "sites": pd.DataFrame(
            {"cell": rewritten["cell"], "rewrite": rewritten["rewrites"], "n_applied": 90, "n_available": 120}
        ),
    }
    for name, table in frames.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    for name, shown in (("examples", texts.examples(grid)), ("jobs", texts.jobs(grid))):
        pq.write_table(shown, folder / f"{name}.parquet")
    (folder / "run.json").write_text(
        json.dumps(tables.run(folder.name, simulation, test), indent=1), encoding="utf-8"
    )
    return folder


def _cells(simulation: Simulation) -> Iterator[dict[str, Any]]:
    def cell(
        rewrites: str | None, intensity: float | None, train_on: str, model: str, seed: int
    ) -> dict[str, Any]:
        baseline = rewrites is None
        key = f"{model}:{seed}" + ("" if train_on == "original" else f":{rewrites}:{intensity}:{train_on}")
        return {
            "cell": cell_id(rewrites, intensity, train_on, model, seed),
            "rewrites": rewrites,
            "intensity": None if intensity is None else f"{intensity:g}",
            "intensity_value": np.nan if intensity is None else float(intensity),
            "intensity_unit": None if intensity is None else "rate",
            "train_on": train_on,
            "model": model,
            "seed": seed,
            "baseline": baseline,
            "baseline_cell": cell_id(None, None, "original", model, seed),
            "status": "done",
            "error": None,
            "train_key": hashlib.sha256(key.encode()).hexdigest()[:16],
            "wall_s": 30.0 + 10 * len(model) + seed,
        }

    for model in simulation.models:
        for seed in simulation.seeds:
            yield cell(None, None, "original", model, seed)
            for train_on in simulation.train_on:
                for rewrites in simulation.rewrites:
                    for intensity in simulation.intensities:
                        yield cell(rewrites, intensity, train_on, model, seed)
