"""What a simulated grid's models score: the test split, and the bits of each token under each cell."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from preprocessing.lexer.tokens import KINDS

SHARES = (0.38, 0.09, 0.33, 0.03, 0.05, 0.08, 0.02, 0.02, 0.0)
Bits = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What is simulated: the axes, the size of the test split and the true effects, in bits per token.

    A rewrite raises the loss of each aligned token by `effects[rewrites] × rate` (half of it for a model
    trained on rewritten text, which pays `clean_cost` on original text), plus a shift of its project with
    standard deviation `project_sd`, plus noise of each token. `with_best`: tokens say how probable the best
    one was, so that there are confidence, calibration and F1.
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
    with_best: bool = False

    def effect(self, rewrites: str) -> float:
        return self.effects.get(rewrites, 0.3)


@dataclass(frozen=True, kw_only=True)
class Split:
    """The test split: T tokens of N samples, and how hard each token is."""

    sample: npt.NDArray[np.int32]  # (T,) number of the sample
    token: npt.NDArray[np.int32]  # (T,) index in the sample
    kind: npt.NDArray[np.uint8]  # (T,)
    difficulty: Bits  # (T,) bits
    project: npt.NDArray[np.int32]  # (N,)
    names: list[str]  # (N,)

    @staticmethod
    def draw(simulation: Simulation) -> "Split":
        """The same for every simulation of this size."""
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
        return Split(
            sample=sample,
            token=token.astype(np.int32),
            kind=kind,
            difficulty=difficulty.astype(np.float32),
            project=project,
            names=[cell_id("sample", i) + "0000" for i in range(n)],
        )


def scores(cell: dict[str, Any], simulation: Simulation, test: Split) -> Iterator[tuple[str, pa.Table]]:
    """The token tables of one cell, by test set."""
    rng = np.random.default_rng(int(cell["cell"], 16))
    trained = cell["train_on"] != "original"
    model = np.random.default_rng(int(cell["train_key"], 16))  # the same model gives the same scores
    bits = test.difficulty * (0.9 + 0.2 * simulation.models.index(cell["model"])) + model.normal(0, 0.02)
    bits = bits + model.normal(0, 0.1, size=len(bits)) + (simulation.clean_cost if trained else 0.0)
    n = len(bits)
    order = np.arange(n)
    best = simulation.with_best
    yield "original", _table(test, order, test.token, np.zeros(n, np.uint8), bits, best)
    if cell["baseline"]:
        return
    rate = cell["intensity_value"]
    shift = rng.normal(0, simulation.project_sd, size=simulation.projects) * rate
    raised = simulation.effect(cell["rewrites"]) * rate * (0.5 if trained else 1.0)
    aligned = bits + raised + shift[test.project[test.sample]] + rng.normal(0, 0.2, size=n)
    renamed = (test.kind == 0) & (rng.random(n) < rate) & ("rename" in cell["rewrites"])
    inserted = rng.random(n) < 0.1 * rate
    kept = ~np.isin(test.sample, thrown_out(cell, simulation, test))
    order = np.repeat(order, 1 + inserted)
    second = np.r_[False, order[1:] == order[:-1]]
    change = np.where(second, 2, renamed[order]).astype(np.uint8)
    rows = kept[order]
    order, change = order[rows], change[rows]
    origin = np.where(change == 2, -1, test.token[order]).astype(np.int32)
    yield "augmented", _table(test, order, origin, change, aligned[order], best)


def thrown_out(cell: dict[str, Any], simulation: Simulation, test: Split) -> npt.NDArray[np.int64]:
    """Numbers of the samples that this cell's size rule threw out."""
    n = round(simulation.thrown_out * cell["intensity_value"] * len(test.names))
    return np.random.default_rng(7).permutation(len(test.names))[:n]


def _table(
    test: Split,
    order: npt.NDArray[Any],
    origin: npt.NDArray[Any],
    change: npt.NDArray[np.uint8],
    bits: npt.NDArray[Any],
    best: bool,
) -> pa.Table:
    bits = np.maximum(bits, 0.01).astype(np.float32)
    sample = test.sample[order]
    starts = np.r_[0, np.flatnonzero(np.diff(sample)) + 1]
    token = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    rank = np.floor(np.exp2(np.minimum(bits, 8.0) * 0.6)).astype(np.uint8)
    n = len(order)
    table = pa.table(
        {
            "sample": pa.DictionaryArray.from_arrays(sample, pa.array(test.names)),
            "token": token.astype(np.int32),
            "kind": test.kind[order],
            "origin": origin,
            "change": change,
            "nll_bits": bits,
            "rank": np.where(rank > 10, 0, rank).astype(np.uint8),
            "n_subwords": np.full(n, 2, np.uint8),
            "n_bytes": np.full(n, 4, np.uint8),
        }
    )
    if not best:
        return table
    shared = np.where(test.kind[order] == 0, np.where(rank == 1, 2, token % 2), 0).astype(np.uint16)
    both = np.where(test.kind[order] == 0, 4, 0).astype(np.uint16)
    of_best = (np.minimum(bits, 8) * (0.3 + 0.4 * (token % 7) / 6)).astype(np.float32)
    for name, column in (("best_bits", of_best), ("f1_shared", shared), ("f1_both", both)):
        table = table.append_column(name, pa.array(column))
    return table


def cell_id(*parts: object) -> str:
    """Twelve hex digits that stand for these values."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
