"""Reads a results folder: the only place that knows its files; tables are loaded when they are first asked
for.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.statistics.crossed import Layout
from analysis.statistics.descriptions import BadDescription, Description
from analysis.statistics.metrics import Metric

FORMAT = 1
"""The version of the results folder that this package reads (`format` in run.json)."""
UNDESCRIBED = Path(__file__).parent / "completion-1.json"
"""What a folder holds whose run.json has no `task`: it was written before results described themselves."""

SEEDS = ("seed", "rewriting_seed")
"""The axes in which repetitions differ: of the training, and of the choice of sites and names."""
LATER = (
    "invisible",
    "train_steps",
    "train_original_tokens",
    "train_original_passes",
    "train_flops",
)
"""Columns of cells that folders of earlier versions don't have."""

NOT_AXES = frozenset(
    [
        "cell",
        "intensity_value",
        "intensity_unit",
        "test_rewrites",
        "test_intensity",
        "test_intensity_value",
        "test_intensity_unit",
        "test_rewriting_seed",
        "baseline",
        "baseline_cell",
        "status",
        "error",
        "train_key",
        *LATER,
        "wall_s",
    ]
)
COLUMNS: dict[str, tuple[str, ...]] = {
    table: tuple(columns.split())
    for table, columns in {
        "cells": "cell rewrites intensity intensity_value intensity_unit train_on model seed "
        "baseline baseline_cell status error train_key wall_s",
        "metrics": "cell test samples scope metric value n_samples",
        "samples": "cell test sample project scope common",
        "strata": "cell test samples scope project by stratum",
        "training": "cell step seconds train_bits valid_bits learning_rate",
        "variants": "cell split outcome reason n_samples n_tokens_original n_tokens n_bytes_original n_bytes",
        "refusals": "cell rewrite reason n",
        "sites": "cell rewrite n_applied n_available",
        "scorings": "cell test searched cut_off best_cut_off",
        "naturalness": "cell n_texts n_projects n_inserted n_renamed inserted_bits renamed_bits "
        "replaced_bits original_bits auc auc_low auc_high",
        "examples": "cell choice sample project path license n_tokens n_candidates change_bits "
        "original rewritten",
        "jobs": "job kind n_steps n_done wall_s log cells",
        "tokens": "sample token kind origin change nll_bits rank n_subwords n_bytes",
    }.items()
}
"""What every folder has; `metrics`, `samples` and `strata` also have the columns that the task names."""
NEVER_NAN = {"metrics": ("value",), "tokens": ("nll_bits",)}


