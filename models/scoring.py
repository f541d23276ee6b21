"""Scores of tokens: bits and exact ranks, file by file, however the files are batched.

Several files are read at the same time, each in windows that end where a token ends; a state goes from a
file's
window to its next one and nowhere else. K tokens · M subwords · V vocabulary.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

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
class Counts:
    """How much work the ranks were."""

    tokens: int = 0
    searched: int = 0  # tokens whose first distribution did not settle their rank
    cut_off: int = 0  # tokens that ran out of expansions: rank unknown, taken as beyond ten
    expansions: int = 0


@dataclass(kw_only=True)
class Scorer:
    """Scores texts with one model. rows: texts read together; window: subwords of each per pass."""

    model: LanguageModel
    vocabulary: Vocabulary
    rows: int = 32
    window: int = 64
    ranks: bool = True
    max_expansions: int = 2000
    counts: Counts = field(default_factory=Counts)

    @torch.inference_mode()
    def score(self, texts: Iterable[Text]) -> Iterator[tuple[Text, Floats, NDArray[np.uint8]]]:
        """Each text with nll (K) in nats and rank (K), 1 to 10 or 0 for beyond; in the order of `texts`."""
        for pool in _pools(texts):
            lanes = _Lanes(self, pool)
            while lanes.open:
                lanes.advance()
            yield from zip(pool, lanes.nll, lanes.rank, strict=True)


@dataclass
class _Window:
    """What one pass has read: states before each target, in the order of the lanes."""

    states: Any
    position: Tensor  # (M) which of the states
    targets: NDArray[np.int64]  # (M)
    starts: Ints  # (K + 1) tokens, into M


class _Lanes:
    """A pool of texts in the work: the longest first, a new one wherever one is through."""

    def __init__(self, scorer: Scorer, pool: Sequence[Text]) -> None:
        self.scorer, self.pool = scorer, pool
        sizes = [len(text.token_starts) - 1 for text in pool]
        self.nll = [np.zeros(size) for size in sizes]
        self.rank = [np.zeros(size, dtype=np.uint8) for size in sizes]
        lengths = [len(text.subwords) for text in pool]
        self.waiting = [i for i in sorted(range(len(pool)), key=lengths.__getitem__) if lengths[i]]
        self.open: list[list[int]] = []  # text, tokens done
        self.states: Any = None
        self._fill([])

    def _fill(self, kept: Sequence[Any]) -> None:
        fresh = min(self.scorer.rows - len(self.open), len(self.waiting))
        self.open += [[self.waiting.pop(), 0] for _ in range(fresh)]
        parts = [*kept, *([self.scorer.model.start(fresh)] if fresh else [])]
        if parts:
            self.states = self.scorer.model.join(parts) if len(parts) > 1 else parts[0]

    def advance(self) -> None:
        """Reads one window of every open text."""
        spans = [self._span(text, done) for text, done in self.open]
        window = self._read(spans)
        nll, rank = _score_window(self.scorer, window)
        at = 0
        for (text, done), (_, _, tokens) in zip(self.open, spans, strict=True):
            self.nll[text][done : done + tokens] = nll[at : at + tokens]
            self.rank[text][done : done + tokens] = rank[at : at + tokens]
            at += tokens
        self._move(spans, window)

    def _span(self, text: int, done: int) -> tuple[int, int, int]:
        """First and last subword of a text's next window, and its tokens; one token at least."""
        starts = self.pool[text].token_starts
        first = int(starts[done])
        end = int(np.searchsorted(starts, first + self.scorer.window, side="right")) - 1
        end = max(end, done + 1)
        return first, int(starts[end]), end - done

    def _read(self, spans: Sequence[tuple[int, int, int]]) -> _Window:
        widest = max(last - first for first, last, _ in spans)
        ids = np.zeros((len(spans), widest), dtype=np.int64)
        targets, position, starts, total = [], [], [], 0
        for row, ((text, done), (first, last, tokens)) in enumerate(zip(self.open, spans, strict=True)):
            subwords = self.pool[text].subwords
            ids[row, 0] = subwords[first - 1] if first else FILE
            ids[row, 1 : last - first] = subwords[first : last - 1]
            targets.append(subwords[first:last])
            position.append(row * widest + np.arange(last - first))
            starts.append(self.pool[text].token_starts[done : done + tokens] - first + total)
            total += last - first
        states = self.scorer.model.read(self.states, torch.from_numpy(ids))
        return _Window(
            states,
            torch.from_numpy(np.concatenate(position)),
            np.concatenate(targets),
            np.concatenate([*starts, [total]]),
        )

    def _move(self, spans: Sequence[tuple[int, int, int]], window: _Window) -> None:
        lengths = np.array([last - first for first, last, _ in spans])
        ends = window.position.numpy()[np.cumsum(lengths) - 1]
        stay, keep = [], []
        for lane, end, (_, last, tokens) in zip(self.open, ends, spans, strict=True):
            if last < len(self.pool[lane[0]].subwords):
                stay.append([lane[0], lane[1] + tokens])
                keep.append(int(end))
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


def _score_window(scorer: Scorer, window: _Window) -> tuple[Floats, NDArray[np.uint8]]:
    """nll in nats and ranks of the K tokens of a window."""
    log_p = np.empty(len(window.starts) - 1)
    found = np.zeros(len(log_p), dtype=np.int64)
    opened: list[First] = []
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
            first = first_subwords(rows, log_p[k + unsettled] + TIE, scorer.vocabulary)
            found[k + unsettled] = first.found
            opened.append(First(first.found, k + unsettled[first.rows], first.pieces, first.logp))
        k = end
    scorer.counts.tokens += len(log_p)
    if not scorer.ranks:
        return -log_p, np.zeros(len(log_p), dtype=np.uint8)
    cut = _search(scorer, window, log_p, found, opened)
    rank = np.where((found < WORST) & ~cut, found + 1, 0)
    return -log_p, rank.astype(np.uint8)


def _search(
    scorer: Scorer, window: _Window, log_p: Floats, found: Ints, opened: Sequence[First]
) -> NDArray[np.bool_]:
    """Completes `found` for the tokens that their first distribution did not settle; which were cut off."""
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
    scorer.counts.searched += len(tokens)
    scorer.counts.cut_off += int(result.cut.sum())
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
    nats = sum(float(nll.sum()) for _, nll, _ in scorer.score(texts))
    return nats / math.log(2) / max(1, tokens)
