"""Artifacts become the tables of results/<name>/: what analysis reads, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grid.cells.axes import Value, tested_variant
from grid.plan.planner import Plan
from grid.results import examples, job_logs, scores
from grid.results.cell_status import CellStatus
from grid.results.folder import Folder
from grid.steps import naturalness
from grid.store.finished import Store

NOT_REWRITTEN = ("rewrites", "intensity", "intensity_value", "intensity_unit", "rewriting_seed", "test_on")
COST = ("train_steps", "train_original_tokens", "train_original_passes", "train_flops")
TESTED = (
    "test_rewrites",
    "test_intensity",
    "test_intensity_value",
    "test_intensity_unit",
    "test_rewriting_seed",
)
COUNTS = ("n_samples", "n_tokens_original", "n_tokens", "n_bytes_original", "n_bytes")
TRAINING = pa.schema(
    [("cell", pa.string()), ("step", pa.int64())]
    + [(name, pa.float64()) for name in ("seconds", "train_bits", "valid_bits", "learning_rate")]
)
VARIANTS = pa.schema(
    [(name, pa.string()) for name in ("cell", "split", "outcome", "reason")]
    + [(n, pa.int64()) for n in COUNTS]
)
REFUSALS = pa.schema([(n, pa.string()) for n in ("cell", "rewrite", "reason")] + [("n", pa.int64())])
SITES = pa.schema(
    [(n, pa.string()) for n in ("cell", "rewrite")] + [(n, pa.int64()) for n in ("n_applied", "n_available")]
)
SCORINGS = pa.schema(
    [(name, pa.string()) for name in ("cell", "test")]
    + [(name, pa.int64()) for name in ("searched", "cut_off", "best_cut_off")]
)
NATURALNESS = pa.schema(
    [("cell", pa.string())]
    + [(name, pa.int64()) for name in ("n_texts", "n_projects", "n_inserted", "n_renamed")]
    + [(f"{name}_bits", pa.float64()) for name in ("inserted", "renamed", "replaced", "original")]
    + [(name, pa.float64()) for name in ("auc", "auc_low", "auc_high")]
)


def write(
    folder: Path,
    store: Store,
    plan: Plan,
    found: Sequence[CellStatus],
    manifests: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write all tables into a temporary folder, then move each into `folder`.

    Cells that aren't done have a row in cells.parquet and nowhere else: missing is not zero.
    """
    new = folder / f".new-{os.getpid()}"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    done = [status for status in found if status.status == "done"]
    try:
        pq.write_table(_cells(plan, found, manifests, store), new / "cells.parquet")
        scores.write(done, store, new, plan.task, manifests)
        pq.write_table(_scorings(done, manifests), new / "scorings.parquet")
        _write_training(done, store, new / "training.parquet")
        _write_variants(done, store, new)
        _write_naturalness(done, store, new / "naturalness.parquet")
        if plan.task.DESCRIPTION.tokens is not None:
            _link_tokens(done, store, new, plan.task.UNITS.file)
            shown = examples.table(store, plan.cells.axes, done, manifests)
            pq.write_table(shown, new / "examples.parquet", compression="zstd")
        logs = job_logs.table(Folder(folder.parent, folder.name).logs, plan.steps, found, manifests)
        pq.write_table(logs, new / "jobs.parquet", compression="zstd")
        shutil.rmtree(folder / "tokens", ignore_errors=True)
        for file in sorted(new.iterdir()):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _cells(
    plan: Plan, found: Sequence[CellStatus], manifests: Mapping[str, Mapping[str, Any]], store: Store
) -> pa.Table:
    rows, axes = [], plan.cells.axes
    for status in found:
        cell, steps = status.cell, status.steps
        values = dict(zip(axes, cell.values, strict=True))
        unit, amount = next(iter(values["intensity"].plain.items()))
        own = [*steps.train.keys, *(key for test in steps.tests.values() for key in test.keys)]
        seed = values["seed"].plain
        draw = values["rewriting_seed"].plain if "rewriting_seed" in values else seed
        row: dict[str, Any] = {name: value.text for name, value in values.items()}
        row |= {"seed": seed, "rewriting_seed": draw}
        row |= {"intensity_value": float(amount), "intensity_unit": unit, **_tested(values)}
        if cell.baseline:  # nothing is rewritten, to no degree, by no draw
            row |= dict.fromkeys(NOT_REWRITTEN) | dict.fromkeys(TESTED)
        row |= {
            "cell": cell.id,
            "baseline": cell.baseline,
            "baseline_cell": cell.baseline_id,
            "status": status.status,
            "error": status.error,
            "train_key": steps.train.name,
            **_cost(manifests.get(steps.train.keys[0], {}).get("facts", {})),
            "invisible": _is_invisible(plan, status, store) if status.status == "done" else None,
            "wall_s": float(sum(manifests[key]["wall_s"] for key in own if key in manifests)),
        }
        rows.append(row)
    types = {
        "seed": pa.int64(),
        "rewriting_seed": pa.int64(),
        "test_rewriting_seed": pa.int64(),
        "test_intensity_value": pa.float64(),
        "intensity_value": pa.float64(),
        "wall_s": pa.float64(),
        "baseline": pa.bool_(),
        "invisible": pa.bool_(),
        **dict.fromkeys(COST, pa.float64()),
    }
    middle = (
        "intensity_value",
        "intensity_unit",
        *TESTED,
        "baseline",
        "baseline_cell",
        "status",
        "error",
        "train_key",
        "invisible",
        *COST,
    )
    written = [name for name in axes if name != "rewriting_seed"]
    after = written.index("seed") + 1
    names = ["cell", *written[:after], "rewriting_seed", *written[after:], *middle, "wall_s"]
    return pa.Table.from_pylist(rows, pa.schema([(name, types.get(name, pa.string())) for name in names]))


