"""The exact rank of a token among all tokens, without guessing a beam.

A token is a sequence of subwords; a prefix is never less probable than what it grows into. So with
p* = p(true token) known, only prefixes above p* can lead to a better token: they are extended, best first,
all positions of a batch together, until none is left (the count of better tokens is exact) or ten better
tokens are known (the rank is beyond ten). Only a token's canonical segmentation counts, ties are not better.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.interface import LanguageModel
from models.vocabulary import Vocabulary

WORST = 10  # ranks beyond it are not told apart
TIE = 1e-5  # nats: closer probabilities are equal, whatever the rounding
WIDTH = 4  # prefixes of one position that are extended in the same round
BLOCK = 512  # rows whose distributions over the vocabulary are held at the same time

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass
class Open:
    """Prefixes that may grow into better tokens. row: which position, piece: last subword, logp: of the
    prefix.

    block, state: where the state before `piece` is; parent: the node that was extended (−1 for none).
    """

    row: Ints
    piece: Ints
    logp: Floats
    block: Ints
    state: Ints
    node: Ints

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: NDArray[Any]) -> "Open":
        return Open(*(getattr(self, name)[index] for name in Open.__dataclass_fields__))

    @staticmethod
    def join(parts: Sequence["Open"]) -> "Open":
        return Open(
            *(np.concatenate([getattr(p, name) for p in parts]) for name in Open.__dataclass_fields__)
        )


@dataclass
class First:
    """What one distribution says: per position the better whole subwords, and the prefixes above the
    threshold.
    """

    found: Ints
    rows: Ints
    pieces: Ints
    logp: Floats


def first_subwords(log_probs: Tensor, threshold: Floats, vocabulary: Vocabulary) -> First:
    """Reads off (N, V) log-probabilities what is above each position's threshold (N), in nats."""
    better = log_probs > torch.from_numpy(threshold).to(log_probs)[:, None]
    above = better.cpu().numpy()
    found = np.count_nonzero(above & vocabulary.tokens, axis=1)
    rows = np.flatnonzero(found < WORST)
    at, pieces = np.nonzero(above[rows] & ~vocabulary.ends)
    rows = rows[at]
    logp = log_probs[torch.from_numpy(rows), torch.from_numpy(pieces)].double().cpu().numpy()
    return First(found, rows, pieces, logp)


@dataclass
class Result:
    """Per position: better tokens found (10 or more: at least so many), and whether the search was cut
    off.
    """

    found: Ints
    cut: NDArray[np.bool_]
    expansions: int


@dataclass
class _Paths:
    """The tree of extended prefixes: enough to spell each of them."""

    parent: list[int] = field(default_factory=list)
    piece: list[int] = field(default_factory=list)

    def add(self, parents: Ints, pieces: Ints) -> Ints:
        first = len(self.piece)
        self.parent.extend(parents.tolist())
        self.piece.extend(pieces.tolist())
        return np.arange(first, len(self.piece))

    def spell(self, node: int) -> tuple[int, ...]:
        path = []
        while node >= 0:
            path.append(self.piece[node])
            node = self.parent[node]
        return tuple(reversed(path))


def search(
    model: LanguageModel,
    states: Any,
    opened: First,
    threshold: Floats,
    true: Sequence[tuple[int, ...]],
    vocabulary: Vocabulary,
    max_expansions: int,
) -> Result:
    """Goes on from the first subwords of N positions.

    states: N states before the tokens; opened: their `first_subwords`; threshold: (N) log p(true) plus the
    tie's
    width; true: the subwords of the true tokens. A position that needs more than `max_expansions` is cut off.
    """
    n = len(threshold)
    found = opened.found.copy()
    spent = np.zeros(n, dtype=np.int64)
    paths, blocks = _Paths(), [states]
    zeros = np.zeros_like(opened.rows)
    pool = Open(opened.rows, opened.pieces, opened.logp, zeros, opened.rows, zeros - 1)
    while True:
        pool = pool.take((found[pool.row] < WORST) & (spent[pool.row] < max_expansions))
        if not len(pool):
            break
        order = np.lexsort((-pool.logp, pool.row))
        pool = pool.take(order)
        chosen = _place_in_group(pool.row) < WIDTH
        batch, rest = pool.take(chosen), pool.take(~chosen)
        np.add.at(spent, batch.row, 1)
        batch, before = _gather(model, blocks, batch)
        after = model.extend(before, torch.from_numpy(batch.piece))
        nodes = paths.add(batch.node, batch.piece)
        grown = _extend(model, after, batch, nodes, threshold, found, true, paths, vocabulary)
        grown.block[:] = len(blocks)
        blocks.append(after)
        pool = Open.join([rest, grown])
    cut = (spent >= max_expansions) & (found < WORST)
    return Result(found, cut, int(spent.sum()))


def _place_in_group(groups: Ints) -> Ints:
    """0, 1, 2 … within each run of equal values: [5, 5, 7] -> [0, 1, 0]."""
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))


def _gather(model: LanguageModel, blocks: list[Any], batch: Open) -> tuple[Open, Any]:
    """The states of a batch of prefixes, which lie in several blocks; the batch is sorted by block."""
    batch = batch.take(np.argsort(batch.block, kind="stable"))
    parts = [
        blocks[block][torch.from_numpy(batch.state[batch.block == block])] for block in np.unique(batch.block)
    ]
    return batch, parts[0] if len(parts) == 1 else model.join(parts)


def _extend(
    model: LanguageModel,
    after: Any,
    batch: Open,
    nodes: Ints,
    threshold: Floats,
    found: Ints,
    true: Sequence[tuple[int, ...]],
    paths: _Paths,
    vocabulary: Vocabulary,
) -> Open:
    """Counts better tokens into `found`, and returns the prefixes that stay open."""
    grown = []
    for i in range(0, len(batch), BLOCK):
        part = slice(i, i + BLOCK)
        index = torch.arange(i, min(i + BLOCK, len(batch)))
        log_probs = torch.log_softmax(model.logits(after[index]), 1)
        need = torch.from_numpy(threshold[batch.row[part]] - batch.logp[part]).to(log_probs)
        better = (log_probs > need[:, None]).nonzero()  # a few of (block, V)
        values = log_probs[better[:, 0], better[:, 1]].double().cpu().numpy()
        at, pieces = better.cpu().numpy().T
        ends = vocabulary.ends[pieces]
        for k, piece in zip(at[ends] + i, pieces[ends], strict=True):
            row = batch.row[k]
            token = (*paths.spell(int(nodes[k])), int(piece))
            if token != true[row] and vocabulary.canonical(token):
                found[row] += 1
        at, pieces, values = at[~ends] + i, pieces[~ends], values[~ends]
        rows = batch.row[at]
        grown.append(Open(rows, pieces, batch.logp[at] + values, np.zeros_like(at), at, nodes[at]))
    return Open.join(grown)
