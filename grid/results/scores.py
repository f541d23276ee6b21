"""What scorings left in the store becomes samples.parquet, strata.parquet and metrics.parquet.

The sums of samples come with a scoring; a sum that the task has learnt since is made of the scored units.
Which metrics there are, and of which sums each is made, the task says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grid.plan.planner import CellSteps
from grid.results.cell_status import CellStatus
from grid.results.pairings import Pairing, pairing, place_of
from grid.results.scored_strata import Counter, ScoredStrata
from grid.store.finished import Store
from tasks import Task

CACHED = 256  # scorings; cells that are trained on the original share those of the original text
PAIRINGS = 16  # variants whose units are kept in place


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


def write(
    done: Sequence[CellStatus],
    store: Store,
    new: Path,
    task: Task,
    manifests: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write the three tables into `new`."""
    _Writer(store, task, manifests).write(done, new)


class _Writer:
    def __init__(self, store: Store, task: Task, manifests: Mapping[str, Mapping[str, Any]]) -> None:
        self.store, self.task, self.units, self.manifests = store, task, task.UNITS, manifests
        self.of_pairs = task.UNITS.of_pairs()
        self.pairings: dict[str, Pairing] = {}
        self.placed = lru_cache(4)(self._placed)  # a baseline's may be the cell's own
        self.counter = counter = Counter(task.UNITS, task.DESCRIPTION.metrics)
        self.scoring = lru_cache(CACHED)(lambda name: Scoring(store.path("evaluate", name), task, counter))
        head = [(name, pa.string()) for name in ("cell", "test")]
        ends = [("common", pa.bool_()), ("by_variant", pa.string())]
        self.samples = pa.schema([*head, *self.units.table_of(), *ends])
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
                lacking = self._lacking(status.steps)
                for test, artifacts in status.steps.tests.items():
                    head, own = {"cell": status.cell.id, "test": test}, self.scoring(artifacts.name)
                    sums = without(own.samples, lacking)
                    common = pc.invert(pc.is_in(own.samples["sample"], value_set=thrown))
                    rows = sums.append_column("common", common)
                    samples_file.write_table(_table(self.samples, rows, head))
                    for which, chosen, left_out in (
                        ("all", sums, frozenset[str]()),
                        ("common", sums.filter(common), own.among(thrown)),
                    ):
                        found = own.strata(test, left_out).values
                        metrics += [{**head, "samples": which} | row for row in self._metrics(chosen, found)]
                baseline = None if status.cell.baseline else baselines.get(status.cell.baseline_id)
                for about, sums in self._paired(status, baseline):
                    samples_file.write_table(_table(self.samples, sums, about))
                    if about["cell"] == status.cell.id:
                        metrics += [{**about, "samples": "common"} | row for row in self._metrics(sums, {})]
                for head, part in self._strata(status, baseline, thrown):
                    strata_file.write_table(_table(self.counter.table, part.rows, head))
        pq.write_table(pa.Table.from_pylist(metrics, self.metrics), new / "metrics.parquet")

    def _lacking(self, steps: CellSteps) -> set[str]:
        """Sums that one of a cell's scorings doesn't have, as it is older than they are."""
        tables = [self.scoring(artifacts.name).samples for artifacts in steps.tests.values()]
        return {one.name for one in self.units.sums if any(len(t) and t[one.name].null_count for t in tables)}

    def _paired(
        self, status: CellStatus, baseline: CellSteps | None
    ) -> Iterator[tuple[dict[str, str | None], pa.Table]]:
        """Sums of the scopes that a cell's variant decides on: of its own test sets, and of its baseline's.

        Rows of original text say by the variant of which cell they are.
        """
        steps, variant, cell = status.steps, status.steps.tested, status.cell.id
        if self.of_pairs is None or variant is None or "augmented" not in steps.tests:
            return
        if variant.name not in self.pairings:
            self.pairings[variant.name] = self._pairing(steps.tests["augmented"].name, variant.keys)
            for oldest in list(self.pairings)[:-PAIRINGS]:
                del self.pairings[oldest]
        for name, of in ((cell, steps), (status.cell.baseline_id, baseline)):
            for test in ("original", "augmented") if of is steps else ("original",):
                if of is not None and test in of.tests:
                    sums = self.placed(of.tests[test].name, variant.name, test == "original")
                    head = {"cell": name, "test": test, "by_variant": cell if test == "original" else None}
                    yield head, without(sums, self._lacking(of))

    def _placed(self, scoring: str, variant: str, original: bool) -> pa.Table:
        """Sums of a scoring's samples by the scopes of a variant, that was put in place before."""
        assert self.of_pairs is not None
        side = self.pairings[variant].original if original else self.pairings[variant].rewritten
        own = self.scoring(scoring)
        sums = self.of_pairs.summed_file(own.folder, own.projects, self.units.sums, place_of(side))
        return sums.append_column("common", pa.repeat(True, len(sums)))

    def _pairing(self, scoring: str, variant: Sequence[str]) -> Pairing:
        assert self.units.paired is not None
        comments = self.manifests[variant[0]]["document"]["parameters"]["tokens"]["comments"]
        file = self.store.path("evaluate", scoring) / self.units.file
        shards = [self.store.path("variant", key) / "shard.parquet" for key in variant]
        return pairing(self.units.paired, file, shards, comments)

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


def without(samples: pa.Table, lacking: Collection[str]) -> pa.Table:
    """Sums by sample with nothing in these columns."""
    for name in lacking:
        place = samples.schema.get_field_index(name)
        nothing = pa.nulls(len(samples), samples.schema.field(name).type)
        samples = samples.set_column(place, name, nothing)
    return samples


def _table(schema: pa.Schema, table: pa.Table, head: Mapping[str, str | None]) -> pa.Table:
    """The table with the same values in every row; what is named nowhere is null."""
    for field in schema:
        if field.name not in table.column_names:
            value = pa.scalar(head.get(field.name), field.type)
            table = table.append_column(field.name, pa.repeat(value, len(table)))
    return table.select(schema.names).cast(schema)


def _thrown_out(steps: CellSteps, store: Store) -> pa.Array:
    names: list[str] = []
    for key in steps.tested.keys if steps.tested else ():
        table = pq.read_table(store.path("variant", key) / "shard.parquet", columns=["sample", "outcome"])
        names += table.filter(pc.equal(table["outcome"], "thrown_out"))["sample"].to_pylist()
    return pa.array(names, pa.string())
