"""The exact rank of a token among all tokens, without guessing a beam.

A token is a sequence of subwords; a prefix is never less probable than what it grows into. So with
p* = p(true token) known, only prefixes above p* can lead to a better token: they are extended, best first,
all positions of a batch together, until none is left (the count of better tokens is exact) or ten better
tokens are known (the rank is beyond ten). Only a token's canonical segmentation counts, ties are not better.
Where the best token of all is asked for, the search goes on until no prefix is above the best one known.
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
    """Prefixes that may grow into better tokens.

    row: the position; piece: the last subword; logp: nats of the prefix; block, state: where the state before
    `piece` is; node: the extended prefix in the tree of paths (−1 for none).
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
class FirstSubwords:
    """What one distribution says: the prefixes above the threshold, and what is known of each position.

    found: how many whole subwords are better; rows, pieces, logp: position, subword and nats of each prefix;
    best, best_piece: nats and id of the most probable whole subword, if it was asked for.
    """

    found: Ints
    rows: Ints
    pieces: Ints
    logp: Floats
    best: Floats | None = None
    best_piece: Ints | None = None


def first_subwords(
    log_probs: Tensor, threshold: Floats, vocabulary: Vocabulary, best: bool = False
) -> FirstSubwords:
    """Reads off (N, V) log-probabilities what is above each position's threshold (N), in nats."""
    better = log_probs > torch.from_numpy(threshold).to(log_probs)[:, None]
    above = better.cpu().numpy()
    found = np.count_nonzero(above & vocabulary.tokens, axis=1)
    first = FirstSubwords(found, found, found, threshold)
    if best:
        whole = log_probs.masked_fill(torch.from_numpy(~vocabulary.tokens).to(log_probs.device), -torch.inf)
        values, places = whole.max(1)
        first.best, first.best_piece = values.double().cpu().numpy(), places.cpu().numpy()
        ten = np.flatnonzero(found >= WORST)  # only what may lead above the best is still of interest
        bar = torch.from_numpy(first.best[ten]).to(log_probs)[:, None]
        above[ten] = (log_probs[torch.from_numpy(ten)] > bar).cpu().numpy()
        rows = np.arange(len(found))
    else:
        rows = np.flatnonzero(found < WORST)
    at, first.pieces = np.nonzero(above[rows] & ~vocabulary.ends)
    first.rows = rows[at]
    first.logp = (
        log_probs[torch.from_numpy(first.rows), torch.from_numpy(first.pieces)].double().cpu().numpy()
    )
    return first


@dataclass
class Result:
    """Per position: better tokens found (10 or more: at least so many), and whether the search was cut off.

    best, best_token: the most probable token that has several subwords and is above the whole ones, if there
    is such a token and it was asked for.
    """

    found: Ints
    cut: NDArray[np.bool_]
    expansions: int
    best: Floats | None = None
    best_cut: int = 0  # positions whose rank is known, but whose best token might be another one
    best_token: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def add(self, row: int, token: tuple[int, ...], logp: float) -> None:
        """Counts a token that is better than the true one of a position."""
        self.found[row] += 1
        if self.best is not None and logp > self.best[row]:
            self.best[row], self.best_token[row] = logp, token


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
    opened: FirstSubwords,
    threshold: Floats,
    true: Sequence[tuple[int, ...]],
    vocabulary: Vocabulary,
    max_expansions: int,
) -> Result:
    """Goes on from the first subwords of N positions.

    states: N states before the tokens; opened: their `first_subwords`; threshold: (N) log p(true) plus TIE;
    true: the subwords of the true tokens. A position that needs more than `max_expansions` is cut off. The
    best tokens are looked for if `opened` has them.
    """
    n = len(threshold)
    result = Result(opened.found.copy(), np.zeros(n, dtype=np.bool_), 0)
    found = result.found
    if opened.best is not None:
        result.best = np.maximum(opened.best, threshold)
    spent = np.zeros(n, dtype=np.int64)
    paths, blocks = _Paths(), [states]
    zeros = np.zeros_like(opened.rows)
    pool = Open(opened.rows, opened.pieces, opened.logp, zeros, opened.rows, zeros - 1)
    while True:
        open_ = found[pool.row] < WORST
        if result.best is not None:
            open_ |= pool.logp > result.best[pool.row]
        pool = pool.take(open_ & (spent[pool.row] < max_expansions))
        if not len(pool):
            break
        order = np.lexsort((-pool.logp, pool.row))
        pool = pool.take(order)
        chosen = _place_in_group(pool.row) < WIDTH
        batch, rest = pool.take(chosen), pool.take(~chosen)
        np.add.at(spent, batch.row, 1)
        batch, before = _gather(model, blocks, batch)
        after = model.extend(before, torch.from_numpy(batch.piece))
        batch.node = paths.add(batch.node, batch.piece)
        bar = threshold if result.best is None else np.where(found < WORST, threshold, result.best)
        longer = _extended(model, after, len(blocks), batch, bar)
        blocks.append(after)
        ends = vocabulary.ends[longer.piece]
        whole = longer.take(ends)
        for row, piece, node, logp in zip(
            whole.row.tolist(), whole.piece.tolist(), whole.node.tolist(), whole.logp, strict=True
        ):
            token = (*paths.spell(node), piece)
            if token != true[row] and vocabulary.canonical(token):
                result.add(row, token, logp)
        pool = Open.join([rest, longer.take(~ends)])
    result.cut = (spent >= max_expansions) & (found < WORST)
    if result.best is not None:
        result.best_cut = int(np.count_nonzero((spent >= max_expansions) & (found >= WORST)))
    result.expansions = int(spent.sum())
    return result


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


def _extended(model: LanguageModel, after: Any, block: int, batch: Open, bar: Floats) -> Open:
    """Each prefix of a batch with each subword that keeps it above the bar (N) of its position, in nats.

    after: the states behind the prefixes, which are block number `block`.
    """
    longer = []
    for i in range(0, len(batch), BLOCK):
        part = slice(i, i + BLOCK)
        index = torch.arange(i, min(i + BLOCK, len(batch)))
        log_probs = torch.log_softmax(model.logits(after[index]), 1)
        need = torch.from_numpy(bar[batch.row[part]] - batch.logp[part]).to(log_probs)
        better = (log_probs > need[:, None]).nonzero()  # a few of (block, V)
        values = log_probs[better[:, 0], better[:, 1]].double().cpu().numpy()
        at, pieces = better.cpu().numpy().T
        at = at + i
        blocks = np.full_like(at, block)
        longer.append(Open(batch.row[at], pieces, batch.logp[at] + values, blocks, at, batch.node[at]))
    return Open.join(longer)
