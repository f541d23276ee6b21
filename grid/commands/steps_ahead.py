"""Some steps of a grid without the rest: the corpus, or all variants, before anybody trains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grid import executors, hosts
from grid.cells.expansion import Cell
from grid.commands.run import Run
from grid.plan import jobs
from grid.plan.opening import Grid
from grid.plan.planner import CellSteps
from grid.results.folder import Folder
from preprocessing.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

FOLDER = "data"


def finish(grid: Grid, root: Path, keys: set[str], console: Console, slots: int | None = None) -> int:
    """Do what is missing of some steps and of what they need. Exit code: 0, 1 (one failed) or 130.

    Raises:
        BadInput: as `Run.claimed` and `Run.make`.
    """
    worker, free = executors.lookup("local", hosts.load(None).changed(slots=slots, dask=None))
    one = Run(grid=grid, root=root, slots=free, executor=worker, console=console, report=False)
    if not jobs.state(grid.plan, one.store, keys).missing:  # also while somebody else runs the grid
        one.check_owner()
        one.folder.claim(grid.document.data, grid.document.text)
        return 0
    with one.claimed():
        made = one.make(keys)
    if made.last is not None and made.last.interrupted:
        return 130
    failed = [outcome for outcome in made.outcomes.values() if outcome.status != "done"]
    for outcome in failed[:10]:
        kind = grid.plan.steps[outcome.key].kind
        line = f"failed: {kind} {outcome.key[:12]}: {outcome.error}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return 1 if failed else 0


def folder(grid: Grid, root: Path) -> Path:
    """Where facts about the data of a grid are written: results/<name>/data, made when it isn't there.

    Raises:
        BadInput: it can't be made.
    """
    path = Folder(root, grid.spec.name).path / FOLDER
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{path}: can't be made: {error.strerror}") from None
    return path


def distinct(
    grid: Grid, part: str, sections: Sequence[str], core: Sequence[str] = ()
) -> list[tuple[dict[str, str], CellSteps]]:
    """Each corpus or variant of a grid once (`part` names the field of CellSteps), with what names it.

    Names are the values of those axes that it can depend on: `core` ones, and fields of some sections where
    they are not all the same.
    """
    found: dict[str, tuple[dict[str, str], CellSteps]] = {}
    for cell, steps in zip(grid.plan.cells.cells, grid.plan.by_cell, strict=True):
        artifacts = getattr(steps, part)
        if artifacts is not None and artifacts.name not in found:
            found[artifacts.name] = _named(grid.cells.axes, cell, sections, core), steps
    values: dict[str, set[str | None]] = {}
    for name in {name for names, _ in found.values() for name in names}:
        values[name] = {names.get(name) for names, _ in found.values()}
    return [
        ({k: v for k, v in names.items() if k in core or len(values[k]) > 1}, steps)
        for names, steps in found.values()
    ]


def _named(axes: Sequence[str], cell: Cell, sections: Sequence[str], core: Sequence[str]) -> dict[str, str]:
    every = {name: value.text for name, value in zip(axes, cell.values, strict=True)}
    every |= {path: str(value) for path, value in cell.patch}
    return {k: v for k, v in every.items() if k in core or ("." in k and k.split(".")[0] in sections)}
