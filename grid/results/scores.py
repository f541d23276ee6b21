"""What scorings left in the store becomes samples.parquet, strata.parquet and metrics.parquet.

The sums of samples come with a scoring; a sum that the task has learnt since is made of the scored units.
Which metrics there are, and of which sums each is made, the task says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grid.plan.planner import CellSteps
from grid.results.cell_status import CellStatus
from grid.results.scored_strata import Counter, ScoredStrata
from grid.store.finished import Store
from tasks import Task

CACHED = 256  # scorings; cells that are trained on the original share those of the original text


class Scoring:
    """One model on one test set, in its folder of the store: sums by sample and scope, and strata."""

    def __init__(self, folder: Path, task: Task, counter: Counter) -> None:
        self.folder, self.task, self.counter = folder, task, counter
        samples = pq.read_table(folder / "samples.parquet")
        self.projects = dict(zip(*(samples[name].to_pylist() for name in ("sample", "project")), strict=True))
        self.samples = self._with_every_sum(samples)
        self.strata = cache(self._strata)

    def among(self, samples: pa.Array) -> frozenset[str]:
        """Which of these samples are in the test set."""
        return frozenset(self.projects).intersection(samples.to_pylist())

    def _with_every_sum(self, samples: pa.Table) -> pa.Table:
        units = self.task.UNITS
        later = [one for one in units.sums if one.name not in samples.column_names]
        if later:
            made = units.summed_file(self.folder, self.projects, later)
            keys = ["sample", "scope"]
            assert made.select(keys).equals(samples.select(keys)), (
                f"{self.folder / units.file}: not in the order of its samples"
            )
            for one in later:
                samples = samples.append_column(one.name, made[one.name])
        return samples.select(units.table_of().names)

    def _strata(self, test: str, left_out: frozenset[str]) -> ScoredStrata:
        """Without these samples, by scope that can be compared with another test set."""
        comparable = self.task.DESCRIPTION.comparable
        kept = comparable if test == "original" else comparable.values()
        return self.counter.count(self.folder, self.projects, left_out, set(kept))


def write(done: Sequence[CellStatus], store: Store, new: Path, task: Task) -> None:
    """Write the three tables into `new`."""
    _Writer(store, task).write(done, new)


class _Writer:
    def __init__(self, store: Store, task: Task) -> None:
        self.store, self.task, self.units = store, task, task.UNITS
        self.counter = counter = Counter(task.UNITS, task.DESCRIPTION.metrics)
        self.scoring = lru_cache(CACHED)(lambda name: Scoring(store.path("evaluate", name), task, counter))
        head = [(name, pa.string()) for name in ("cell", "test")]
        self.samples = pa.schema([*head, *self.units.table_of(), ("common", pa.bool_())])
        self.metrics = pa.schema(
            [
                *head,
                *((name, pa.string()) for name in ("samples", "scope", "metric")),
                ("value", pa.float64()),
                (self.units.count, pa.int64()),
                ("n_samples", pa.int64()),
            ]
        )

    def write(self, done: Sequence[CellStatus], new: Path) -> None:
        baselines = {status.cell.id: status.steps for status in done if status.cell.baseline}
        metrics: list[dict[str, Any]] = []
        with (
            pq.ParquetWriter(new / "samples.parquet", self.samples, compression="zstd") as samples_file,
            pq.ParquetWriter(new / "strata.parquet", self.counter.table, compression="zstd") as strata_file,
        ):
            for status in done:
                thrown = _thrown_out(status.steps, self.store)
                for test, artifacts in status.steps.tests.items():
                    head, own = {"cell": status.cell.id, "test": test}, self.scoring(artifacts.name)
                    common = pc.invert(pc.is_in(own.samples["sample"], value_set=thrown))
                    samples_file.write_table(
                        _table(self.samples, own.samples.append_column("common", common), head)
                    )
                    for which, chosen, left_out in (
                        ("all", own.samples, frozenset[str]()),
                        ("common", own.samples.filter(common), own.among(thrown)),
                    ):
                        found = own.strata(test, left_out).values
                        metrics += [{**head, "samples": which} | row for row in self._metrics(chosen, found)]
                baseline = None if status.cell.baseline else baselines.get(status.cell.baseline_id)
                for head, part in self._strata(status, baseline, thrown):
                    strata_file.write_table(_table(self.counter.table, part.rows, head))
        pq.write_table(pa.Table.from_pylist(metrics, self.metrics), new / "metrics.parquet")

    def _strata(
        self, status: CellStatus, baseline: CellSteps | None, thrown: pa.Array
    ) -> Iterator[tuple[dict[str, str], ScoredStrata]]:
        """Of a cell's test sets as a whole, and of the original one without what its variant threw out.

        That one under the model of its baseline, too, since the two are compared.
        """
        cell = status.cell.id
        for test, artifacts in status.steps.tests.items():
            yield (
                {"cell": cell, "test": test, "samples": "all"},
                self.scoring(artifacts.name).strata(test, frozenset()),
            )
        for name, steps in ((cell, status.steps), (status.cell.baseline_id, baseline)):
            if steps is not None and "original" in steps.tests:
                own = self.scoring(steps.tests["original"].name)
                left_out = own.among(thrown)
                if left_out:
                    yield (
                        {"cell": name, "test": "original", "samples": cell},
                        own.strata("original", left_out),
                    )

    def _metrics(
        self, samples: pa.Table, strata: Mapping[str, Mapping[str, float]]
    ) -> Iterator[dict[str, Any]]:
        """Every metric that has a value, by scope."""
        count, metrics = self.units.count, self.task.DESCRIPTION.metrics
        sums = [(name, "sum") for name in (count, *(one.name for one in self.units.sums))]
        grouped = samples.group_by("scope", use_threads=False).aggregate([*sums, ("sample", "count")])
        totals = {name: grouped[f"{name}_sum"].to_numpy().astype(np.float64) for name, _ in sums}
        values = {one.name: one.of(totals) for one in metrics if one.by is None and not one.of_draws}
        for i, row in enumerate(grouped.select(["scope", f"{count}_sum", "sample_count"]).to_pylist()):
            same = {"scope": row["scope"], count: row[f"{count}_sum"], "n_samples": row["sample_count"]}
            of_strata = strata.get(row["scope"], {})
            for metric in metrics:
                value = (
                    values[metric.name][i] if metric.name in values else of_strata.get(metric.name, np.nan)
                )
                if np.isfinite(value):
                    yield {**same, "metric": metric.name, "value": float(value)}


def _table(schema: pa.Schema, table: pa.Table, head: Mapping[str, str]) -> pa.Table:
    """The table with the same values in every row at its beginning."""
    for name, value in head.items():
        table = table.append_column(name, pa.repeat(value, len(table)))
    return table.select(schema.names).cast(schema)


def _thrown_out(steps: CellSteps, store: Store) -> pa.Array:
    names: list[str] = []
    for key in steps.tested.keys if steps.tested else ():
        table = pq.read_table(store.path("variant", key) / "shard.parquet", columns=["sample", "outcome"])
        names += table.filter(pc.equal(table["outcome"], "thrown_out"))["sample"].to_pylist()
    return pa.array(names, pa.string())
