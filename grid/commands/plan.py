"""`augrid plan` and `augrid status`: what is finished, what is missing, how long, and why."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from grid.plan import jobs, key_changes, naming
from grid.plan.durations import Durations
from grid.plan.graph import KINDS
from grid.plan.jobs import State
from grid.plan.opening import Grid
from grid.results import cell_status
from grid.results.folder import Folder, read_json
from grid.scheduler.driver import working
from grid.scheduler.progress import duration, slots_table
from grid.store import lock
from grid.store.finished import Store
from preprocessing.errors import BadInput


def show(grid: Grid, root: Path, console: Console, *, why: bool, list_cells: bool) -> None:
    """Print the plan of a grid against a store, and what it can find."""
    from grid.commands import detectable  # brings SciPy, which `status` does without

    store = Store(root / "store")
    state = jobs.state(grid.plan, store)
    baselines = sum(cell.baseline for cell in grid.cells.cells)
    n = len(grid.cells.cells)
    console.print(f"{grid.spec.name}: {n - baselines} cells, {baselines} baselines", highlight=False)
    if list_cells:
        for cell in grid.cells.cells:
            console.print(f"  {cell.id}  {naming.cell(grid.cells.axes, cell)}", markup=False, highlight=False)
    console.print(_steps(grid, state, store))
    for line in detectable.lines(grid, root):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if why:
        for line in _why(grid, state, store):
            console.print(line, markup=False, highlight=False)


def _steps(grid: Grid, state: State, store: Store) -> Table:
    total = Counter(step.kind for step in grid.plan.steps.values())
    missing = Counter(step.kind for step in state.missing.values())
    n_jobs = Counter(job.kind for job in jobs.group(state.missing))
    past = Durations(store, grid.plan, missing)
    expected_s: dict[str, list[float | None]] = {kind: [] for kind in KINDS}
    for step in state.missing.values():
        expected_s[step.kind].append(past.step_s(step))
    table = Table(box=None, pad_edge=False)
    for column in ("step", "all", "finished or not needed", "to do", "jobs", "expected"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for kind in KINDS:
        known = [seconds for seconds in expected_s[kind] if seconds is not None]
        time_ = duration(sum(known)) if known and len(known) == missing[kind] else ""
        numbers = (total[kind], total[kind] - missing[kind], missing[kind], n_jobs[kind])
        table.add_row(kind, *map(str, numbers), time_ or ("unknown" if missing[kind] else ""))
    return table


def _why(grid: Grid, state: State, store: Store) -> list[str]:
    named = naming.Describe(grid.plan)
    lines = []
    seen = set()
    past = key_changes.FinishedSteps(store)
    for step in state.missing.values():
        reasons = tuple(past.reasons(step, state.missing))
        if (step.kind, reasons) not in seen:
            seen.add((step.kind, reasons))
            lines += [f"{named(step)} ({step.key[:12]}):", *(f"  {reason}" for reason in reasons)]
    return lines or ["nothing to do"]


def status(grid: Grid, root: Path, console: Console) -> None:
    """Print how far one grid is, who runs it and what its slots do, and how its cells stand."""
    folder = Folder(root, grid.spec.name)
    if not folder.path.exists():
        raise BadInput(f"{folder.path}: not begun; `augrid run {grid.spec.name}`")
    console.print(f"{grid.spec.name}: {_holder(folder)}", markup=False, highlight=False)
    store = Store(root / "store")
    state = jobs.state(grid.plan, store)
    console.print(_steps(grid, state, store))
    if lock.holder(folder.lock) is not None:
        console.print(_slots(grid, folder))
    counts = cell_status.counts(list(cell_status.statuses(grid.plan, state.manifests, {})))
    console.print(", ".join(f"{n} cells {name}" for name, n in sorted(counts.items())), highlight=False)


def _slots(grid: Grid, folder: Folder) -> Table:
    named, now = naming.Describe(grid.plan), time.time()
    steps = grid.plan.steps
    return slots_table(
        (one.slot, named(steps[one.key]), max(0.0, now - one.since), one.last, one.line)
        for one in working(folder.logs)
        if one.key in steps
    )


def overview(root: Path, console: Console) -> None:
    """One line per grid of a results folder."""
    table = Table(box=None, pad_edge=False)
    for column in ("grid", "cells", "finished", "state"):
        table.add_column(column)
    for file in sorted(root.glob("*/spec.json")):
        folder = Folder(root, file.parent.name)
        about: Mapping[str, Any] = read_json(folder.path / "run.json") or {}
        cells = ", ".join(f"{n} {name}" for name, n in sorted(about.get("cells", {}).items()))
        table.add_row(folder.name, cells or "none yet", str(about.get("finished", "")), _holder(folder))
    console.print(table if table.row_count else f"{root}: no grids yet")


def _holder(folder: Folder) -> str:
    holder = lock.holder(folder.lock)
    if holder is None:
        return "not running"
    host, pid, _ = str(holder["identity"]).split("+")
    return f"run by process {pid} on {host} for {duration(max(0.0, time.time() - holder['since']))}"
