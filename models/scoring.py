"""Scores of tokens: bits and exact ranks, file by file, however the files are batched.

Several files are read at the same time, each in windows that end where a token ends; a state goes from a
file's
window to its next one and nowhere else. K tokens · M subwords · V vocabulary.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.interface import LanguageModel
from models.packing import FILE
from models.search import BLOCK, TIE, WORST, First, Floats, Ints, first_subwords, search
from models.vocabulary import Vocabulary

POOL_SUBWORDS = 400_000  # files are sorted by length within a pool, and leave it in their own order


class Text(Protocol):
    """A file to score. subwords: (M); token_starts: (K + 1), from 0 to M."""

    @property
    def subwords(self) -> NDArray[np.int64]: ...

    @property
    def token_starts(self) -> NDArray[np.int64]: ...


@dataclass
class Best:
    """The most probable token at each of K places. nats: −log p of it (K); tokens: its subwords where it is
    not
    the true token and could be found.
    """

    nats: Floats
    tokens: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def part(self, first: int, last: int) -> "Best":
        """Places from `first` to before `last`."""
        tokens = {k - first: self.tokens[k] for k in range(first, last) if k in self.tokens}
        return Best(self.nats[first:last], tokens)

    def put(self, at: int, other: "Best") -> None:
        """Takes over the places of another one, from `at` on."""
        self.nats[at : at + len(other.nats)] = other.nats
        self.tokens.update((at + k, token) for k, token in other.tokens.items())


class Scored(NamedTuple):
    """A text's K tokens: nll (K) in nats; rank (K), 1 to 10 or 0 for beyond; best if it was asked for."""

    text: Any
    nll: Floats
    rank: NDArray[np.uint8]
    best: Best | None


@dataclass
class Counts:
    """How much work the ranks were."""

    tokens: int = 0
    searched: int = 0  # tokens whose first distribution did not settle their rank
    cut_off: int = 0  # tokens that ran out of expansions: rank unknown, taken as beyond ten
    best_cut_off: int = 0  # tokens of known rank whose best token might be another one
    expansions: int = 0


@dataclass(kw_only=True)
class Scorer:
    """Scores texts with one model. rows: texts read together; window: subwords of each per pass; best: also
    find the most probable token of each place, which needs ranks.
    """

    model: LanguageModel
    vocabulary: Vocabulary
    rows: int = 32
    window: int = 64
    ranks: bool = True
    best: bool = False
    max_expansions: int = 2000
    counts: Counts = field(default_factory=Counts)

    @torch.inference_mode()
    def score(self, texts: Iterable[Text]) -> Iterator[Scored]:
        """Each text with its scores, in the order of `texts`."""
        for pool in _pools(texts):
            lanes = _Lanes(self, pool)
            while lanes.open:
                lanes.advance()
            yield from map(Scored, pool, lanes.nll, lanes.rank, lanes.best)


@dataclass
class _Window:
    """What one pass has read: states before each target, in the order of the lanes."""

    states: Any
    position: Tensor  # (M) which of the states
    targets: NDArray[np.int64]  # (M)
    starts: Ints  # (K + 1) tokens, into M


@dataclass
class _Lane:
    """A text in the work: how many of its tokens are scored, how many subwords its state has seen."""

    text: Text
    place: int  # in the pool
    done: int = 0
    seen: int = 0

    def input(self, first: int, last: int) -> Ints:
        """Inputs from `first` to before `last`: the subwords, moved by one, behind `<file>`."""
        if first:
            return np.asarray(self.text.subwords[first - 1 : last - 1])
        return np.concatenate([[FILE], self.text.subwords[: last - 1]])

    @property
    def position(self) -> int:
        """The first subword of the next token."""
        return int(self.text.token_starts[self.done])

    def span(self, room: int) -> tuple[int, int]:
        """Where a window of at most `room` subwords ends, and its tokens; one token at least."""
        starts = self.text.token_starts
        end = int(np.searchsorted(starts, self.position + room, side="right")) - 1
        end = max(end, self.done + 1)
        return int(starts[end]), end - self.done


