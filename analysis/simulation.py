"""A results folder with known effects, as a grid would write it: for tests, benchmarks and planning a study's
size.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.results import FORMAT, SUMS

KINDS = ("name", "keyword", "operator", "number", "string", "newline", "indent", "dedent", "comment")
SHARES = (0.38, 0.09, 0.33, 0.03, 0.05, 0.08, 0.02, 0.02, 0.0)
Bits = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What is simulated: the axes, the size of the test split and the true effects, in bits per token.

    A rewrite raises the loss of each aligned token by `effects[rewrites] × rate` (half of it for a model
    trained on rewritten text, which pays `clean_cost` on original text), plus a shift of its project with
    standard deviation `project_sd`, plus noise of each token.
    """

    rewrites: Sequence[str] = ("rename", "dead_code", "parens")
    intensities: Sequence[float] = (0.25, 0.5, 1.0)
    train_on: Sequence[str] = ("original", "original+augmented")
    models: Sequence[str] = ("small", "ngram")
    seeds: Sequence[int] = (1, 2)
    projects: int = 12
    samples_per_project: int = 5
    tokens_per_sample: int = 80
    effects: dict[str, float] = field(
        default_factory=lambda: {"rename": 0.8, "dead_code": 0.2, "parens": 0.0}
    )
    clean_cost: float = 0.05
    project_sd: float = 0.1
    thrown_out: float = 0.04
    with_tokens: bool = True

    def effect(self, rewrites: str) -> float:
        return self.effects.get(rewrites, 0.3)


def write(folder: Path, simulation: Simulation | None = None) -> Path:
    """Writes the folder; raises nothing but what the file system raises."""
    simulation = simulation or Simulation()
    (folder / "tokens").mkdir(parents=True)
    grid = list(_cells(simulation))
    cells = pd.DataFrame(grid)
    test = _TestSplit.draw(simulation)
    scored = []
    for cell in grid:
        for name, table in _scores(cell, simulation, test):
            if simulation.with_tokens:
                pq.write_table(table, folder / "tokens" / f"{cell['cell']}-{name}.parquet")
            scored.append(_samples(cell, name, table, test, simulation))
    samples = pd.concat(scored, ignore_index=True)
    samples.to_parquet(folder / "samples.parquet", index=False)
    rewritten = cells[~cells["baseline"]]
    tables = {
        "cells": cells,
        "metrics": _metrics(samples),
        "training": _training(cells),
        "variants": pd.concat([_variants(cell, test) for cell in grid if not cell["baseline"]]),
        "refusals": pd.DataFrame(
            {"cell": rewritten["cell"], "rewrite": rewritten["rewrites"], "reason": "calls_locals", "n": 3}
        ),
        "sites": pd.DataFrame(
            {"cell": rewritten["cell"], "rewrite": rewritten["rewrites"], "n_applied": 90, "n_available": 120}
        ),
    }
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    (folder / "run.json").write_text(
        json.dumps(_run(folder.name, simulation, test), indent=1), encoding="utf-8"
    )
    return folder


def _cells(simulation: Simulation) -> Iterator[dict[str, Any]]:
    def cell(
        rewrites: str | None, intensity: float | None, train_on: str, model: str, seed: int
    ) -> dict[str, Any]:
        baseline = rewrites is None
        key = f"{model}:{seed}" + ("" if train_on == "original" else f":{rewrites}:{intensity}:{train_on}")
        return {
            "cell": _id(rewrites, intensity, train_on, model, seed),
            "rewrites": rewrites,
            "intensity": None if intensity is None else f"{intensity:g}",
            "intensity_value": np.nan if intensity is None else float(intensity),
            "intensity_unit": None if intensity is None else "rate",
            "train_on": train_on,
            "model": model,
            "seed": seed,
            "baseline": baseline,
            "baseline_cell": _id(None, None, "original", model, seed),
            "status": "done",
            "error": None,
            "train_key": hashlib.sha256(key.encode()).hexdigest()[:16],
            "wall_s": 30.0 + 10 * len(model) + seed,
        }

    for model in simulation.models:
        for seed in simulation.seeds:
            yield cell(None, None, "original", model, seed)
            for train_on in simulation.train_on:
                for rewrites in simulation.rewrites:
                    for intensity in simulation.intensities:
                        yield cell(rewrites, intensity, train_on, model, seed)


