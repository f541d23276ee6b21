"""Looks after runs and the store: lists, compares, verifies and removes artifacts; finds logs; ends a run."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from grid.cells.expansion import Cell
from grid.plan import jobs, pilot
from grid.plan.graph import KINDS, Step
from grid.plan.opening import Grid, from_document
from grid.results import cell_status
from grid.results.folder import Folder, read_json
from grid.spec.document import parse
from grid.store import lock
from grid.store.finished import DamagedError, Store
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


def table(found: Sequence[Artifact]) -> Table:
    """Number and size of the artifacts of each kind of step."""
    table = Table(box=None, pad_edge=False)
    for column in ("step", "artifacts", "MB"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for kind in dict.fromkeys(artifact.kind for artifact in found):
        sizes = [artifact.bytes for artifact in found if artifact.kind == kind]
        table.add_row(kind, str(len(sizes)), f"{sum(sizes) / 1e6:.1f}")
    return table


def verify(store: Store, found: Sequence[Artifact], console: Console) -> int:
    """Read artifacts whole and set aside those that are damaged. Returns 1 if there were any, else 0."""
    damaged = 0
    for artifact in found:
        try:
            store.verify(artifact.kind, artifact.key)
        except DamagedError as error:
            damaged += 1
            store.set_aside(artifact.kind, artifact.key)
            console.print(f"set aside: {error}", markup=False, highlight=False)
    console.print(f"{len(found) - damaged} artifacts are whole, {damaged} damaged", highlight=False)
    return 1 if damaged else 0


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
    wanted = set(cell_status.own_keys(own))
    for key, step in reversed(grid.plan.steps.items()):
        if key in wanted:
            wanted.update(need for artifacts in step.needs for need in artifacts.keys)
    return [step for key, step in grid.plan.steps.items() if key in wanted]


def differences(grid: Grid, cell: str, other: str) -> list[str]:
    """Axes and overrides in which two cells differ, a line each, and the steps that they share.

    Raises:
        BadInput: none or several cells begin with one of the ids.
    """
    (first, a), (second, b) = find_cell(grid, cell), find_cell(grid, other)
    pairs = [(n, x.text, y.text) for n, x, y in zip(grid.cells.axes, a.values, b.values, strict=True)]
    left, right = dict(a.patch), dict(b.patch)
    pairs += [(path, str(left.get(path)), str(right.get(path))) for path in {**left, **right}]
    steps = [{step.key: step.kind for step in steps_of(grid, n)} for n in (first, second)]
    shared = [kind for key, kind in steps[0].items() if key in steps[1]]
    counts = ", ".join(f"{shared.count(kind)} {kind}" for kind in dict.fromkeys(shared))
    return [
        *(f"{name}: {one} | {another}" for name, one, another in pairs if one != another),
        f"shared steps: {counts or 'none'}",
    ]


def logs(grid: Grid, root: Path, position: int) -> list[Path]:
    """Log files of the jobs that did the steps of one cell, in the order of the steps."""
    folder = Folder(root, grid.spec.name).logs
    names = dict.fromkeys(jobs.job_id(step) for step in steps_of(grid, position))
    return [folder / name / "log.txt" for name in names if (folder / name / "log.txt").exists()]


def follow(file: Path) -> None:
    """Print what is added to a file, without end."""
    with open(file, encoding="utf-8", errors="replace") as stream:
        stream.seek(0, 2)
        while True:
            print(stream.read(), end="", flush=True)
            time.sleep(0.5)


def stop(grid: Grid, root: Path) -> int:
    """End the run of a grid, as Ctrl-C does. Returns the number of its process.

    Raises:
        BadInput: nobody runs it here, or it still runs after half a minute.
    """
    file = Folder(root, grid.spec.name).lock
    pid = lock.stop(file)
    for _ in range(300):
        if not lock.is_held(file):
            return pid
        time.sleep(0.1)
    raise BadInput(f"process {pid} was told to stop and still runs")


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
        grid = from_document(document)
        is_pilot = file.parent.name == pilot.name_of(grid.spec.name)
        keys.update((pilot.miniature(grid) if is_pilot else grid).plan.steps)
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
