"""Which cells a run is for: `--only axis=value`, and `--retry` what failed last time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from grid.cells.axes import Names, normalise
from grid.plan.opening import Grid
from grid.plan.outcomes import Outcome
from grid.results import cell_status
from grid.results.folder import Folder, read_json, write_json
from grid.spec.document import yaml_value
from preprocessing.errors import BadInput, suggest

CLASSES = ("failed", "user_error", "error", "oom", "oom_host", "oom_gpu", "timeout", "infra", "lost")
FILE = "outcomes.json"


def cells(grid: Grid, only: Sequence[str], retry: str | None, root: Path) -> set[str] | None:
    """Ids of the cells that are asked for, with their baselines; None: all.

    Raises:
        BadInput: no such axis or value, no such class of failures, or nothing failed like that.
    """
    if not only and retry is None:
        return None
    chosen = set(_only(grid, only))
    if retry is not None:
        chosen &= _failed(grid, retry, root)
        if not chosen:
            raise BadInput(f"--retry {retry}: no cell failed like that in the last run")
    return chosen


def remember(folder: Path, outcomes: Mapping[str, Outcome]) -> None:
    """Keep how the steps of a run ended, for `--retry`."""
    bad = {key: asdict(outcome) for key, outcome in outcomes.items() if outcome.status != "done"}
    write_json(folder / FILE, bad)


def _only(grid: Grid, only: Sequence[str]) -> set[str]:
    axes = grid.cells.axes
    wanted: dict[int, set[str]] = {}
    for text in only:
        name, equals, value = text.partition("=")
        if name not in axes or not equals:
            raise BadInput(f"--only {text}: write AXIS=VALUE{suggest(name, axes)}")
        position = axes.index(name)
        values = {cell.values[position].text for cell in grid.cells.cells if not cell.baseline}
        value = value if value in values else _as_shown(name, value, values)
        if value not in values:
            raise BadInput(f"--only {text}: the axis has no such value{suggest(value, sorted(values))}")
        wanted.setdefault(position, set()).add(value)
    chosen: set[str] = set()
    for cell in grid.cells.cells:
        if not cell.baseline and all(cell.values[p].text in texts for p, texts in wanted.items()):
            chosen |= {cell.id, cell.baseline_id}
    return chosen


def _as_shown(axis: str, value: str, values: Collection[str]) -> str:
    """A value as tables show it, where it is written otherwise: 1.0 and {rate: 1} are the intensity 1."""
    try:
        names = Names(rewrites=tuple(values), models=tuple(values))
        return normalise(axis, yaml_value(value, name=f"--only {axis}"), names).text
    except ValueError:
        return value


def _failed(grid: Grid, retry: str, root: Path) -> set[str]:
    if retry not in CLASSES:
        raise BadInput(f"--retry {retry}: no such class{suggest(retry, CLASSES)}")
    last = read_json(Folder(root, grid.spec.name).path / FILE) or {}
    keys = {key for key, o in last.items() if retry == "failed" or str(o["failure"]).startswith(retry)}
    pairs = zip(grid.plan.cells.cells, grid.plan.by_cell, strict=True)
    return {cell.id for cell, steps in pairs if keys & set(cell_status.own_keys(steps))}