class _Lanes:
    """A pool of texts in the work: the longest first, a new one wherever one is through."""

    def __init__(self, scorer: Scorer, pool: Sequence[Text]) -> None:
        self.scorer, self.model = scorer, scorer.model
        sizes = [len(text.token_starts) - 1 for text in pool]
        self.nll = [np.zeros(size) for size in sizes]
        self.rank = [np.zeros(size, dtype=np.uint8) for size in sizes]
        self.best = [Best(np.zeros(size)) if scorer.best else None for size in sizes]
        self.waiting = [_Lane(text, i) for i, text in enumerate(pool) if len(text.subwords)]
        self.waiting.sort(key=lambda lane: len(lane.text.subwords))
        self.open: list[_Lane] = []
        self.states: Any = None
        self._fill([])

    def _fill(self, kept: Sequence[Any]) -> None:
        fresh = min(self.scorer.rows - len(self.open), len(self.waiting))
        self.open += [self.waiting.pop() for _ in range(fresh)]
        parts = [*kept, *([self.model.start(fresh)] if fresh else [])]
        if parts:
            self.states = self.model.join(parts) if len(parts) > 1 else parts[0]

    def advance(self) -> None:
        """Reads one window of every open text."""
        self._slide()
        spans = [lane.span(self._room(lane)) for lane in self.open]
        window = self._read(spans)
        nll, rank, best = _score_window(self.scorer, window)
        at = 0
        for lane, (_, tokens) in zip(self.open, spans, strict=True):
            self.nll[lane.place][lane.done : lane.done + tokens] = nll[at : at + tokens]
            self.rank[lane.place][lane.done : lane.done + tokens] = rank[at : at + tokens]
            mine = self.best[lane.place]
            if mine is not None and best is not None:
                mine.put(lane.done, best.part(at, at + tokens))
            at += tokens
        self._move(spans, window)

    def _room(self, lane: _Lane) -> int:
        window = max(self.scorer.window, getattr(self.model, "stride", 0))
        return window if self.model.context is None else min(window, self.model.context - lane.seen)

    def _slide(self) -> None:
        """Where the next token no longer fits into the model's context: forgets all but the last subwords."""
        context, kept = self.model.context, self.model.kept
        if context is None:
            return
        full = [
            lane.seen > kept and lane.span(1)[0] - lane.position > context - lane.seen for lane in self.open
        ]
        moved = [lane for lane, is_full in zip(self.open, full, strict=True) if is_full]
        if not moved:
            return
        ids = np.stack([lane.input(lane.position - kept, lane.position) for lane in moved])
        states = self.model.read(self.model.start(len(moved)), torch.from_numpy(ids))
        parts = [states[torch.arange(len(moved)) * kept + kept - 1]]
        stay = [i for i, is_full in enumerate(full) if not is_full]
        if stay:
            parts.insert(0, self.states[torch.tensor(stay)])
        self.states = self.model.join(parts) if len(parts) > 1 else parts[0]
        self.open = [*(self.open[i] for i in stay), *moved]
        for lane in moved:
            lane.seen = kept

    def _read(self, spans: Sequence[tuple[int, int]]) -> _Window:
        lengths = [last - lane.position for lane, (last, _) in zip(self.open, spans, strict=True)]
        widest = max(lengths)
        ids = np.zeros((len(spans), widest), dtype=np.int64)
        targets, position, starts, total = [], [], [], 0
        for row, (lane, (last, tokens)) in enumerate(zip(self.open, spans, strict=True)):
            first, n = lane.position, lengths[row]
            ids[row, :n] = lane.input(first, last)
            targets.append(lane.text.subwords[first:last])
            position.append(row * widest + np.arange(n))
            starts.append(lane.text.token_starts[lane.done : lane.done + tokens] - first + total)
            total += n
        return _Window(
            self.model.read(self.states, torch.from_numpy(ids)),
            torch.from_numpy(np.concatenate(position)),
            np.concatenate(targets),
            np.concatenate([*starts, [total]]),
        )

    def _move(self, spans: Sequence[tuple[int, int]], window: _Window) -> None:
        at = -1
        stay, keep = [], []
        for lane, (last, tokens) in zip(self.open, spans, strict=True):
            n = last - lane.position
            at += n
            lane.done += tokens
            lane.seen += n
            if last < len(lane.text.subwords):
                stay.append(lane)
                keep.append(int(window.position[at]))
        self.open = stay
        self._fill([window.states[torch.tensor(keep)]] if keep else [])


def _pools(texts: Iterable[Text]) -> Iterator[list[Text]]:
    pool: list[Text] = []
    size = 0
    for text in texts:
        pool.append(text)
        size += len(text.subwords) + 1
        if size >= POOL_SUBWORDS:
            yield pool
            pool, size = [], 0
    if pool:
        yield pool


