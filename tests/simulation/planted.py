"""A results folder of a grid whose models lose just where it is planted, made of artifacts as scorings leave
them.

    original   a = b + c        `parens`   a = ( b + c )      3 bits more at b and ⏎, behind what was inserted
                                `rename`   z = b + c          5 bits more at the first z, 1 at later ones
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.results import FORMAT
from grid.cells.expansion import Cell
from grid.plan.graph import Artifacts
from grid.plan.planner import CellSteps
from grid.results import scores
from grid.results.cell_status import CellStatus
from grid.store.finished import Store
from preprocessing.lexer.tokens import lex
from tasks import completion
from tasks.completion.scored_tokens import SCORED

LINES, PROJECTS, SAMPLES, SEEDS = 3, 6, 2, (1, 2)
BITS, INSERTED_BITS = 2.0, 4.0
BEHIND, AT_FIRST, LATER = 3.0, 5.0, 1.0
SETS = {
    #          line            change of each token, origin within the line
    "original": ("a = b + c\n", (0,) * 6, (0, 1, 2, 3, 4, 5)),
    "parens": ("a = (b + c)\n", (0, 0, 2, 0, 0, 0, 2, 0), (0, 1, -1, 2, 3, 4, -1, 5)),
    "rename": ("z = b + c\n", (1, 0, 0, 0, 0, 0), (0, 1, 2, 3, 4, 5)),
}
NAMES = [f"s{number}" for number in range(PROJECTS * SAMPLES)]
PROJECT = {name: f"p{number % PROJECTS}" for number, name in enumerate(NAMES)}
THROWN_OUT = NAMES[0]
"""By the size rule, from `parens` alone."""


def write(folder: Path, *, older: bool = False) -> Path:
    """Writes the folder and its store; `older`: scorings of the original don't know what was seen."""
    store, folder = Store(folder / "store"), folder / "results"
    folder.mkdir(parents=True)
    done, rows = [], []
    manifests: dict[str, Any] = {}
    for seed in SEEDS:
        tested = {"original": _scored(store, "original", seed, older)}
        baseline = f"b{seed}"
        for name in SETS:
            is_baseline = name == "original"
            variant = None if is_baseline else _variant(store, name, manifests)
            tests = tested if is_baseline else {**tested, "augmented": _scored(store, name, seed, False)}
            steps = CellSteps(
                corpus=_artifacts("corpus", "corpus"),
                tokenizer=_artifacts("tokenizer", "tokenizer"),
                variant=variant,
                tested=variant,
                naturalness=None,
                train=_artifacts("train", f"train{seed}"),
                tests=tests,
            )
            cell = Cell(baseline if is_baseline else f"{name}{seed}", (), (), is_baseline, baseline)
            done.append(CellStatus(cell, steps, "done", "", False))
            rows.append(_row(cell, None if is_baseline else name, seed))
    scores.write(done, store, folder, completion, manifests)
    pd.DataFrame(rows).to_parquet(folder / "cells.parquet", index=False)
    (folder / "run.json").write_text(
        json.dumps({"format": FORMAT, "name": "planted", "task": completion.DESCRIPTION.plain()}), "utf-8"
    )
    return folder


def _artifacts(kind: str, name: str) -> Artifacts:
    return Artifacts(kind, (name,), name)


def _variant(store: Store, name: str, manifests: dict[str, Any]) -> Artifacts:
    key = f"variant-{name}"
    path = store.path("variant", key)
    if not path.exists():
        path.mkdir(parents=True)
        gone = {THROWN_OUT} if name == "parens" else set()
        text = SETS[name][0] * LINES
        table = pa.table(
            {
                "sample": NAMES,
                "split": ["test"] * len(NAMES),
                "text": pa.array([None if sample in gone else text for sample in NAMES], pa.string()),
                "outcome": ["thrown_out" if sample in gone else "rewritten" for sample in NAMES],
            }
        )
        pq.write_table(table, path / "shard.parquet")
        manifests[key] = {"document": {"parameters": {"tokens": {"comments": "drop"}}}}
    return _artifacts("variant", key)


def _scored(store: Store, name: str, seed: int, older: bool) -> Artifacts:
    key = f"{name}-{seed}"
    folder = store.path("evaluate", key)
    folder.mkdir(parents=True)
    samples = [sample for sample in NAMES if (name, sample) != ("parens", THROWN_OUT)]
    table = pa.concat_tables(_tokens(name, sample, seed) for sample in samples).unify_dictionaries()
    pq.write_table(table.drop_columns(["n_seen"]) if older else table, folder / SCORED.file)
    pq.write_table(SCORED.summed(table, PROJECT, SCORED.sums), folder / "samples.parquet")
    return _artifacts("evaluate", key)


def _tokens(name: str, sample: str, seed: int) -> pa.Table:
    line, of_line, origins = SETS[name]
    cut = lex(line * LINES)
    change, number = np.tile(of_line, LINES), np.repeat(np.arange(LINES), len(of_line))
    assert len(cut) == len(change)
    origin = np.where(change == 2, -1, np.tile(origins, LINES) + 6 * number)
    bits = np.where(change == 2, INSERTED_BITS, BITS + 0.1 * seed)
    bits = bits + np.where((np.roll(change, 1) == 2) & (change != 2), BEHIND, 0.0)
    bits = bits + np.where(change == 1, np.where(number == 0, AT_FIRST, LATER), 0.0)
    n = len(cut)
    columns = {
        "sample": pa.array([sample] * n).dictionary_encode(),
        "token": pa.array(np.arange(n), pa.int32()),
        "kind": pa.array(cut.kinds, pa.uint8()),
        "origin": pa.array(origin, pa.int32()),
        "change": pa.array(change, pa.uint8()),
        "nll_bits": pa.array(bits, pa.float32()),
        "rank": pa.array(np.where(bits > 3, 2, 1), pa.uint8()),
        "n_subwords": pa.array([1] * n, pa.int32()),
        "n_bytes": pa.array(np.where(change == 1, 2, 1), pa.int32()),
        "best_bits": pa.nulls(n, pa.float32()),
        "f1_shared": pa.nulls(n, pa.uint16()),
        "f1_both": pa.nulls(n, pa.uint16()),
        "n_seen": pa.array(np.cumsum(change != 2) - (change != 2), pa.int32()),
    }
    return pa.table(columns)


def _row(cell: Cell, rewrites: str | None, seed: int) -> Mapping[str, Any]:
    baseline = rewrites is None
    return {
        "cell": cell.id,
        "rewrites": rewrites,
        "intensity": None if baseline else "1",
        "intensity_value": np.nan if baseline else 1.0,
        "intensity_unit": None if baseline else "rate",
        "train_on": "original",
        "model": "planted",
        "seed": seed,
        "baseline": baseline,
        "baseline_cell": cell.baseline_id,
        "status": "done",
        "error": "",
        "train_key": f"train{seed}",
        "wall_s": 1.0,
    }
