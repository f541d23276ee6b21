"""What is kept: list artifacts, find logs, remove cells or whole grids, and collect what no grid needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grid.cells.expansion import Cell
from grid.plan import jobs
from grid.plan.graph import KINDS, Step
from grid.plan.opening import Grid, from_document
from grid.results.folder import Folder, read_json
from grid.spec.document import parse
from grid.store import lock
from grid.store.finished import Store
from preprocessing.errors import BadInput, suggest


@dataclass(frozen=True, slots=True)
class Artifact:
    """Something in the store. `bytes` is 0 when its manifest isn't valid."""

    kind: str
    key: str
    bytes: int
    finished: float


def artifacts(store: Store) -> Iterator[Artifact]:
    """Everything in the store, valid or not."""
    for kind in (*KINDS, "probe"):
        for key in sorted(store.keys(kind)):
            manifest = store.manifest(kind, key) or {"files": {}}
            size = sum(entry["bytes"] for entry in manifest["files"].values())
            yield Artifact(kind, key, size, float(manifest.get("finished", 0.0)))


def find_cell(grid: Grid, prefix: str) -> tuple[int, Cell]:
    """Position and cell whose id begins with `prefix`.

    Raises:
        BadInput: none or several.
    """
    found = [(n, cell) for n, cell in enumerate(grid.cells.cells) if cell.id.startswith(prefix)]
    if len(found) != 1:
        what = f"{len(found)} cells begin with it" if found else "no such cell"
        ids = [cell.id for cell in grid.cells.cells]
        raise BadInput(f"{prefix}: {what}{suggest(prefix, ids) if not found else ''} (augrid plan --cells)")
    return found[0]


def steps_of(grid: Grid, position: int) -> list[Step]:
    """All steps behind one cell, in order, the shared ones too."""
    own = grid.plan.by_cell[position]
    wanted = {*own.train.keys, *(key for test in own.tests.values() for key in test.keys)}
    wanted.update(own.variant.keys if own.variant else ())
    for key, step in reversed(grid.plan.steps.items()):
        if key in wanted:
            wanted.update(need for artifacts in step.needs for need in artifacts.keys)
    return [step for key, step in grid.plan.steps.items() if key in wanted]


def logs(grid: Grid, root: Path, position: int) -> list[Path]:
    """Log files of the jobs that did the steps of one cell, in the order of the steps."""
    folder = Folder(root, grid.spec.name).logs
    names = dict.fromkeys(jobs.job_id(step) for step in steps_of(grid, position))
    return [folder / name / "log.txt" for name in names if (folder / name / "log.txt").exists()]


def needed(root: Path) -> set[str]:
    """Keys that the grids of a results folder are made of.

    Raises:
        BadInput: a grid whose spec can't be read any more; nothing is known to be free then.
    """
    keys: set[str] = set()
    for file in sorted(root.glob("*/spec.json")):
        about = read_json(file)
        if about is None or "data" not in about:
            raise BadInput(
                f"{file}: not readable, so nobody knows what it needs; repair or delete its folder"
            )
        document = parse("{}", name=str(file))
        document.data.update(about["data"])
        keys.update(from_document(document).plan.steps)
    return keys


def collect(root: Path, *, dry_run: bool) -> list[Artifact]:
    """Remove artifacts that no grid of this folder needs, and what damaged or dead runs left.

    Raises:
        BadInput: some grid is running, or its spec can't be read.
    """
    for file in root.glob("*/lock.json"):
        if lock.holder(file) is not None and lock.is_held(file):
            raise BadInput(
                f"{file.parent.name} is being run; wait for it, or `augrid stop {file.parent.name}`"
            )
    store = Store(root / "store")
    keep = needed(root)
    free = [artifact for artifact in artifacts(store) if artifact.key not in keep]
    if not dry_run:
        for artifact in free:
            store.remove(artifact.kind, artifact.key)
        store.clean()
        shutil.rmtree(store.root / "damaged", ignore_errors=True)
    return free


def remove(grid: Grid, root: Path, prefixes: Sequence[str]) -> int:
    """Remove the training and scores of some cells from the store (all cells that share them lose them).

    Returns the number of artifacts removed.

    Raises:
        BadInput: no such cell, or the grid is running.
    """
    with lock.held(Folder(root, grid.spec.name).lock):
        store, removed = Store(root / "store"), 0
        for prefix in prefixes:
            own = grid.plan.by_cell[find_cell(grid, prefix)[0]]
            for kind, keys in [
                ("train", own.train.keys),
                *(("evaluate", t.keys) for t in own.tests.values()),
            ]:
                for key in keys:
                    removed += store.has(kind, key)
                    store.remove(kind, key)
    return removed
