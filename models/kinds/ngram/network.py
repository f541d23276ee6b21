"""The n-gram model: nodes of the trie as states.

N states · n order · V subwords. A state holds, for every length up to n − 1, the node of the last subwords
of that length, or −1 if training never saw them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.checkpoints import read_tensors, save_tensors
from models.kinds.ngram import Config
from models.kinds.ngram.cache import History
from models.kinds.ngram.counts import Floats, Ints, Level, count, stream
from models.kinds.ngram.smoothing import discounts, smooth
from models.training.texts import need_texts
from models.training.training_job import CURVE, TrainingJob
from models.vocabulary import FILE
from preprocessing.errors import BadInput

ROWS = 256  # distributions made at the same time


@dataclass(frozen=True, kw_only=True)
class NgramStates:
    """N states: nodes (N, n − 1); with a cache also the last subwords (N, n − 1), the files they are in (N),
    and how much of these they know (N).
    """

    nodes: Ints
    recent: Ints
    files: NDArray[np.object_]
    lengths: Ints

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, index: Tensor) -> "NgramStates":
        at = index.numpy()
        return NgramStates(
            nodes=self.nodes[at], recent=self.recent[at], files=self.files[at], lengths=self.lengths[at]
        )


class Ngram:
    """Interpolated Kneser–Ney over subwords."""

    def __init__(
        self,
        config: Config,
        vocab_size: int,
        levels: Sequence[Level],
        discounted: Sequence[Floats] | None = None,
    ) -> None:
        """discounted: those of each order; without them they are estimated from the counts themselves."""
        self.config, self.vocab_size = config, vocab_size
        self.context: int | None = None  # none that scoring has to care for
        self.kept = 0
        self.project = History(config.order)  # the files of the project that it was told to remember
        self.unigram, self.orders = smooth(levels, vocab_size, discounted or _discounts(config, levels))

    def start(self, rows: int) -> NgramStates:
        files = np.empty(rows, dtype=object)
        files[:] = [History(self.config.order) for _ in range(rows)]
        nothing = np.full((rows, self.config.order - 1), -1, dtype=np.int64)
        return NgramStates(nodes=nothing, recent=nothing, files=files, lengths=np.zeros(rows, dtype=np.int64))

    def join(self, states: Sequence[NgramStates]) -> NgramStates:
        return NgramStates(
            nodes=np.concatenate([s.nodes for s in states]),
            recent=np.concatenate([s.recent for s in states]),
            files=np.concatenate([s.files for s in states]),
            lengths=np.concatenate([s.lengths for s in states]),
        )

    def read(self, states: NgramStates, ids: Tensor) -> NgramStates:
        return self._read(states, ids.numpy(), remember=self.config.cache == "file")

    def extend(self, states: NgramStates, pieces: Tensor) -> NgramStates:
        return self._read(states, pieces.numpy()[:, None], remember=False)

    def _read(self, states: NgramStates, words: Ints, remember: bool) -> NgramStates:
        rows, t_steps = words.shape
        width = self.config.order - 1
        nodes = np.full((rows, t_steps, width), -1, dtype=np.int64)
        for j in range(width):
            if j == 0:
                nodes[:, :, 0] = words
                continue
            before = np.concatenate([states.nodes[:, None, j - 1], nodes[:, :-1, j - 1]], axis=1)
            nodes[:, :, j] = self._child(j - 1, before, words)
        line = np.concatenate([states.recent, words], axis=1)
        recent = line[:, 1 + np.arange(t_steps)[:, None] + np.arange(width)]  # (rows, t_steps, width)
        files, lengths = states.files, np.repeat(states.lengths[:, None], t_steps, axis=1)
        if remember:
            files = np.empty(rows, dtype=object)
            files[:] = [f.upto(n) for f, n in zip(states.files, states.lengths, strict=True)]
            for file, row in zip(files, words.tolist(), strict=True):
                for word in row:
                    file.append(word)
            lengths += np.arange(1, t_steps + 1)
        return NgramStates(
            nodes=nodes.reshape(rows * t_steps, width),
            recent=recent.reshape(rows * t_steps, width),
            files=np.repeat(files, t_steps),
            lengths=lengths.ravel(),
        )

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

    def bits(self, file: Ints) -> Floats:
        """(T) −log₂ of the probability of each subword of a file (T) after those before it, without caches.

        What `logits` gives, at the subwords that are there alone.
        """
        nodes = self._read(self.start(1), np.r_[FILE, file[:-1]][None], remember=False).nodes
        p = self.unigram[file]
        for j, order in enumerate(self.orders):
            contexts = nodes[:, j]
            children = self._child(j, contexts, file)
            p = np.where(contexts >= 0, order.backoff[contexts] * p, p)
            p = np.where(children >= 0, p + order.share[children], p)
        bits: Floats = -np.log2(p)
        return bits

    def logits(self, states: NgramStates) -> Tensor:
        out = torch.empty(len(states), self.vocab_size)
        for i in range(0, len(states), ROWS):
            p = self.probabilities(states.nodes[i : i + ROWS])
            if self.config.cache == "file" or self.project.ids:
                self._fold(p, states, i)
            with np.errstate(divide="ignore"):
                out[i : i + ROWS] = torch.from_numpy(np.log(p))
        return out

    def _fold(self, p: Floats, states: NgramStates, first: int) -> None:
        """Mixes what the project, then what each state's file has said into rows of p from `first` on."""
        strength, told = self.config.cache_strength, len(self.project.ids)
        for k, row in enumerate(p, first):
            recent = tuple(word for word in states.recent[k].tolist() if word >= 0)
            if told:
                self.project.fold(row, recent, told, strength)
            if self.config.cache == "file":
                states.files[k].fold(row, recent, int(states.lengths[k]), strength)

    def remember(self, subwords: NDArray[np.int64]) -> None:
        """From now on a file counts as one of the same project, until `forget`."""
        for word in [FILE, *subwords.tolist()]:
            self.project.append(word)

    def forget(self) -> None:
        """Nothing of any project counts."""
        self.project = History(self.config.order)