def _id(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class _TestSplit:
    sample: npt.NDArray[np.int32]  # (T,) number of the sample
    token: npt.NDArray[np.int32]  # (T,) index in the sample
    kind: npt.NDArray[np.uint8]  # (T,)
    difficulty: Bits  # (T,) bits
    project: npt.NDArray[np.int32]  # (N,)
    names: list[str]  # (N,)

    @staticmethod
    def draw(simulation: Simulation) -> "_TestSplit":
        rng = np.random.default_rng(1)
        n = simulation.projects * simulation.samples_per_project
        project = np.repeat(np.arange(simulation.projects, dtype=np.int32), simulation.samples_per_project)
        lengths = rng.integers(
            simulation.tokens_per_sample // 2, simulation.tokens_per_sample * 3 // 2, size=n
        )
        sample = np.repeat(np.arange(n, dtype=np.int32), lengths)
        token = np.arange(len(sample)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        kind = rng.choice(len(KINDS), size=len(sample), p=SHARES).astype(np.uint8)
        hardness = rng.normal(0, 0.4, size=simulation.projects)[project[sample]]
        difficulty = rng.gamma(1.2, 2.0, size=len(sample)) * np.where(kind == 0, 1.6, 0.7) * np.exp(hardness)
        return _TestSplit(
            sample=sample,
            token=token.astype(np.int32),
            kind=kind,
            difficulty=difficulty.astype(np.float32),
            project=project,
            names=[_id("sample", i) + "0000" for i in range(n)],
        )


def _scores(cell: dict[str, Any], simulation: Simulation, test: _TestSplit) -> Iterator[tuple[str, pa.Table]]:
    rng = np.random.default_rng(int(cell["cell"], 16))
    trained = cell["train_on"] != "original"
    model = np.random.default_rng(int(cell["train_key"], 16))  # the same model gives the same scores
    bits = test.difficulty * (0.9 + 0.2 * simulation.models.index(cell["model"])) + model.normal(0, 0.02)
    bits = bits + model.normal(0, 0.1, size=len(bits)) + (simulation.clean_cost if trained else 0.0)
    n = len(bits)
    order = np.arange(n)
    yield "original", _table(test, order, test.token, np.zeros(n, np.uint8), bits)
    if cell["baseline"]:
        return
    rate = cell["intensity_value"]
    shift = rng.normal(0, simulation.project_sd, size=simulation.projects) * rate
    raised = simulation.effect(cell["rewrites"]) * rate * (0.5 if trained else 1.0)
    aligned = bits + raised + shift[test.project[test.sample]] + rng.normal(0, 0.2, size=n)
    renamed = (test.kind == 0) & (rng.random(n) < rate) & ("rename" in cell["rewrites"])
    inserted = rng.random(n) < 0.1 * rate
    kept = ~np.isin(test.sample, _thrown_out(cell, simulation, test))
    order = np.repeat(order, 1 + inserted)
    second = np.r_[False, order[1:] == order[:-1]]
    change = np.where(second, 2, renamed[order]).astype(np.uint8)
    rows = kept[order]
    order, change = order[rows], change[rows]
    origin = np.where(change == 2, -1, test.token[order]).astype(np.int32)
    yield "augmented", _table(test, order, origin, change, aligned[order])


def _thrown_out(cell: dict[str, Any], simulation: Simulation, test: _TestSplit) -> npt.NDArray[np.int64]:
    n = round(simulation.thrown_out * cell["intensity_value"] * len(test.names))
    return np.random.default_rng(7).permutation(len(test.names))[:n]


def _table(
    test: _TestSplit,
    order: npt.NDArray[Any],
    origin: npt.NDArray[Any],
    change: npt.NDArray[np.uint8],
    bits: npt.NDArray[Any],
) -> pa.Table:
    bits = np.maximum(bits, 0.01).astype(np.float32)
    sample = test.sample[order]
    starts = np.r_[0, np.flatnonzero(np.diff(sample)) + 1]
    token = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    rank = np.floor(np.exp2(np.minimum(bits, 8.0) * 0.6)).astype(np.uint8)
    return pa.table(
        {
            "sample": pa.DictionaryArray.from_arrays(sample, pa.array(test.names)),
            "token": token.astype(np.int32),
            "kind": test.kind[order],
            "origin": origin,
            "change": change,
            "nll_bits": bits,
            "rank": np.where(rank > 10, 0, rank).astype(np.uint8),
            "n_subwords": np.full(len(order), 2, np.uint8),
            "n_bytes": np.full(len(order), 4, np.uint8),
        }
    )


def _samples(
    cell: dict[str, Any], test_name: str, table: pa.Table, test: _TestSplit, simulation: Simulation
) -> pd.DataFrame:
    kind, change = table["kind"].to_numpy(), table["change"].to_numpy()
    rank = table["rank"].to_numpy().astype(float)
    number = table["sample"].combine_chunks().indices.to_numpy()
    sums = {
        "nll_bits": table["nll_bits"].to_numpy().astype(float),
        "accuracy_1": (rank == 1).astype(float),
        "accuracy_5": ((rank > 0) & (rank <= 5)).astype(float),
        "accuracy_10": (rank > 0).astype(float),
        "reciprocal_rank_10": np.divide(1, rank, out=np.zeros_like(rank), where=rank > 0),
        "n_bytes": table["n_bytes"].to_numpy().astype(float),
    }
    scopes = {"all": np.ones(len(kind), bool), "identifier": kind == 0}
    scopes |= {f"kind:{name}": kind == code for code, name in enumerate(KINDS)}
    if test_name == "augmented":
        scopes |= {"aligned": change < 2, "aligned_identifier": (change < 2) & (kind == 0)}
        scopes |= {"unchanged": change == 0, "renamed": change == 1, "inserted": change == 2}
    thrown_out = np.empty(0, int) if cell["baseline"] else _thrown_out(cell, simulation, test)
    n, names = len(test.names), np.array(test.names)
    columns: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in ("number", "scope", "n_tokens", *SUMS)}
    for scope, rows in scopes.items():
        n_tokens = np.bincount(number[rows], minlength=n)
        there = np.flatnonzero(n_tokens)
        columns["number"].append(there)
        columns["scope"].append(np.full(len(there), scope, dtype=object))
        columns["n_tokens"].append(n_tokens[there])
        for name, values in sums.items():
            columns[name].append(np.bincount(number[rows], weights=values[rows], minlength=n)[there])
    frame = pd.DataFrame({name: np.concatenate(parts) for name, parts in columns.items()})
    number = frame.pop("number").to_numpy()
    frame["cell"], frame["test"], frame["sample"] = cell["cell"], test_name, names[number]
    frame["project"] = np.array([f"project{i:02d}" for i in range(simulation.projects)])[test.project[number]]
    frame["common"] = ~np.isin(number, thrown_out)
    return frame[["cell", "test", "sample", "project", "scope", "n_tokens", *SUMS, "common"]]


def _metrics(samples: pd.DataFrame) -> pd.DataFrame:
    frames = []
    for which in ("all", "common"):
        rows = samples if which == "all" else samples[samples["common"]]
        sums = rows.groupby(["cell", "test", "scope"], sort=False)[["n_tokens", *SUMS]].sum()
        sums["n_samples"] = rows.groupby(["cell", "test", "scope"], sort=False).size()
        values = {
            "entropy": sums["nll_bits"] / sums["n_tokens"],
            "bits_per_byte": sums["nll_bits"] / sums["n_bytes"],
            "perplexity": np.exp2(sums["nll_bits"] / sums["n_tokens"]),
            "accuracy_1": sums["accuracy_1"] / sums["n_tokens"],
            "accuracy_5": sums["accuracy_5"] / sums["n_tokens"],
            "accuracy_10": sums["accuracy_10"] / sums["n_tokens"],
            "mrr_10": sums["reciprocal_rank_10"] / sums["n_tokens"],
        }
        for name, value in values.items():
            frame = sums[["n_tokens", "n_samples"]].reset_index()
            frame["value"] = np.asarray(value, dtype=float)
            frames.append(frame.assign(metric=name, samples=which))
    return pd.concat(frames, ignore_index=True)


def _training(cells: pd.DataFrame) -> pd.DataFrame:
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


def _variants(cell: dict[str, Any], test: _TestSplit) -> pd.DataFrame:
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


def _run(name: str, simulation: Simulation, test: _TestSplit) -> dict[str, Any]:
    n = len(test.names)
    return {
        "format": FORMAT,
        "name": name,
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
