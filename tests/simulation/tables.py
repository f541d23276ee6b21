"""The tables that a simulated grid writes beside its scores."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from analysis.results import FORMAT
from grid.results.scored_strata import Counter
from preprocessing.lexer.tokens import KINDS
from tasks import completion
from tasks.units import values_of
from tests.simulation.scores import Simulation, Split, thrown_out

STRATA = Counter(completion.UNITS, completion.DESCRIPTION.metrics).table


def samples(
    cell: dict[str, Any], test_name: str, table: pa.Table, test: Split, simulation: Simulation
) -> pd.DataFrame:
    """Sums of one token table by sample and scope."""
    kind, change = table["kind"].to_numpy(), table["change"].to_numpy()
    number = table["sample"].combine_chunks().indices.to_numpy()
    sums = {one.name: values_of(table, one) for one in completion.SUMS}
    scopes = {"all": np.ones(len(kind), bool), "identifier": kind == 0}
    scopes |= {f"kind:{name}": kind == code for code, name in enumerate(KINDS)}
    if test_name == "augmented":
        scopes |= {"aligned": change < 2, "aligned_identifier": (change < 2) & (kind == 0)}
        scopes |= {"unchanged": change == 0, "renamed": change == 1, "inserted": change == 2}
    out = np.empty(0, int) if cell["baseline"] else thrown_out(cell, simulation, test)
    n, names = len(test.names), np.array(test.names)
    columns: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in ("number", "scope", "n_tokens", *sums)}
    for scope, rows in scopes.items():
        n_tokens = np.bincount(number[rows], minlength=n)
        there = np.flatnonzero(n_tokens)
        columns["number"].append(there)
        columns["scope"].append(np.full(len(there), scope, dtype=object))
        columns["n_tokens"].append(n_tokens[there])
        for name, values in sums.items():
            lacking = np.full(len(there), np.nan)
            summed = None if values is None else np.bincount(number[rows], weights=values[rows], minlength=n)
            columns[name].append(lacking if summed is None else summed[there])
    frame = pd.DataFrame({name: np.concatenate(parts) for name, parts in columns.items()})
    number = frame.pop("number").to_numpy()
    frame["cell"], frame["test"], frame["sample"] = cell["cell"], test_name, names[number]
    frame["project"] = _projects(simulation)[test.project[number]]
    frame["common"] = ~np.isin(number, out)
    return frame[["cell", "test", "sample", "project", "scope", "n_tokens", *sums, "common"]]


def _projects(simulation: Simulation) -> npt.NDArray[Any]:
    return np.array([f"project{i:02d}" for i in range(simulation.projects)])


def strata(folder: Path, grid: Sequence[dict[str, Any]], test: Split, simulation: Simulation) -> pa.Table:
    """Of all token tables in the folder, as the grid makes them."""
    projects = dict(zip(test.names, _projects(simulation)[test.project].tolist(), strict=True))
    scopes, tables = completion.DESCRIPTION.comparable, []
    for cell in grid:
        gone = () if cell["baseline"] else thrown_out(cell, simulation, test).tolist()
        left_out = {test.names[number] for number in gone}
        sets = [(cell["cell"], "original", "all"), (cell["cell"], "augmented", "all")]
        sets += [
            (name, "original", cell["cell"]) for name in (cell["cell"], cell["baseline_cell"]) if left_out
        ]
        for name, test_name, of in sets:
            units = replace(completion.UNITS, file=f"tokens/{name}-{test_name}.parquet")
            kept = set(scopes if test_name == "original" else scopes.values())
            if (folder / units.file).exists():
                counter = Counter(units, completion.DESCRIPTION.metrics)
                rows = counter.count(folder, projects, set() if of == "all" else left_out, kept).rows
                head = {"cell": name, "test": test_name, "samples": of}
                tables.append(rows.to_pandas().assign(**head))
    return pa.Table.from_pandas(pd.concat(tables)[STRATA.names], STRATA, preserve_index=False)


def metrics(samples: pd.DataFrame, strata: pd.DataFrame) -> pd.DataFrame:
    """What the sums give, over all samples and over the common ones; of strata over all samples alone."""
    frames, sums_of = [], ["n_tokens", *(one.name for one in completion.SUMS)]
    for which in ("all", "common"):
        rows = samples if which == "all" else samples[samples["common"]]
        grouped = rows.groupby(["cell", "test", "scope"], sort=False)
        sums = grouped[sums_of].sum(min_count=1)
        frame = sums[["n_tokens"]].assign(n_samples=grouped.size()).reset_index()
        for one in completion.DESCRIPTION.metrics:
            if one.by is None:
                value = one.of({name: sums[name].to_numpy(float) for name in one.sums})
                frames.append(frame.assign(metric=one.name, samples=which, value=value))
    for key, rows in strata[strata["samples"] == "all"].groupby(["cell", "test", "scope"], sort=False):
        sums = rows.groupby("stratum")[["n_tokens", "confidence", "accuracy_1"]].sum()
        about = dict(zip(("cell", "test", "scope"), key, strict=True)) | {"samples": "all", "n_samples": 0}
        for one in completion.DESCRIPTION.metrics:
            if one.by is not None:
                overall = float(one.of({name: sums[name].to_numpy() for name in one.sums}))
                n = {"n_tokens": round(sums["n_tokens"].sum())}
                frames.append(pd.DataFrame([{**about, **n, "metric": one.name, "value": overall}]))
    table = pd.concat(frames, ignore_index=True)
    finite: pd.DataFrame = table[np.isfinite(table["value"])]
    return finite


def training(cells: pd.DataFrame) -> pd.DataFrame:
    """A learning curve for every cell."""
    steps = np.arange(0, 500, 50)
    frames = []
    for cell in cells.itertuples():
        loss = 4 + 6 * np.exp(-steps / 120) + 0.02 * np.sin(steps + int(str(cell.cell), 16) % 7)
        frames.append(
            pd.DataFrame(
                {
                    "cell": cell.cell,
                    "step": steps,
                    "seconds": steps
                    * 0.1
                    * len(str(cell.model))
                    * (1 if cell.train_on == "original" else 1.9),
                    "train_bits": loss - 0.3,
                    "valid_bits": loss,
                    "learning_rate": 1e-3,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def variants(cell: dict[str, Any], test: Split) -> pd.DataFrame:
    """What became of the samples of one cell's variant, by split."""
    rate = cell["intensity_value"]
    rows = []
    for split, share in (("train", 8.0), ("valid", 1.0), ("test", 1.0)):
        n = int(len(test.names) * share)
        out = int(n * 0.04 * rate)
        for outcome, reason, count in (
            ("rewritten", None, n - out - 2),
            ("unchanged", "no_sites", 2),
            ("thrown_out", "max_tokens", out),
        ):
            tokens = int(count * len(test.sample) / len(test.names))
            grown = int(tokens * (1 + 0.1 * rate)) if outcome == "rewritten" else tokens
            rows.append(
                {
                    "cell": cell["cell"],
                    "split": split,
                    "outcome": outcome,
                    "reason": reason,
                    "n_samples": count,
                    "n_tokens_original": tokens,
                    "n_tokens": 0 if outcome == "thrown_out" else grown,
                    "n_bytes_original": tokens * 4,
                    "n_bytes": 0 if outcome == "thrown_out" else grown * 4,
                }
            )
    return pd.DataFrame(rows)


def run(name: str, simulation: Simulation, test: Split) -> dict[str, Any]:
    """What a run leaves in run.json."""
    n = len(test.names)
    return {
        "format": FORMAT,
        "name": name,
        "task": completion.DESCRIPTION.plain(),
        "spec": {
            "name": name,
            "axes": {"rewrites": list(simulation.rewrites), "seed": list(simulation.seeds)},
        },
        "spec_text": f"name: {name}\naxes:\n  rewrites: [{', '.join(simulation.rewrites)}]\n",
        "seeds": list(simulation.seeds),
        "versions": {"python": "3.11.7", "augrid": "0.1.0"},
        "git": {"commit": "0" * 40, "dirty": False},
        "host": {"name": "simulated", "cpus": 2},
        "corpus": {
            "samples": {"train": 8 * n, "valid": n, "test": n},
            "excluded": {"syntax_error": 3, "duplicate": 12},
            "licences": {"PSF-2.0": 10 * n},
        },
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:05:00+00:00",
        "wall_s": 300.0,
        "command": f"augrid run {name}",
    }