def fit(config: Config, job: TrainingJob) -> dict[str, Any]:
    """Counts the training samples; leaves them in model.safetensors, beside an empty learning curve."""
    started = time.monotonic()
    texts = need_texts(job, config.kind)
    train, originals = texts.train, texts.train.originals
    weights = train.weights
    levels = _counted(config, job.vocab_size, train, weights if np.any(weights != 1) else None)
    alike = len(originals) in (0, len(train))  # no mix: the counts are their own
    of_discounts = levels if alike else _counted(config, job.vocab_size, [train[i] for i in originals], None)
    discounted = _discounts(config, of_discounts)
    tensors = {"discounts": torch.from_numpy(np.array(discounted))}
    for k, level in enumerate(levels, 1):
        whole = np.all(level.counts == np.round(level.counts))
        tensors[f"keys_{k}"] = torch.from_numpy(level.keys)
        tensors[f"counts_{k}"] = torch.from_numpy(level.counts.astype(np.int32 if whole else np.float64))
    save_tensors(tensors, job.out / "model.safetensors")
    pq.write_table(pa.Table.from_pylist([], CURVE), job.out / "training.parquet")
    model = Ngram(config, job.vocab_size, levels, discounted)
    return {
        "parameters": sum(len(level.keys) for level in levels),
        "original_tokens": float(train.lengths[train.are_original].sum()),
        "original_passes": float(train.are_original.sum() / train.text_count),
        "valid_bits": texts.validate(model, job.training),
        "seconds": time.monotonic() - started,
    }


def _counted(config: Config, vocab_size: int, texts: Sequence[Ints], weights: Floats | None) -> list[Level]:
    """weights: of each text."""
    ids = stream(texts[i] for i in range(len(texts)))
    if weights is not None:
        weights = np.repeat(weights, [len(texts[i]) + 1 for i in range(len(texts))])
    return count(ids, config.order, vocab_size, weights)


def _discounts(config: Config, levels: Sequence[Level]) -> list[Floats]:
    """Of each order."""
    return [discounts(level.counts, config.smoothing == "modified_kneser_ney") for level in levels]


def load(config: Config, vocab_size: int, file: Path) -> Ngram:
    """The model with the counts of a safetensors file.

    Raises:
        BadInput: they aren't those of this config.
    """
    stored = read_tensors(file)
    names = {f"{what}_{k}" for k in range(1, config.order + 1) for what in ("keys", "counts")} | {"discounts"}
    if stored.keys() != names:
        raise BadInput(
            f"{file}: holds {sorted(stored)}, an n-gram model of order {config.order} needs {sorted(names)}"
        )
    levels = []
    below = vocab_size
    for k in range(1, config.order + 1):
        keys, counts = stored[f"keys_{k}"].numpy(), stored[f"counts_{k}"].numpy()
        limit = vocab_size if k == 1 else below * vocab_size
        bad = len(keys) != len(counts) or np.any(np.diff(keys) <= 0) or np.any((keys < 0) | (keys >= limit))
        if bad or np.any(counts < 0):
            raise BadInput(f"{file}: damaged counts of order {k}")
        levels.append(Level(keys, counts, np.empty(0, dtype=np.int64)))
        below = len(keys)
    discounted = stored["discounts"].numpy()
    if discounted.shape != (config.order, 3) or not np.all((discounted >= 0) & (discounted <= [1, 2, 3])):
        raise BadInput(f"{file}: damaged discounts")
    return Ngram(config, vocab_size, levels, list(discounted))
