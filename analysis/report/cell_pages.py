"""One entry per cell: what it is, its error, its metrics, its learning curve, and the jobs behind it."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.report.further_tables import section
from analysis.results import BadResults, Results, describe

Entry = dict[str, Any]


def per_cell(results: Results) -> list[Entry]:
    """Entries in the order of the grid; a cell without results has its error and its jobs alone."""
    metrics = results.metrics
    scopes = {name for pair in results.task.comparable.items() for name in pair}
    metrics = metrics[(metrics["samples"] == "all") & metrics["scope"].isin(scopes)]
    wide = metrics.pivot_table(
        index=["cell", "test", "scope"], columns="metric", values="value"
    ).reset_index()
    known = [name for name in results.task.by_name if name in wide]
    wide = wide[["cell", "test", "scope", *known]]
    digits = {name: f"{{:z,.{results.task.by_name[name].digits}f}}" for name in known}
    by_cell = dict(list(wide.groupby("cell")))
    curves = dict(list(results.training.groupby("cell")))
    behind = _jobs_of_cells(results)
    entries = []
    for row in results.cells.to_dict("records"):
        cell = str(row["cell"])
        mine = by_cell.get(cell)
        entries.append(
            {
                "cell": cell,
                "group": "baseline" if row["baseline"] else str(row["rewrites"]),
                "what": ("baseline: " if row["baseline"] else "") + describe(row, results.axes),
                "status": row["status"],
                "error": "" if pd.isna(row["error"]) else row["error"],
                "metrics": None if mine is None else section("", "", mine.drop(columns="cell"), digits),
                "jobs": behind.get(cell, []),
                **_curve(curves.get(cell)),
            }
        )
    return entries


def jobs(results: Results) -> list[Entry]:
    """Every job with the end of its log, in the order of the steps; raises `BadResults` for an odd name."""
    entries = []
    for row in results.jobs:
        if not re.fullmatch(r"[\w.-]+", str(row["job"])):
            raise BadResults(f"{results.folder / 'jobs.parquet'}: {row['job']!r} is not the name of a job")
        entries.append(
            {
                "job": row["job"],
                "group": str(row["kind"]),
                "n_steps": row["n_steps"],
                "n_done": row["n_done"],
                "seconds": f"{row['wall_s']:,.1f}",
                "n_cells": len(row["cells"]),
                "whole": row["n_done"] == row["n_steps"],
                "log": row["log"] if row["log"] is not None else "No log: it was done by another run.",
            }
        )
    return entries


def grouped(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Cells by their rewrites, jobs by their kind, in the order in which these first stand there."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry["group"], []).append(entry)
    return groups


def sparkline(values: Sequence[float] | np.ndarray[Any, Any], width: int = 220, height: int = 44) -> str:
    """The points of an SVG polyline of a learning curve; empty for fewer than two finite values."""
    y = np.asarray(values, dtype=float)
    y = y[np.isfinite(y)]
    if len(y) < 2:
        return ""
    span = float(np.ptp(y)) or 1.0
    xs = np.linspace(2, width - 2, len(y))
    ys = height - 3 - (y - y.min()) / span * (height - 6)
    return " ".join(f"{x:.1f},{v:.1f}" for x, v in zip(xs, ys, strict=True))


def _jobs_of_cells(results: Results) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for row in results.jobs:
        kind, _, rest = str(row["job"]).partition("-")
        shard = rest.partition("-")[2]
        job = {
            "job": row["job"],
            "kind": f"{kind} of shard {shard}" if shard else kind,
            "whole": row["n_done"] == row["n_steps"],
        }
        for cell in row["cells"]:
            found.setdefault(cell, []).append(job)
    return found


def _curve(rows: pd.DataFrame | None) -> Entry:
    """The points of the validation loss and its numbers; an empty curve for fewer than two of them."""
    if rows is None:
        return {"curve": ""}
    loss = rows["valid_bits"].dropna().to_numpy(float)
    points = sparkline(loss)
    if not points:
        return {"curve": ""}
    numbers = {"first": loss[0], "last": loss[-1], "lowest": loss.min()}
    return {
        "curve": points,
        "steps": int(rows["step"].max()),
        **{name: f"{value:.2f}" for name, value in numbers.items()},
    }
