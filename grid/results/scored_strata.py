"""Scored units in the order of a value, such as their confidence: what metrics by bin, and of the most
confident, are made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.statistics.metrics import Metric
from analysis.statistics.strata import Ordered
from tasks.units import Units, values_of

HEAD = ("cell", "test", "samples")
"""`samples`: "all" of the test set, or the cell whose common samples they are."""

Counted = Mapping[tuple[str, str], Ordered]
"""By scope and the sum that orders the units."""


@dataclass(frozen=True)
class ScoredStrata:
    """Of one scoring: values by scope and metric, and rows for a table, by project."""

    values: Mapping[str, Mapping[str, float]]
    rows: pa.Table


class Counter:
    """Counts a task's units for those of its metrics that are made of strata."""

    def __init__(self, units: Units, metrics: Sequence[Metric]) -> None:
        self.units = units
        self.metrics = [metric for metric in metrics if metric.by is not None]
        self.by = list(dict.fromkeys(metric.by for metric in self.metrics if metric.by is not None))
        named = dict.fromkeys(name for metric in self.metrics for name in metric.sums)
        self.names = (units.count, *(name for name in named if name != units.count))
        self.wanted = [one for one in units.sums if one.name in (*self.by, *self.names)]
        places = [
            ("scope", pa.string()),
            ("project", pa.string()),
            ("by", pa.string()),
            ("stratum", pa.uint8()),
        ]
        self.rows = pa.schema([*places, *((name, pa.float64()) for name in self.names)])
        self.table = pa.schema([*((name, pa.string()) for name in HEAD), *self.rows])

    def count(
        self, folder: Path, projects: Mapping[str, str], left_out: Set[str], kept: Set[str]
    ) -> ScoredStrata:
        """Read a scoring's units without the samples that are left out; the scopes that are kept get rows.

        projects: of every sample. No values and no rows where a column is missing, or null as no metric asked
        for it.
        """
        names = sorted(set(projects.values()))
        codes = {name: code for code, name in enumerate(names)}
        counted: dict[tuple[str, str], Ordered] = {}
        for batch in self._batches(folder / self.units.file, left_out) if self.metrics else ():
            values = {one.name: values_of(batch, one) for one in self.wanted}
            if any(value is None for value in values.values()):
                counted.clear()
                break
            sample = batch.column("sample")
            known = np.array([codes[projects[name]] for name in sample.dictionary.to_pylist()], np.int64)
            project = known[sample.indices.to_numpy()]
            places = [batch.column(name).to_numpy(zero_copy_only=False) for name in self.units.places]
            for scope, inside in self.units.scopes(*places):
                own = {name: value[inside] for name, value in values.items() if value is not None}
                for by in self.by:
                    ordered = counted.setdefault((scope, by), Ordered(self.names))
                    ordered.add(own[by], own, project[inside] if scope in kept else None)
        return ScoredStrata(self._values(counted), self._rows(counted, names))

    def _batches(self, file: Path, left_out: Set[str]) -> Iterator[Any]:
        needed = (name for one in self.wanted for name in one.needs)
        columns = list(dict.fromkeys(["sample", *self.units.places, *needed]))
        gone = pa.array(sorted(left_out), pa.string())
        with pq.ParquetFile(file) as opened:
            if not {*columns} <= {*opened.schema_arrow.names}:
                return
            for batch in opened.iter_batches(columns=columns):
                names = batch.column("sample").cast(pa.string())
                yield batch.filter(pc.invert(pc.is_in(names, value_set=gone))) if left_out else batch

    def _values(self, counted: Counted) -> dict[str, dict[str, float]]:
        values: dict[str, dict[str, float]] = {}
        for (scope, by), ordered in counted.items():
            totals = ordered.totals()
            for metric in self.metrics:
                value = float(metric.of(totals)) if metric.by == by else np.nan
                if np.isfinite(value):
                    values.setdefault(scope, {})[metric.name] = value
        return values

    def _rows(self, counted: Counted, projects: list[str]) -> pa.Table:
        tables = []
        for (scope, by), ordered in counted.items():
            for project, sums in ordered.strata():
                there = np.flatnonzero(sums[0] > 0)
                names = [pa.repeat(name, len(there)) for name in (scope, projects[project], by)]
                columns = [*names, pa.array(there, pa.uint8()), *(pa.array(row[there]) for row in sums)]
                tables.append(pa.Table.from_arrays(columns, schema=self.rows))
        return pa.concat_tables(tables) if tables else self.rows.empty_table()
