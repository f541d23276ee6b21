"""The jobs behind the cells, and how the log of each ends: so that a report can say what happened where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from grid.plan import jobs
from grid.plan.graph import Step
from grid.results.cell_status import CellStatus, own_keys

TAIL_BYTES = 4096
TAIL_LINES = 30
JOBS = pa.schema(
    {
        "job": pa.string(),
        "kind": pa.string(),
        "n_steps": pa.int64(),
        "n_done": pa.int64(),
        "wall_s": pa.float64(),
        "log": pa.string(),
        "cells": pa.list_(pa.string()),
    }
)


def table(
    folder: Path,
    steps: Mapping[str, Step],
    found: Sequence[CellStatus],
    manifests: Mapping[str, Mapping[str, Any]],
) -> pa.Table:
    """One row per job, in the order of the steps. `folder` holds one folder per job, with its log.txt.

    `n_done` of its steps are in the store and took `wall_s` together; `log` is null where it never ran here;
    `cells` rest on at least one of its steps.
    """
    members: dict[str, list[Step]] = {}
    for step in steps.values():
        members.setdefault(jobs.job_id(step), []).append(step)
    cells = _cells(steps, found)
    rows = []
    for job, own in members.items():
        walls = [float(manifests[step.key].get("wall_s", 0)) for step in own if step.key in manifests]
        rows.append(
            {
                "job": job,
                "kind": own[0].kind,
                "n_steps": len(own),
                "n_done": len(walls),
                "wall_s": sum(walls),
                "log": tail(folder / job / "log.txt"),
                "cells": cells.get(job, []),
            }
        )
    return pa.Table.from_pylist(rows, JOBS)


def tail(file: Path) -> str | None:
    """The last lines of a log, at most TAIL_LINES and TAIL_BYTES; None where there is none."""
    try:
        with open(file, "rb") as log:
            log.seek(0, 2)
            size = log.tell()
            log.seek(max(0, size - TAIL_BYTES))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return None
    lines = text.splitlines()
    if size > TAIL_BYTES:
        lines = lines[1:]  # most likely cut
    return "\n".join(lines[-TAIL_LINES:])


def _cells(steps: Mapping[str, Step], found: Sequence[CellStatus]) -> dict[str, list[str]]:
    """Job → the cells behind whose results one of its steps stands."""
    behind: dict[str, frozenset[str]] = {}  # step → its job and those of all that it needs
    for key, step in steps.items():  # each comes after what it needs
        own = {jobs.job_id(step)}
        for artifacts in step.needs:
            for need in artifacts.keys:
                own |= behind[need]
        behind[key] = frozenset(own)
    cells: dict[str, list[str]] = {}
    for status in found:
        for job in sorted({job for key in own_keys(status.steps) for job in behind[key]}):
            cells.setdefault(job, []).append(status.cell.id)
    return cells
