"""The tables that a simulated grid writes beside its scores."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from analysis.results import FORMAT, SUMS
from tests.simulation.scores import KINDS, Simulation, Split, thrown_out


def samples(
    cell: dict[str, Any], test_name: str, table: pa.Table, test: Split, simulation: Simulation
) -> pd.DataFrame:
    """Sums of one token table by sample and scope."""
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
    out = np.empty(0, int) if cell["baseline"] else thrown_out(cell, simulation, test)
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
    frame["common"] = ~np.isin(number, out)
    return frame[["cell", "test", "sample", "project", "scope", "n_tokens", *SUMS, "common"]]


def metrics(samples: pd.DataFrame) -> pd.DataFrame:
    """Ratios of the sums, over all samples and over the common ones."""
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
