"""Scored tokens in the order of a value, such as their confidence: what metrics by bin, and of the most
confident, are made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.statistics.strata import Ordered
from models.scoring.metrics import PLACES, scopes, values_of
from tasks import completion

COUNT = completion.DESCRIPTION.unit.count
METRICS = tuple(metric for metric in completion.DESCRIPTION.metrics if metric.by is not None)
BY = tuple(dict.fromkeys(metric.by for metric in METRICS if metric.by is not None))
SUMS = tuple(dict.fromkeys(name for metric in METRICS for name in metric.sums if name != COUNT))
ROWS = pa.schema(
    [("scope", pa.string()), ("project", pa.string()), ("by", pa.string()), ("stratum", pa.uint8())]
    + [(name, pa.float64()) for name in (COUNT, *SUMS)]
)
STRATA = pa.schema([*((name, pa.string()) for name in ("cell", "test", "samples")), *ROWS])
"""`samples`: "all" of the test set, or the cell whose common samples they are."""

_WANTED = tuple(one for one in completion.SUMS if one.name in (*BY, *SUMS))

Counted = Mapping[tuple[str, str], Ordered]
"""By scope and the sum that orders the units."""


@dataclass(frozen=True)
class Strata:
    """Of one scoring: values by scope and metric, and rows for a table, by project."""

    values: Mapping[str, Mapping[str, float]]
    rows: pa.Table


def count(file: Path, projects: Mapping[str, str], left_out: Set[str], kept: Set[str]) -> Strata:
    """Read a token table without the samples that are left out; the scopes that are kept get rows.

    projects: of every sample. No values and no rows where a column is missing, or null as no metric asked for
    it.
    """
    names = sorted(set(projects.values()))
    codes = {name: code for code, name in enumerate(names)}
    counted: dict[tuple[str, str], Ordered] = {}
    for batch in _batches(file, left_out):
        values = {one.name: values_of(batch, one) for one in _WANTED}
        if any(value is None for value in values.values()):
            counted.clear()
            break
        sample = batch.column("sample")
        known = np.array([codes[projects[name]] for name in sample.dictionary.to_pylist()], dtype=np.int64)
        project = known[sample.indices.to_numpy()]
        for scope, inside in scopes(*(batch.column(name).to_numpy() for name in PLACES)):
            own = {name: value[inside] for name, value in values.items() if value is not None}
            for by in BY:
                ordered = counted.setdefault((scope, by), Ordered((COUNT, *SUMS)))
                ordered.add(own[by], own, project[inside] if scope in kept else None)
    return Strata(_values(counted), _rows(counted, names))


def _batches(file: Path, left_out: Set[str]) -> Iterator[Any]:
    columns = list(dict.fromkeys(["sample", *PLACES, *(name for one in _WANTED for name in one.needs)]))
    gone = pa.array(sorted(left_out), pa.string())
    with pq.ParquetFile(file) as opened:
        if not {*columns} <= {*opened.schema_arrow.names}:
            return
        for batch in opened.iter_batches(columns=columns):
            names = batch.column("sample").cast(pa.string())
            yield batch.filter(pc.invert(pc.is_in(names, value_set=gone))) if left_out else batch


def _values(counted: Counted) -> dict[str, dict[str, float]]:
    values: dict[str, dict[str, float]] = {}
    for (scope, by), ordered in counted.items():
        totals = ordered.totals()
        for metric in METRICS:
            value = float(metric.of(totals)) if metric.by == by else np.nan
            if np.isfinite(value):
                values.setdefault(scope, {})[metric.name] = value
    return values


def _rows(counted: Counted, projects: list[str]) -> pa.Table:
    tables = []
    for (scope, by), ordered in counted.items():
        for project, sums in ordered.strata():
            there = np.flatnonzero(sums[0] > 0)
            names = [pa.repeat(name, len(there)) for name in (scope, projects[project], by)]
            columns = [*names, pa.array(there, pa.uint8()), *(pa.array(row[there]) for row in sums)]
            tables.append(pa.Table.from_arrays(columns, schema=ROWS))
    return pa.concat_tables(tables) if tables else ROWS.empty_table()
