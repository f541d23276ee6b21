"""What became of each cell: done, failed or missing, from what is in the store and how steps ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grid.cells.expansion import Cell
from grid.keys import digest
from grid.plan.graph import Artifacts
from grid.plan.outcomes import Outcome
from grid.plan.planner import CellSteps, Plan

FORMAT = 1  # of the results folder: raised when older folders can't be read any more
TABLES = 7  # raised when there is more in the folder, so that the next run writes the tables anew


@dataclass(frozen=True, slots=True)
class CellStatus:
    """`status` is done, failed or missing; `error` is the first failure among the cell's steps.

    `naturalness`: whether that of its variant is known; a cell is done without.
    """

    cell: Cell
    steps: CellSteps
    status: str
    error: str
    naturalness: bool


def behind(artifacts: Artifacts | None) -> tuple[str, ...]:
    """Keys of the steps of a variant, if there is one."""
    return artifacts.keys if artifacts is not None else ()


def own_keys(steps: CellSteps) -> list[str]:
    """Steps that a cell's tables are made of."""
    keys = [*steps.train.keys, *(key for test in steps.tests.values() for key in test.keys)]
    return list(dict.fromkeys([*keys, *behind(steps.variant), *behind(steps.tested)]))


def statuses(
    plan: Plan, manifests: Mapping[str, Mapping[str, Any]], outcomes: Mapping[str, Outcome]
) -> Iterator[CellStatus]:
    """The status of every cell. `manifests` are those of finished steps, by key."""
    for cell, steps in zip(plan.cells.cells, plan.by_cell, strict=True):
        missing = [key for key in own_keys(steps) if key not in manifests]
        failed = [outcomes[key] for key in missing if key in outcomes and outcomes[key].status != "done"]
        measured = steps.naturalness is not None and steps.naturalness.name in manifests
        failed.sort(key=lambda outcome: outcome.status == "blocked")  # a cause before its consequence
        if not missing:
            yield CellStatus(cell, steps, "done", "", measured)
        elif failed and failed[0].failure != "cancelled":
            yield CellStatus(cell, steps, "failed", f"{failed[0].failure}: {failed[0].error}", measured)
        else:
            yield CellStatus(cell, steps, "missing", "", measured)


def counts(found: list[CellStatus]) -> Counter[str]:
    """How many cells have which status."""
    return Counter(status.status for status in found)


def fingerprint(plan: Plan, found: list[CellStatus], claims: Mapping[str, Any]) -> str:
    """Changes when the tables, or what was claimed of them, would change."""
    cells = [[s.cell.id, s.status, s.error, _read_keys(s) if s.status == "done" else []] for s in found]
    return digest([FORMAT, TABLES, plan.task.DESCRIPTION.plain(), list(plan.cells.axes), cells, claims])


def _read_keys(status: CellStatus) -> list[str]:
    """Steps that the tables of a finished cell are made of."""
    measured = status.steps.naturalness if status.naturalness else None
    return [*own_keys(status.steps), *(measured.keys if measured else ())]
