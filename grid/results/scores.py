"""What scorings left in the store becomes samples.parquet, strata.parquet and metrics.parquet.

The sums of samples come with a scoring; a sum that the task has learnt since is made of the scored tokens.
Which metrics there are, and of which sums each is made, the task says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grid.plan.planner import CellSteps
from grid.results.cell_status import CellStatus
from grid.results.strata import STRATA, Strata, count
from grid.store.finished import Store
from models.scoring.metrics import sums_of, table_of
from tasks import completion

TASK = completion.DESCRIPTION
COUNT = TASK.unit.count
CACHED = 256  # scorings; cells that are trained on the original share those of the original text
METRICS = pa.schema(
    [(name, pa.string()) for name in ("cell", "test", "samples", "scope", "metric")]
    + [("value", pa.float64()), (COUNT, pa.int64()), ("n_samples", pa.int64())]
)
SAMPLES = pa.schema(
    [("cell", pa.string()), ("test", pa.string()), *table_of(completion.SUMS), ("common", pa.bool_())]
)


class Scoring:
    """One model on one test set, in its folder of the store: sums by sample and scope, and strata."""

    def __init__(self, folder: Path) -> None:
        self.tokens = folder / "tokens.parquet"
        samples = pq.read_table(folder / "samples.parquet")
        self.projects = dict(zip(*(samples[name].to_pylist() for name in ("sample", "project")), strict=True))
        self.samples = self._with_every_sum(samples)
        self.strata = cache(self._strata)

    def among(self, samples: pa.Array) -> frozenset[str]:
        """Which of these samples are in the test set."""
        return frozenset(self.projects).intersection(samples.to_pylist())

    def _with_every_sum(self, samples: pa.Table) -> pa.Table:
        later = [one for one in completion.SUMS if one.name not in samples.column_names]
        if later:
            made = sums_of(self.tokens, self.projects, later)
            keys = ["sample", "scope"]
            assert made.select(keys).equals(samples.select(keys)), (
                f"{self.tokens}: not in the order of its samples"
            )
            for one in later:
                samples = samples.append_column(one.name, made[one.name])
        return samples.select(table_of(completion.SUMS).names)

    def _strata(self, test: str, left_out: frozenset[str]) -> Strata:
        """Without these samples, by scope that can be compared with another test set."""
        kept = TASK.comparable if test == "original" else TASK.comparable.values()
        return count(self.tokens, self.projects, left_out, set(kept))


def write(done: Sequence[CellStatus], store: Store, new: Path) -> None:
    """Write the three tables into `new`."""
    scoring = lru_cache(CACHED)(lambda name: Scoring(store.path("evaluate", name)))
    baselines = {status.cell.id: status.steps for status in done if status.cell.baseline}
    metrics: list[dict[str, Any]] = []
    with (
        pq.ParquetWriter(new / "samples.parquet", SAMPLES, compression="zstd") as samples_file,
        pq.ParquetWriter(new / "strata.parquet", STRATA, compression="zstd") as strata_file,
    ):
        for status in done:
            thrown = _thrown_out(status.steps, store)
            for test, artifacts in status.steps.tests.items():
                head, own = {"cell": status.cell.id, "test": test}, scoring(artifacts.name)
                common = pc.invert(pc.is_in(own.samples["sample"], value_set=thrown))
                samples_file.write_table(_table(SAMPLES, own.samples.append_column("common", common), head))
                for which, chosen, left_out in (
                    ("all", own.samples, frozenset[str]()),
                    ("common", own.samples.filter(common), own.among(thrown)),
                ):
                    found = own.strata(test, left_out).values
                    metrics += [{**head, "samples": which} | row for row in _metrics(chosen, found)]
            baseline = None if status.cell.baseline else baselines.get(status.cell.baseline_id)
            for head, part in _strata(status, baseline, thrown, scoring):
                strata_file.write_table(_table(STRATA, part.rows, head))
    pq.write_table(pa.Table.from_pylist(metrics, METRICS), new / "metrics.parquet")


def _strata(
    status: CellStatus, baseline: CellSteps | None, thrown: pa.Array, scoring: Callable[[str], Scoring]
) -> Iterator[tuple[dict[str, str], Strata]]:
    """Of a cell's test sets as a whole, and of the original one without what its variant threw out.

    That one under the model of its baseline, too, since the two are compared.
    """
    cell = status.cell.id
    for test, artifacts in status.steps.tests.items():
        yield (
            {"cell": cell, "test": test, "samples": "all"},
            scoring(artifacts.name).strata(test, frozenset()),
        )
    for name, steps in ((cell, status.steps), (status.cell.baseline_id, baseline)):
        if steps is not None and "original" in steps.tests:
            own = scoring(steps.tests["original"].name)
            left_out = own.among(thrown)
            if left_out:
                yield {"cell": name, "test": "original", "samples": cell}, own.strata("original", left_out)


def _table(schema: pa.Schema, table: pa.Table, head: Mapping[str, str]) -> pa.Table:
    """The table with the same values in every row at its beginning."""
    for name, value in head.items():
        table = table.append_column(name, pa.repeat(value, len(table)))
    return table.select(schema.names).cast(schema)


def _metrics(samples: pa.Table, strata: Mapping[str, Mapping[str, float]]) -> Iterator[dict[str, Any]]:
    """Every metric that has a value, by scope."""
    sums = [(name, "sum") for name in (COUNT, *(one.name for one in completion.SUMS))]
    grouped = samples.group_by("scope", use_threads=False).aggregate([*sums, ("sample", "count")])
    totals = {name: grouped[f"{name}_sum"].to_numpy().astype(np.float64) for name, _ in sums}
    values = {one.name: one.of(totals) for one in TASK.metrics if one.by is None and not one.of_draws}
    for i, row in enumerate(grouped.select(["scope", f"{COUNT}_sum", "sample_count"]).to_pylist()):
        same = {"scope": row["scope"], COUNT: row[f"{COUNT}_sum"], "n_samples": row["sample_count"]}
        of_strata = strata.get(row["scope"], {})
        for metric in TASK.metrics:
            value = values[metric.name][i] if metric.name in values else of_strata.get(metric.name, np.nan)
            if np.isfinite(value):
                yield {**same, "metric": metric.name, "value": float(value)}


def _thrown_out(steps: CellSteps, store: Store) -> pa.Array:
    names: list[str] = []
    for key in steps.variant.keys if steps.variant else ():
        table = pq.read_table(store.path("variant", key) / "shard.parquet", columns=["sample", "outcome"])
        names += table.filter(pc.equal(table["outcome"], "thrown_out"))["sample"].to_pylist()
    return pa.array(names, pa.string())