def _score_window(scorer: Scorer, window: _Window) -> tuple[Floats, NDArray[np.uint8], Best | None]:
    """nll in nats, ranks and, if asked for, best tokens of the K tokens of a window."""
    log_p = np.empty(len(window.starts) - 1)
    found = np.zeros(len(log_p), dtype=np.int64)
    opened: list[First] = []
    whole = _Whole(np.full(len(log_p), -np.inf), np.zeros(len(log_p), dtype=np.int64))
    k = 0
    while k < len(log_p):  # blocks of whole tokens
        end = int(np.searchsorted(window.starts, window.starts[k] + BLOCK, side="right")) - 1
        end = max(end, k + 1)
        a, b = window.starts[k], window.starts[end]
        log_probs = torch.log_softmax(scorer.model.logits(window.states[window.position[a:b]]), 1)
        targets = torch.from_numpy(window.targets[a:b, None]).to(log_probs.device)
        true = log_probs.gather(1, targets).squeeze(1).double().cpu().numpy()
        starts = window.starts[k:end] - a
        log_p[k:end] = np.add.reduceat(true, starts)
        if scorer.ranks:
            unsettled = np.flatnonzero(log_p[k:end] <= math.log(0.5))
            rows = log_probs[torch.from_numpy(starts[unsettled])]
            first = first_subwords(rows, log_p[k + unsettled] + TIE, scorer.vocabulary, scorer.best)
            found[k + unsettled] = first.found
            first.rows = k + unsettled[first.rows]
            if first.best is not None and first.best_piece is not None:
                whole.log_p[k + unsettled], whole.piece[k + unsettled] = first.best, first.best_piece
            opened.append(first)
        k = end
    scorer.counts.tokens += len(log_p)
    if not scorer.ranks:
        return -log_p, np.zeros(len(log_p), dtype=np.uint8), None
    best = _best_whole(log_p, whole) if scorer.best else None
    cut = _search(scorer, window, log_p, found, opened, whole, best)
    rank = np.where((found < WORST) & ~cut, found + 1, 0)
    return -log_p, rank.astype(np.uint8), best


@dataclass(frozen=True)
class _Whole:
    """The most probable whole subword of K places: log_p in nats (K), −∞ where nobody looked; piece (K)."""

    log_p: Floats
    piece: Ints


def _best_whole(log_p: Floats, whole: _Whole) -> Best:
    """The true token where no whole subword is better."""
    better = np.flatnonzero(whole.log_p > log_p + TIE)
    tokens: dict[int, tuple[int, ...]] = {int(k): (int(whole.piece[k]),) for k in better}
    return Best(-np.maximum(log_p, whole.log_p), tokens)


def _search(
    scorer: Scorer,
    window: _Window,
    log_p: Floats,
    found: Ints,
    opened: Sequence[First],
    whole: _Whole,
    best: Best | None,
) -> NDArray[np.bool_]:
    """Completes `found` and `best` for the tokens that their first distribution did not settle; which were
    cut off.
    """
    cut = np.zeros(len(found), dtype=np.bool_)
    rows = np.concatenate([first.rows for first in opened])
    if not len(rows):
        return cut
    tokens, row = np.unique(rows, return_inverse=True)
    first = First(
        found[tokens],
        row,
        np.concatenate([f.pieces for f in opened]),
        np.concatenate([f.logp for f in opened]),
        whole.log_p[tokens] if best is not None else None,
    )
    result = search(
        scorer.model,
        window.states[window.position[window.starts[tokens]]],
        first,
        log_p[tokens] + TIE,
        [tuple(window.targets[window.starts[t] : window.starts[t + 1]].tolist()) for t in tokens],
        scorer.vocabulary,
        scorer.max_expansions,
    )
    found[tokens], cut[tokens] = result.found, result.cut
    if best is not None and result.best is not None:
        for k, token in result.best_token.items():
            best.nats[tokens[k]], best.tokens[int(tokens[k])] = -result.best[k], token
    scorer.counts.searched += len(tokens)
    scorer.counts.cut_off += int(result.cut.sum())
    scorer.counts.best_cut_off += result.best_cut
    scorer.counts.expansions += result.expansions
    return cut


@dataclass(frozen=True)
class _Bare:
    """A text of subwords without known tokens: each subword counts by itself."""

    subwords: NDArray[np.int64]
    token_starts: NDArray[np.int64]


def bits_per_token(
    model: LanguageModel,
    samples: Sequence[NDArray[np.int64]],
    vocabulary: Vocabulary,
    max_tokens: int | None = None,
) -> float:
    """Mean bits per token over samples that together hold `max_tokens` tokens, always the same ones."""
    texts, tokens = [], 0
    for i in np.random.default_rng(0).permutation(len(samples)):
        ids = samples[i]
        ends = np.flatnonzero(vocabulary.ends[ids]) + 1
        if max_tokens is not None:
            ends = ends[: max_tokens - tokens]
        if len(ends):
            texts.append(_Bare(ids[: ends[-1]], np.concatenate([[0], ends])))
        tokens += len(ends)
        if max_tokens is not None and tokens >= max_tokens:
            break
    scorer = Scorer(model=model, vocabulary=vocabulary, ranks=False)
    nats = sum(float(nll.sum()) for _, nll, *_ in scorer.score(texts))
    return nats / math.log(2) / max(1, tokens)