class BadResults(ValueError):  # noqa: N818 - it names what is wrong, not that something is
    """The results folder can't be used; the message names the file, the place in it and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class StrataTable:
    """The R rows of strata.parquet as numbers; `rows` are those of one scoring, by what orders the units,
    cell, test set, samples and scope.
    """

    rows: Mapping[Any, npt.NDArray[np.int64]]
    project: npt.NDArray[np.int64]  # (R,) codes
    projects: npt.NDArray[Any]  # names by code
    stratum: npt.NDArray[np.int64]  # (R,)
    sums: Mapping[str, npt.NDArray[np.float64]]  # (R,) each


class Results:
    """One results folder, `results/<name>/`.

    `task` says which units, sums, metrics and scopes there are. Raises `BadResults` when the folder, run.json
    or cells.parquet can't be read, when the format is of another version, or when a cell names a baseline
    that isn't there.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._samples: dict[Any, pd.DataFrame] = {}
        if not self.folder.is_dir():
            raise BadResults(f"{self.folder}: there is no such folder")
        self.run = self._run()
        self.task = self._task()
        self.cells = self._cells()
        self._check_baselines()

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r}: {len(self.cells)} cells, {len(self.done)} done)"

    @cached_property
    def documented(self) -> tuple[str, ...]:
        """The sets of rewrites whose docstrings follow new names: *names + documentation*, a class apart."""
        sets = (self.run.get("spec") or {}).get("rewrites") or {}
        found: list[str] = []
        for name, written in sets.items():
            entries = written["rewrites"] if isinstance(written, dict) else written
            if any(options.get("documentation") == "follow" for _, options in entries):
                found.append(name)
        return tuple(found)

    @property
    def name(self) -> str:
        """The grid's name."""
        return str(self.run.get("name") or self.folder.name)

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The columns of `cells` that say which point of the grid a cell is; `rewriting_seed` where the spec
        sets it apart from the seed.
        """
        drawn = self.cells["rewriting_seed"]
        tied = bool((drawn.isna() | drawn.eq(self.cells["seed"])).all())
        left_out = {*NOT_AXES, *(["rewriting_seed"] if tied else [])}
        return tuple(column for column in self.cells.columns if column not in left_out)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The axes without the seeds: cells that agree in these are repetitions of one another."""
        return tuple(axis for axis in self.axes if axis not in SEEDS)

    def layout(self, cells: Iterable[str]) -> Layout:
        """Which of these cells share a training seed, and which a draw of the rewriting."""
        return Layout.of(*zip(*(self._labels[cell] for cell in cells), strict=True))

    @cached_property
    def _labels(self) -> dict[str, tuple[str, ...]]:
        """The labels of the seeds of each cell."""
        labels = (self.cells[name].astype(str) for name in SEEDS if name in self.cells)
        return dict(zip(self.cells["cell"], zip(*labels, strict=True), strict=True))

    @cached_property
    def shared_projects(self) -> bool:
        """Whether the same projects stand in train and test; also where only some of the corpora have it so.

        By what the spec says of the split, and, where the corpora counted them, by how many there are.
        """
        split = ((self.run.get("spec") or {}).get("corpus") or {}).get("split") or {}
        found = self.run.get("corpus") or []
        corpora = found if isinstance(found, list) else [found]
        by_file = split.get("by") == "file" and split.get("train") != 0
        return by_file or any(facts.get("shared_projects") for facts in corpora)

    @cached_property
    def primary(self) -> dict[str, Any]:
        """What was named before the run as the comparison that matters most; empty where nothing was."""
        return dict(self._claims.get("primary") or {})

    def margin(self, metric: Metric) -> float | None:
        """The smallest effect that matters, as named before the run; None where none was."""
        return self._margins.get(metric.name)

    @cached_property
    def _claims(self) -> Mapping[str, Any]:
        claims = self.run.get("claims")
        return claims if isinstance(claims, Mapping) else {}

    @cached_property
    def _margins(self) -> dict[str, float]:
        """Raises `BadResults` for a margin that isn't a positive number of a metric that there is."""
        margins = dict(self._claims.get("margin") or {})
        for name, margin in margins.items():
            if name not in self.task.by_name or not isinstance(margin, int | float) or not margin > 0:
                raise BadResults(
                    f"{self.folder / 'run.json'}: claims.margin.{name}: {margin!r}; a margin is a positive "
                    f"number, of one of {', '.join(self.task.by_name)}"
                )
        return margins

    @cached_property
    def done(self) -> pd.DataFrame:
        """The cells that finished and whose scores are there."""
        scored = set(self.scored)
        return self.cells[(self.cells["status"] == "done") & self.cells["cell"].isin(scored)]

    @cached_property
    def missing(self) -> pd.DataFrame:
        """The cells without results, with the reason in `error`."""
        missing = self.cells[~self.cells["cell"].isin(self.done["cell"])].copy()
        silent = missing["status"].eq("done")
        missing.loc[silent, "error"] = "finished, but it has no rows in samples.parquet"
        missing["error"] = missing["error"].fillna("").replace("", "did not run")
        return missing

    @cached_property
    def scored(self) -> tuple[str, ...]:
        """The cells that have rows in samples.parquet."""
        table = self._read("samples", columns=["cell"])
        return tuple(table.column("cell").unique().to_pylist())

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """One row per cell × test × samples × scope × metric."""
        return self._frame("metrics")

    @cached_property
    def training(self) -> pd.DataFrame:
        """Learning curves: one row per cell × step."""
        return self._frame("training")

    @cached_property
    def variants(self) -> pd.DataFrame:
        """What became of the samples of each cell's variant: counts by split, outcome and reason."""
        return self._frame("variants")

    @cached_property
    def refusals(self) -> pd.DataFrame:
        """How often a rewrite was refused, by cell and reason."""
        return self._frame("refusals")

    @cached_property
    def examples(self) -> list[dict[str, Any]]:
        """Excerpts of samples before and after; empty for a folder that was written without them."""
        return self._optional("examples")

    @cached_property
    def jobs(self) -> list[dict[str, Any]]:
        """What was done in one go: its steps, the end of its log, and the cells that rest on it."""
        return self._optional("jobs")

    @cached_property
    def sites(self) -> pd.DataFrame:
        """How many sites each rewrite was applied to, by cell."""
        return self._frame("sites")

    @cached_property
    def scorings(self) -> pd.DataFrame:
        """How many searches for ranks were cut off, by cell and test set; empty in an older folder."""
        return pd.DataFrame(self._optional("scorings"), columns=[*COLUMNS["scorings"]])

    @cached_property
    def naturalness(self) -> pd.DataFrame:
        """How natural each cell's variant is; empty in a folder without such measurements."""
        rows = self._optional("naturalness")
        return pd.DataFrame(rows, columns=[*COLUMNS["naturalness"]])

    def samples(self, scopes: Sequence[str], cells: Sequence[str] | None = None) -> pd.DataFrame:
        """Sums per cell × test × sample for the scopes (and cells) asked for; only these are read from disk,
        and once.

        A sum that nothing asked for is not a number in any row of a cell. `by_variant`: of the units of an
        original text that the variant of that cell decides on; null in all other rows.
        """
        key = tuple(scopes), None if cells is None else tuple(cells)
        if key not in self._samples:
            filters = [("scope", "in", list(key[0]))]
            filters += [] if key[1] is None else [("cell", "in", list(key[1]))]
            frame = self._frame("samples", filters=filters)
            if "by_variant" not in frame:  # a folder from before there were such scopes
                frame["by_variant"] = None
            for column in self.task.sums:
                if column.optional and column.name not in frame:
                    frame[column.name] = np.nan
            self._check_optional(frame)
            self._samples[key] = frame
        return self._samples[key]

    @cached_property
    def strata(self) -> "StrataTable | None":
        """Sums by stratum and project; None in a folder without them."""
        if not (self.folder / "strata.parquet").is_file():
            return None
        frame = self._frame("strata")
        keys = ["by", "cell", "test", "samples", "scope"]
        project, names = pd.factorize(frame["project"])
        numbers = [name for name in frame.columns if name not in COLUMNS["strata"]]
        by_scoring = frame.groupby(keys, sort=False, observed=True).indices
        return StrataTable(
            rows={key: np.asarray(rows) for key, rows in by_scoring.items()},
            project=project,
            projects=np.asarray(names, dtype=object),
            stratum=frame["stratum"].to_numpy(np.int64),
            sums={name: frame[name].to_numpy(float) for name in numbers},
        )

    def metric(self, name: str) -> Metric:
        """The metric of this name; raises `BadResults` with the valid names."""
        if name not in self.task.by_name:
            raise BadResults(f"no metric {name!r}; there are {', '.join(self.task.by_name)}")
        return self.task.by_name[name]

    @cached_property
    def reported(self) -> tuple[str, ...]:
        """The metrics whose differences every report tells, of those that any cell was scored for."""
        known = set(self.metrics["metric"].unique())
        every = self.task.by_name.values()
        return tuple(one.name for one in every if one.differences == "reported" and one.name in known)

    @cached_property
    def n_tokens_rows(self) -> int:
        """Rows in all token tables together, from the files' footers."""
        return sum(pq.read_metadata(file).num_rows for file in (self.folder / "tokens").glob("*.parquet"))

    def has_tokens(self, cell: str, test: str) -> bool:
        """Whether there is a token table of this cell on this test set."""
        return self._token_file(cell, test).is_file()

    def tokens(self, cell: str, test: str, columns: Sequence[str] = COLUMNS["tokens"]) -> pa.Table:
        """One row per scored token of one cell on one test set, in the order of the texts."""
        return self._read(f"tokens/{cell}-{test}", columns=list(columns))

    def baseline(self, cell: str) -> str:
        """The id of the cell's baseline; raises `BadResults` where that one has no results."""
        row = self.cells.set_index("cell").loc[cell]
        name = str(row["baseline_cell"]) if not row["baseline"] else cell
        if name not in set(self.done["cell"]):
            raise BadResults(
                f"{self.folder / 'cells.parquet'}: the baseline {name} of cell {cell} has no results"
            )
        return name

    def _token_file(self, cell: str, test: str) -> Path:
        return self.folder / "tokens" / f"{cell}-{test}.parquet"

    def _run(self) -> dict[str, Any]:
        file = self.folder / "run.json"
        try:
            run = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadResults(f"{file}: missing; is {self.folder} the results folder of a grid?") from None
        except (OSError, ValueError) as error:
            raise BadResults(f"{file}: not readable as JSON ({error})") from None
        version = run.get("format") if isinstance(run, dict) else None
        if version != FORMAT:
            raise BadResults(
                f"{file}: format is {version!r}; this version of augrid reads format {FORMAT}. "
                "Run the grid again (finished steps are taken from the store) to write the tables anew"
            )
        assert isinstance(run, dict)
        return run

    def _task(self) -> Description:
        plain = self.run.get("task")
        if plain is None:
            plain = json.loads(UNDESCRIBED.read_text(encoding="utf-8"))
        try:
            return Description.from_plain(plain)
        except BadDescription as error:
            raise BadResults(
                f"{self.folder / 'run.json'}: what the task says of its results: {error}"
            ) from None

    def _required(self, table: str) -> tuple[str, ...]:
        """The columns that a table has by what the task says; they are never without a number."""
        if table not in ("metrics", "samples", "strata"):
            return ()
        sums = (one.name for one in self.task.sums if not one.optional and table == "samples")
        return (self.task.unit.count, *sums)

    def _cells(self) -> pd.DataFrame:
        cells = self._frame("cells")
        if "rewriting_seed" not in cells:  # a folder from before it could be apart from the seed
            cells["rewriting_seed"] = cells["seed"].where(~cells["baseline"].astype(bool))
        for name in ("rewrites", "intensity", "intensity_value", "intensity_unit", "rewriting_seed"):
            if f"test_{name}" not in cells:  # or before there was another test set than the cell's own
                cells[f"test_{name}"] = cells[name]
        for name in LATER:
            if name not in cells:
                cells[name] = None
        for name in ("rewriting_seed", "test_rewriting_seed"):
            cells[name] = cells[name].astype("Int64")
        file = self.folder / "cells.parquet"
        if cells.empty:
            raise BadResults(f"{file}: no cells")
        odd = [name for name in cells["cell"] if not re.fullmatch(r"[\w.-]+", str(name))]
        if odd:
            raise BadResults(f"{file}: {odd[0]!r} is not a cell id")
        twice = cells["cell"][cells["cell"].duplicated()]
        if len(twice):
            raise BadResults(f"{file}: cell {twice.iloc[0]} stands there twice")
        return cells

    def _check_baselines(self) -> None:
        rewritten = self.cells[~self.cells["baseline"].astype(bool)]
        absent = rewritten[~rewritten["baseline_cell"].isin(self.cells["cell"])]
        if len(absent):
            lines = [
                f"{row['baseline_cell']} of {row['cell']} ({describe(row, self.axes)})"
                for _, row in absent.head(5).iterrows()
            ]
            more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
            raise BadResults(
                f"{self.folder / 'cells.parquet'}: absent baseline: {'; '.join(lines)}{more}; "
                "a comparison without its baseline means nothing"
            )

    def _check_optional(self, samples: pd.DataFrame) -> None:
        """A cell has a sum in all rows or in none."""
        for name in (one.name for one in self.task.sums if one.optional):
            lacking = samples[name].isna()
            torn = samples[~lacking & samples["cell"].isin(samples.loc[lacking, "cell"])]
            if len(torn):
                raise BadResults(
                    f"{self.folder / 'samples.parquet'}: {name} is not a number in some rows of cell "
                    f"{torn['cell'].iloc[0]} and is one in others"
                )

    def _frame(self, table: str, **reading: Any) -> pd.DataFrame:
        frame: pd.DataFrame = self._read(table, **reading).to_pandas()
        for column in (*NEVER_NAN.get(table, ()), *self._required(table)):
            if (
                column in frame
                and not np.isfinite(frame[column].to_numpy(dtype=float, na_value=np.nan)).all()
            ):
                bad = frame[~np.isfinite(frame[column].astype(float))]
                raise BadResults(
                    f"{self.folder / table}.parquet: {column} is not a number in {len(bad)} rows, "
                    f"the first of cell {bad['cell'].iloc[0]}; a missing result must be a missing row"
                )
        return frame

    def _optional(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table that folders of earlier versions don't have."""
        if not (self.folder / f"{table}.parquet").is_file():
            return []
        rows: list[dict[str, Any]] = self._read(table).to_pylist()
        return rows

    def _read(self, table: str, columns: list[str] | None = None, filters: Any = None) -> pa.Table:
        file = self.folder / f"{table}.parquet"
        needed = columns or [*COLUMNS.get(table, ()), *self._required(table)]
        try:
            with pq.ParquetFile(file) as opened:
                known = opened.schema_arrow.names
                absent = [column for column in needed if column not in known]
                if absent:
                    raise BadResults(f"{file}: no column {', '.join(absent)}; it has {', '.join(known)}")
                if filters is None:
                    return opened.read(columns=columns, use_threads=False)
            return pq.read_table(file, columns=columns, filters=filters, partitioning=None)
        except FileNotFoundError:
            raise BadResults(f"{file}: missing") from None
        except (OSError, pa.ArrowException) as error:
            raise BadResults(f"{file}: not readable as Parquet ({error})") from None


def flat(value: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Nested facts, each with its path: {"samples": {"train": 3}} → ("samples", "train"), 3."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flat(inner, *path, str(key))
    else:
        yield path, value


def describe(row: "pd.Series[Any] | Mapping[Any, Any]", axes: Sequence[str]) -> str:
    """A cell or group in words: "rename 0.5, original, small, seed 1"."""
    words = []
    for axis in axes:
        value = row.get(axis)
        if value is None or value is pd.NA or value == "" or (isinstance(value, float) and np.isnan(value)):
            continue
        plain = axis in ("rewrites", "intensity", "train_on", "model")
        words.append(str(value) if plain else f"{axis} {value}")
    return ", ".join(words)