def _cost(facts: Mapping[str, Any]) -> dict[str, float | None]:
    """What a training took; null where that isn't known, as of trainings from before it was counted."""
    known = {name: facts.get(name.removeprefix("train_")) for name in COST}
    return {name: None if value is None else float(value) for name, value in known.items()}


def _is_invisible(plan: Plan, status: CellStatus, store: Store) -> bool | None:
    """Whether in a cell's rewritten test set no token is another than in the original; None without one.

    Of running text more than tokens is read (blanks, say): then the scores must be the same, too.
    """
    tests = status.steps.tests
    if "augmented" not in tests or plan.task.DESCRIPTION.tokens is None:
        return None
    files = {name: store.path("evaluate", test.name) / plan.task.UNITS.file for name, test in tests.items()}
    about = pq.read_metadata(files["augmented"])
    column = about.schema.names.index("change")
    groups = [about.row_group(number).column(column).statistics for number in range(about.num_row_groups)]
    if not all(group is not None and group.max == 0 for group in groups):
        return False
    tokenizer = plan.steps[status.steps.tokenizer.keys[0]].parameters["config"]["kind"]
    if tokenizer != "huggingface" or "original" not in files:
        return bool(tokenizer != "huggingface")
    bits = [pq.read_table(files[name], columns=["nll_bits"]) for name in ("augmented", "original")]
    return bool(bits[0].equals(bits[1]))


def _tested(values: Mapping[str, Value]) -> dict[str, Any]:
    """What a cell is tested on beside the original; nulls where that is nothing."""
    tested = tested_variant(values)
    if tested is None:
        return dict.fromkeys(TESTED)
    unit, amount = next(iter(tested["intensity"].plain.items()))
    found = (tested["rewrites"].text, tested["intensity"].text, float(amount), unit)
    return dict(zip(TESTED, (*found, tested["rewriting_seed"].plain), strict=True))


def _link_tokens(done: Sequence[CellStatus], store: Store, new: Path, units: str) -> None:
    (new / "tokens").mkdir()
    for status in done:
        for test, artifacts in status.steps.tests.items():
            file = store.path("evaluate", artifacts.name) / units
            _link(file, new / "tokens" / f"{status.cell.id}-{test}.parquet")


