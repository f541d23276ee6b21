"""Exact ranks of Python's tokens under a model that reads running text.

The model's subwords don't stop where tokens do, so what it says of a token is said by several of them:

    P(token) = the largest, over all spellings y that don't settle the token yet, of
               p(y) · Σ p(s | y) over the subwords s that settle it as this token

`foo` is settled by whatever can't go on a name, `)` at once, also by `):`. Where the token before ends inside
of a subword, y begins with that part of it. P never exceeds the probability that the text goes on with the
token, so over all tokens it sums to at most one; and no spelling is less probable than what it grows into.
So the rank is found as in models.scoring.search: spellings more probable than P(true) are extended, best
first, until none is left, or ten better tokens are known and P(true) can't grow any more. For the best token
of all the search goes on until no spelling is above it; for the k best, until none is above the k-th.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.encoded import TextSample
from models.kinds.huggingface.spelling_search import RankSearch, ReadWindow, TopSearch, run, settled_at_once
from models.kinds.huggingface.subword_outcomes import FIRST, Outcomes, Written
from models.scoring.scorer import Best
from models.scoring.search import TIE, WORST
from preprocessing.errors import BadInput
from preprocessing.lexer.beginnings import SETTLED, first_token, places
from preprocessing.lexer.tokens import COMMENT, SYMBOLS, lex

ROOM = 8  # subwords of the context that are left free for spellings
AHEAD = 40  # characters behind a token, enough to settle it


@dataclass(frozen=True)
class Target:
    """A token to be ranked.

    after: whole subwords before it; key: its spelling (preprocessing.lexer.beginnings); path: its own
    subwords with what is written after each, as long as it isn't settled.
    """

    after: int
    written: Written
    key: str
    path: Sequence[tuple[int, Written]]


@dataclass
class TokenRanks:
    """Ranks of K tokens, 0 beyond ten; the best tokens, if they were asked for; what the search has cost, and
    how many ranks it gave up, and best tokens of known rank.
    """

    rank: NDArray[np.uint8]
    best: Best | None = None
    searched: int = 0
    cut_off: int = 0
    best_cut_off: int = 0
    expansions: int = 0

    def put(self, k: int, one: "_Ranked") -> None:
        """Takes over what was found for token k."""
        self.rank[k] = one.rank
        if self.best is not None:
            self.best.nats[k] = -one.best_nats
            if one.best_key is not None:
                self.best.tokens[k] = one.best_key
        self.searched += one.spent > 0
        self.expansions += one.spent
        self.cut_off += one.cut_off
        self.best_cut_off += one.best_cut_off


@dataclass(frozen=True, kw_only=True)
class _Ranked:
    """One token: its rank, 0 beyond ten; the nats of the best token that is known and, unless it is the true
    one, its spelling; expansions spent; whether the rank, or the best token of a known rank, was given up.
    """

    rank: int
    best_nats: float
    best_key: str | None = None
    spent: int = 0
    cut_off: bool = False
    best_cut_off: bool = False


def rank_tokens(
    network: Any, outcomes: Outcomes, sample: TextSample, max_expansions: int, best: bool = False
) -> TokenRanks:
    """Ranks of a sample's tokens, and if asked for the best tokens; those of a text that can't be spelt back
    from its subwords are given up: rank 0, no best token.
    """
    size = len(sample.kinds)
    result = TokenRanks(np.zeros(size, dtype=np.uint8))
    text = outcomes.tokenizer.decode(sample.subwords.tolist())
    subwords, kinds, targets = _targets(outcomes.tokenizer, text, bool(np.any(sample.kinds == COMMENT)))
    if subwords != sample.subwords.tolist() or kinds != sample.kinds.tolist():
        result.cut_off = size
        return result
    if best:
        result.best = Best(np.zeros(size), spelled=[target.key for target in targets])
    inputs = [network.first_id, *(i - FIRST for i in subwords)]
    for seen, first, last in _windows(len(inputs), network.context, network.kept):
        own = [k for k, target in enumerate(targets) if first <= target.after < last]
        if own:
            window = ReadWindow(network, inputs[seen:last], first - seen)
            for k in own:
                result.put(k, _rank(window, outcomes, targets[k], first, max_expansions, best))
    return result


def best_tokens(
    network: Any, outcomes: Outcomes, text: str, at: int, comments: bool, k: int, max_expansions: int
) -> tuple[list[tuple[str, float]], tuple[str, float], bool]:
    """The k most probable tokens in the place of token `at` of a text, best first, and the true one: each as
    (spelling, nats). Also whether this is proved: False if the search was cut off.

    Raises:
        BadInput: the text is not what its subwords spell.
    """
    subwords, _, targets = _targets(outcomes.tokenizer, text, comments)
    if not targets or outcomes.tokenizer.decode(subwords) != text:
        raise BadInput("the model's tokenizer doesn't spell this text as it is")
    target = targets[at]
    inputs = [network.first_id, *(i - FIRST for i in subwords[: target.after])]
    seen = max(0, len(inputs) - (network.context - ROOM))
    window = ReadWindow(network, inputs[seen:], target.after - seen)
    bar, too_long = _own_spelling(window, outcomes, target, 0)
    search = TopSearch(window.room(0), k=k)
    run(search, window, outcomes, target.written, 0, max_expansions)
    exact = not search.next() and max(search.too_long, too_long) <= search.bar + TIE
    found = sorted(search.found.items(), key=lambda item: -item[1])
    return found, (target.key, max(bar, search.found.get(target.key, -math.inf))), exact


def _targets(tokenizer: Any, text: str, comments: bool) -> tuple[list[int], list[int], list[Target]]:
    """A text's subwords, and the kind and the target of each of its tokens; no tokens if it isn't Python."""
    subwords, upto = tokenizer.offsets(text)
    ids = [i - FIRST for i in subwords]
    try:
        tokens = lex(text, "keep" if comments else "drop")
    except ValueError:
        return subwords, [], []
    bounds = [0, *upto.tolist()]
    start, targets = 0, []
    for place, end, kind in zip(places(text, tokens, comments), tokens.ends, tokens.kinds, strict=True):
        first = first_token(text[start : end + AHEAD], place)
        key = first.key if first.status == SETTLED else SYMBOLS.get(kind, text[start:end].strip())
        after = int(np.searchsorted(upto, start, side="right"))
        written = Written(place, text[bounds[after] : start])
        path: list[tuple[int, Written]] = []
        at = after
        while at < len(ids) and bounds[at + 1] < end + AHEAD:
            more = text[bounds[at] : bounds[at + 1]]
            then = (path[-1][1] if path else written).and_then(more)
            if not then.healed and first_token(then.text, place).status == SETTLED:
                break
            path.append((ids[at], then))
            at += 1
        targets.append(Target(after, written, key, path))
        start = end
    return subwords, list(tokens.kinds), targets


def _windows(n: int, context: int, kept: int) -> Iterator[tuple[int, int, int]]:
    """(seen, first, last): inputs from `seen` on are read for what follows inputs `first` to `last` − 1."""
    width = max(2, context - ROOM)
    kept = min(kept, width - 1)
    seen, first = 0, 0
    while first < n:
        last = min(n, seen + width)
        yield seen, first, last
        seen, first = last - kept, last


def _rank(
    window: ReadWindow, outcomes: Outcomes, target: Target, first: int, max_expansions: int, best: bool
) -> _Ranked:
    """Searches for tokens better than a target, in a window whose distributions begin at input `first`."""
    at = target.after - first
    search = RankSearch(window.room(at), key=target.key, best=best)
    search.bar, search.too_long = _own_spelling(window, outcomes, target, at)
    if search.bar > math.log(0.5):
        return _Ranked(rank=1, best_nats=search.bar)
    spent = run(search, window, outcomes, target.written, at, max_expansions)
    is_open = bool(search.next()) or search.too_long > max(search.bar, search.top) + TIE
    beyond = search.better >= WORST
    cut_off = not beyond and (is_open or search.too_long > search.bar + TIE)
    return _Ranked(
        rank=0 if beyond or cut_off else search.better + 1,
        best_nats=search.top,
        best_key=max(search.found, key=search.found.__getitem__) if best and search.better else None,
        spent=spent,
        cut_off=cut_off,
        best_cut_off=beyond and best and is_open,
    )


def _own_spelling(window: ReadWindow, outcomes: Outcomes, target: Target, at: int) -> tuple[float, float]:
    """Nats of a token as its text spells it, and those of the spelling that has no room, or −∞."""
    bar, nats, written, before = -math.inf, 0.0, target.written, window.after(at)
    path: tuple[int, ...] = ()
    for number, (piece, then) in enumerate([*target.path, (-1, target.written)]):
        bar = max(bar, settled_at_once(outcomes, written, target.key, before) + nats)
        if piece < 0:
            break
        nats += float(before[piece])
        path, written = (*path, piece), then
        if nats <= bar:
            break
        if len(path) > window.room(at):
            return bar, nats
        inside = at + number + 1 < len(window.log_p)
        before = window.after(at + number + 1) if inside else window.extend(at, [path])[0]
    return bar, -math.inf
