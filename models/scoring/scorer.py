"""Scores of tokens: bits, exact ranks and best tokens, file by file, however the files are batched.

K tokens · M subwords · V vocabulary.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models.interface import LanguageModel
from models.scoring.search import (
    BLOCK,
    TIE,
    WORST,
    FirstSubwords,
    Floats,
    Ints,
    Result,
    first_subwords,
    search,
)
from models.scoring.windows import Lane, Text, Window, WindowPiece, windows
from models.vocabulary import Vocabulary


@dataclass
class Best:
    """The most probable token at each of K places. nats: −log p of it (K); tokens: what it is where it is not
    the true token and could be found: its subwords or, for models whose subwords don't stop where tokens do,
    its spelling; then `spelled` has the true tokens' spellings (K).
    """

    nats: Floats
    tokens: dict[int, tuple[int, ...] | str] = field(default_factory=dict)
    spelled: Sequence[str] | None = None

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
    unknown: int = 0  # tokens with a part outside of a closed vocabulary: never right

    def add(self, searched: int, result: Result) -> None:
        """Counts the search of some tokens."""
        self.searched += searched
        self.cut_off += int(result.cut.sum())
        self.best_cut_off += result.best_cut
        self.expansions += result.expansions


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
    pack: bool = True  # fill windows with the next text where the model allows it
    counts: Counts = field(default_factory=Counts)

    @torch.inference_mode()
    def score(self, texts: Iterable[Text]) -> Iterator[Scored]:
        """Each text with its scores, in the order of `texts`."""
        order: deque[_Open] = deque()
        opened: dict[Lane, _Open] = {}
        for window in windows(
            self.model, self._slots(texts, order, opened), self.rows, self.window, self.pack
        ):
            nll, rank, best = _score_window(self, window)
            at = 0
            for piece in window.pieces:
                entry = opened[piece.slot]
                entry.put(piece, nll[at : at + piece.count], rank[at : at + piece.count])
                if entry.best is not None and best is not None:
                    entry.best.put(piece.token, best.part(at, at + piece.count))
                at += piece.count
                if not entry.left:
                    del opened[piece.slot]
            while order and not order[0].left:
                yield order.popleft().scored
        yield from (entry.scored for entry in order)

    def _slots(
        self, texts: Iterable[Text], order: "deque[_Open]", opened: "dict[Lane, _Open]"
    ) -> Iterator[Lane]:
        """Texts that have something to read; each gets its place in `order`."""
        for text in texts:
            slot = Lane(text)
            order.append(_Open(text, slot.tokens, self.best))
            if slot.tokens:
                opened[slot] = order[-1]
                yield slot


class _Open:
    """A text whose scores are being collected."""

    def __init__(self, text: Text, tokens: int, best: bool) -> None:
        self.text, self.left = text, tokens
        self.nll, self.rank = np.zeros(tokens), np.zeros(tokens, dtype=np.uint8)
        self.best = Best(np.zeros(tokens)) if best else None

    def put(self, piece: WindowPiece, nll: Floats, rank: NDArray[np.uint8]) -> None:
        """Scores of some of its tokens."""
        self.nll[piece.token : piece.token + piece.count] = nll
        self.rank[piece.token : piece.token + piece.count] = rank
        self.left -= piece.count

    @property
    def scored(self) -> Scored:
        """What is known."""
        return Scored(self.text, self.nll, self.rank, self.best)


def _score_window(scorer: Scorer, window: Window) -> tuple[Floats, NDArray[np.uint8], Best | None]:
    """nll in nats, ranks and, if asked for, best tokens of the K tokens of a window."""
    log_p, first = _first_look(scorer, window)
    scorer.counts.tokens += len(log_p)
    if first is None:
        return -log_p, np.zeros(len(log_p), dtype=np.uint8), None
    best = _best_whole(log_p, first) if scorer.best else None
    found, cut = first.found, np.zeros(len(log_p), dtype=np.bool_)
    unsettled = np.unique(first.rows)
    if len(unsettled):
        result = _search(scorer, window, log_p, first, unsettled)
        found[unsettled], cut[unsettled] = result.found, result.cut
        if best is not None and result.best is not None:
            for k, token in result.best_token.items():
                best.nats[unsettled[k]], best.tokens[int(unsettled[k])] = -result.best[k], token
        scorer.counts.add(len(unsettled), result)
    rank = np.where((found < WORST) & ~cut, found + 1, 0)
    return -log_p, rank.astype(np.uint8), best


def _first_look(scorer: Scorer, window: Window) -> tuple[Floats, FirstSubwords | None]:
    """log p in nats (K), and if ranks are asked for what the first distribution of each of K tokens says.

    Where p is above a half nothing is better: nobody looks, and the best whole subword has −∞ nats.
    """
    log_p = np.empty(len(window.starts) - 1)
    found = np.zeros(len(log_p), dtype=np.int64)
    nats, piece = np.full(len(log_p), -np.inf), np.zeros(len(log_p), dtype=np.int64)
    looks: list[FirstSubwords] = []
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
            look = first_subwords(rows, log_p[k + unsettled] + TIE, scorer.vocabulary, scorer.best)
            found[k + unsettled] = look.found
            look.rows = k + unsettled[look.rows]
            if look.best is not None and look.best_piece is not None:
                nats[k + unsettled], piece[k + unsettled] = look.best, look.best_piece
            looks.append(look)
        k = end
    if not scorer.ranks:
        return log_p, None
    first = FirstSubwords(
        found,
        np.concatenate([look.rows for look in looks]),
        np.concatenate([look.pieces for look in looks]),
        np.concatenate([look.logp for look in looks]),
        nats if scorer.best else None,
        piece,
    )
    return log_p, first


def _best_whole(log_p: Floats, first: FirstSubwords) -> Best:
    """The true token where no whole subword is better."""
    assert first.best is not None
    assert first.best_piece is not None
    better = np.flatnonzero(first.best > log_p + TIE)
    tokens: dict[int, tuple[int, ...] | str] = {int(k): (int(first.best_piece[k]),) for k in better}
    return Best(-np.maximum(log_p, first.best), tokens)


def _search(scorer: Scorer, window: Window, log_p: Floats, first: FirstSubwords, tokens: Ints) -> Result:
    """Searches on for better tokens where the first look left some tokens (their numbers) unsettled."""
    begun = FirstSubwords(
        first.found[tokens],
        np.searchsorted(tokens, first.rows),
        first.pieces,
        first.logp,
        first.best[tokens] if first.best is not None else None,
    )
    return search(
        scorer.model,
        window.states[window.position[window.starts[tokens]]],
        begun,
        log_p[tokens] + TIE,
        [tuple(window.targets[window.starts[t] : window.starts[t + 1]].tolist()) for t in tokens],
        scorer.vocabulary,
        scorer.max_expansions,
    )


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
    scorer = Scorer(
        model=model, vocabulary=vocabulary, ranks=False, pack=False
    )  # learning curves keep their bits
    nats = sum(float(nll.sum()) for _, nll, *_ in scorer.score(texts))
    return nats / math.log(2) / max(1, tokens)