def _scorings(done: Sequence[CellStatus], manifests: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """How many searches for ranks a scoring cut off; no row for a task that searches for none."""
    rows = []
    for status in done:
        for test, artifacts in status.steps.tests.items():
            facts = manifests[artifacts.name].get("facts") or {}
            if "cut_off" in facts:
                counts = {name: facts.get(name, 0) for name in SCORINGS.names[2:]}
                rows.append({"cell": status.cell.id, "test": test, **counts})
    return pa.Table.from_pylist(rows, SCORINGS)


def _write_training(done: Sequence[CellStatus], store: Store, file: Path) -> None:
    with pq.ParquetWriter(file, TRAINING, compression="zstd") as writer:
        for status in done:
            curve = pq.read_table(store.path("train", status.steps.train.name) / "training.parquet")
            curve = curve.select(TRAINING.names[1:])
            writer.write_table(
                curve.add_column(0, "cell", pa.repeat(status.cell.id, len(curve))).cast(TRAINING)
            )


def _write_variants(done: Sequence[CellStatus], store: Store, new: Path) -> None:
    counted: dict[str, tuple[pa.Table, pa.Table, pa.Table]] = {}
    schemas = (("variants", VARIANTS), ("refusals", REFUSALS), ("sites", SITES))
    writers = [pq.ParquetWriter(new / f"{name}.parquet", schema) for name, schema in schemas]
    for status in done:
        variant, tested = status.steps.variant, status.steps.tested
        if variant is None:
            continue
        for one in (variant, tested):
            if one is not None and one.name not in counted:
                counted[one.name] = count_variant([store.path("variant", key) for key in one.keys])
        counts, *others = counted[variant.name]
        if tested is not variant:  # what was done to the test split, it is another variant's
            is_test = pc.equal(counts["split"], "test")
            own = [counts.filter(pc.invert(is_test))]
            if tested is not None:
                of_test = counted[tested.name][0]
                own.append(of_test.filter(pc.equal(of_test["split"], "test")))
            counts = pa.concat_tables(own)
        for writer, table in zip(writers, (counts, *others), strict=True):
            cell = pa.repeat(status.cell.id, len(table))
            writer.write_table(table.add_column(0, "cell", cell).cast(writer.schema))
    for writer in writers:
        writer.close()


def _write_naturalness(done: Sequence[CellStatus], store: Store, file: Path) -> None:
    known: dict[str, Any] = {}
    rows = []
    for status in done:
        artifacts = status.steps.naturalness
        if artifacts is None or not status.naturalness:
            continue
        if artifacts.name not in known:
            found = store.path("naturalness", artifacts.name) / naturalness.FILE
            known[artifacts.name] = json.loads(found.read_bytes())
        if known[artifacts.name] is not None:
            rows.append({"cell": status.cell.id, **known[artifacts.name]})
    pq.write_table(pa.Table.from_pylist(rows, NATURALNESS), file)


def count_variant(folders: Sequence[Path]) -> tuple[pa.Table, pa.Table, pa.Table]:
    """What became of a variant's samples: by split, outcome and reason; refusals; sites by rewrite."""
    columns = ["split", "outcome", "reason", "n_tokens", "n_bytes", "n_tokens_original", "n_bytes_original"]
    files = [folder / "shard.parquet" for folder in folders]
    table = pa.concat_tables([pq.read_table(file, columns=columns) for file in files])
    table = table.append_column("n_samples", pa.array([1] * len(table), pa.int64()))
    grouped = table.group_by(["split", "outcome", "reason"], use_threads=False)
    sums = grouped.aggregate([(name, "sum") for name in COUNTS]).rename_columns(
        ["split", "outcome", "reason", *COUNTS]
    )
    refused: Counter[str] = Counter()
    applied: Counter[str] = Counter()
    available: Counter[str] = Counter()
    for file in files:
        details = pq.read_table(file, columns=["refusals", "sites", "available"])
        for name, counter in (("refusals", refused), ("sites", applied), ("available", available)):
            for text in details[name].to_pylist():
                counter.update(json.loads(text or "{}"))
    refusals = [
        {"rewrite": k.partition(":")[0], "reason": k.partition(":")[2], "n": n} for k, n in refused.items()
    ]
    sites = [
        {"rewrite": k, "n_applied": applied[k], "n_available": available.get(k)} for k in applied | available
    ]
    return (
        sums.select(VARIANTS.names[1:]),
        pa.Table.from_pylist(refusals, pa.schema(list(REFUSALS)[1:])),
        pa.Table.from_pylist(sites, pa.schema(list(SITES)[1:])),
    )


def _link(source: Path, target: Path) -> None:
    """A hard link costs nothing; another file system gets a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
