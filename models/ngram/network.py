"""The n-gram model: nodes of the trie as states.

N states · n order · V subwords. A state holds, for every length up to n − 1, the node of the last subwords
of that
length, or −1 if training never saw them.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from models.checkpoints import read_tensors, save_tensors
from models.errors import BadInput
from models.job import CURVE, Job
from models.ngram import Config
from models.ngram.counts import Ints, Level, count, stream
from models.ngram.smoothing import Floats, smooth
from models.scoring import bits_per_token

ROWS = 256  # distributions made at the same time


class Contexts:
    """N states: nodes (N, n − 1)."""

    def __init__(self, nodes: Ints) -> None:
        self.nodes = nodes

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, index: Tensor) -> "Contexts":
        return Contexts(self.nodes[index.numpy()])


class Ngram:
    """Interpolated Kneser–Ney over subwords."""

    def __init__(self, config: Config, vocab_size: int, levels: Sequence[Level]) -> None:
        self.config, self.vocab_size = config, vocab_size
        self.context: int | None = None  # none that scoring has to care for
        self.kept = 0
        modified = config.smoothing == "modified_kneser_ney"
        self.unigram, self.orders = smooth(levels, vocab_size, modified)

    def start(self, rows: int) -> Contexts:
        return Contexts(np.full((rows, self.config.order - 1), -1, dtype=np.int64))

    def join(self, states: Sequence[Contexts]) -> Contexts:
        return Contexts(np.concatenate([s.nodes for s in states]))

    def read(self, states: Contexts, ids: Tensor) -> Contexts:
        words = ids.numpy()
        rows, t_steps = words.shape
        nodes = np.full((rows, t_steps, self.config.order - 1), -1, dtype=np.int64)
        for j in range(self.config.order - 1):
            if j == 0:
                nodes[:, :, 0] = words
                continue
            before = np.concatenate([states.nodes[:, None, j - 1], nodes[:, :-1, j - 1]], axis=1)
            nodes[:, :, j] = self._child(j - 1, before, words)
        return Contexts(nodes.reshape(rows * t_steps, self.config.order - 1))

    def extend(self, states: Contexts, pieces: Tensor) -> Contexts:
        return self.read(states, pieces[:, None])

    def _child(self, order: int, parents: Ints, words: Ints) -> Ints:
        keys = self.orders[order].keys
        if not len(keys):
            return np.full_like(words, -1)
        wanted = parents * self.vocab_size + words
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((parents >= 0) & (keys[at] == wanted), at, -1)

    def probabilities(self, nodes: Ints) -> Floats:
        """(N, V) from nodes (N, n − 1); every row sums to one."""
        p = np.repeat(self.unigram[None], len(nodes), axis=0)
        for j, order in enumerate(self.orders):
            rows = np.flatnonzero(nodes[:, j] >= 0)
            context = nodes[rows, j]
            first, last = order.first[context], order.first[context + 1]
            p[rows] *= order.backoff[context][:, None]
            sizes = last - first
            at = np.repeat(first - np.r_[0, np.cumsum(sizes)[:-1]], sizes) + np.arange(sizes.sum())
            p[np.repeat(rows, sizes), order.words[at]] += order.share[at]
        return p

    def logits(self, states: Contexts) -> Tensor:
        out = torch.empty(len(states), self.vocab_size)
        for i in range(0, len(states), ROWS):
            with np.errstate(divide="ignore"):
                out[i : i + ROWS] = torch.from_numpy(np.log(self.probabilities(states.nodes[i : i + ROWS])))
        return out


def fit(config: Config, job: Job) -> dict[str, Any]:
    """Counts the training samples; leaves keys and counts in model.safetensors and an empty learning
    curve.
    """
    started = time.monotonic()
    ids = stream(job.train[i] for i in range(len(job.train)))
    levels = count(ids, config.order, job.vocab_size)
    tensors = {}
    for k, level in enumerate(levels, 1):
        tensors[f"keys_{k}"] = torch.from_numpy(level.keys)
        tensors[f"counts_{k}"] = torch.from_numpy(level.counts.astype(np.int32))
    save_tensors(tensors, job.out / "model.safetensors")
    pq.write_table(pa.Table.from_pylist([], CURVE), job.out / "training.parquet")
    model = Ngram(config, job.vocab_size, levels)
    bits = bits_per_token(model, job.valid, job.vocabulary, job.training.valid_tokens)
    return {
        "parameters": sum(len(level.keys) for level in levels),
        "valid_bits": bits,
        "seconds": time.monotonic() - started,
    }


def load(config: Config, vocab_size: int, file: Path) -> Ngram:
    """The model with the counts of a safetensors file; raises BadInput if they aren't those of this
    config.
    """
    stored = read_tensors(file)
    names = {f"{what}_{k}" for k in range(1, config.order + 1) for what in ("keys", "counts")}
    if stored.keys() != names:
        raise BadInput(
            f"{file}: holds {sorted(stored)}, an n-gram model of order {config.order} needs {sorted(names)}"
        )
    levels = []
    below = vocab_size
    for k in range(1, config.order + 1):
        keys, counts = stored[f"keys_{k}"].numpy(), stored[f"counts_{k}"].numpy().astype(np.int64)
        limit = vocab_size if k == 1 else below * vocab_size
        bad = len(keys) != len(counts) or np.any(np.diff(keys) <= 0) or np.any((keys < 0) | (keys >= limit))
        if bad or np.any(counts < 0):
            raise BadInput(f"{file}: damaged counts of order {k}")
        levels.append(Level(keys, counts, np.empty(0, dtype=np.int64)))
        below = len(keys)
    return Ngram(config, vocab_size, levels)
