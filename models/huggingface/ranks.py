"""Exact ranks of Python's tokens under a model that reads running text.

The model's subwords don't stop where tokens do, so what it says of a token is said by several of them:

    P(token) = the largest, over all spellings y that don't settle the token yet, of
               p(y) · Σ p(s | y) over the subwords s that settle it as this token

`foo` is settled by whatever can't go on a name, `)` at once, also by `):`. Where the token before ends inside
of a subword, y begins with that part of it. P never exceeds the probability that the text goes on with the
token, so over all tokens it sums to at most one; and no spelling is less probable than what it grows into.
So the rank is found as in models.search: spellings more probable than P(true) are extended, best first, until
none is left, or ten better tokens are known and P(true) can't grow any more. For the best token of all the
search goes on until no spelling is above it; for the k best of a place, until none is above the k-th.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.data import Sample
from models.errors import BadInput
from models.huggingface.outcomes import FIRST, Outcomes, Written
from models.scoring import Best
from models.search import TIE, WORST
from preprocessing.beginnings import SETTLED, first_token, places
from preprocessing.tokens import COMMENT, SYMBOLS, lex

ROOM = 8  # subwords of the context that are left free for spellings
WIDTH = 8  # spellings of a place that are extended together
AHEAD = 40  # characters behind a token, enough to settle it

Log = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """A token to be ranked. after: whole subwords before it; key: its spelling (preprocessing.beginnings);
    path: its own subwords with what is written after each, as long as it isn't settled.
    """

    after: int
    written: Written
    key: str
    path: Sequence[tuple[int, Written]]


@dataclass
class Ranks:
    """Ranks of K tokens, 0 beyond ten; the best tokens, if they were asked for; what the search has cost, and
    how many ranks it gave up, and best tokens of known rank.
    """

    rank: NDArray[np.uint8]
    best: Best | None = None
    searched: int = 0
    cut_off: int = 0
    best_cut_off: int = 0
    expansions: int = 0


_Spelling = tuple[float, tuple[int, ...], Written]
"""Nats of some subwords, the subwords, and what is written with them."""


@dataclass
class _Search:
    """Probabilities of tokens found so far, in nats; spellings that may grow into tokens above the bar."""

    room: int  # subwords that a spelling may have
    bar: float = -math.inf
    too_long: float = -math.inf  # nats of the best spelling that has no room
    found: dict[str, float] = field(default_factory=dict)
    pool: list[_Spelling] = field(default_factory=list)

    def raise_bar(self) -> None:
        """After a look at a distribution: what must be exceeded from now on."""
        raise NotImplementedError

    def is_wanted(self, entry: _Spelling) -> bool:
        """Whether a spelling above the bar is still worth extending."""
        raise NotImplementedError

    def next(self) -> list[_Spelling]:
        """The spellings to extend next; none when all is known."""
        self.pool = [entry for entry in self.pool if entry[0] > self.bar + TIE and self.is_wanted(entry)]
        self.pool.sort(key=lambda entry: -entry[0])
        batch, self.pool = self.pool[:WIDTH], self.pool[WIDTH:]
        return batch


@dataclass(kw_only=True)
class _Rank(_Search):
    """Looks for tokens above the true one, whose nats are the bar, and if asked for the best of all."""

    target: Target
    best: bool
    better: int = 0  # tokens known to be above the bar
    top: float = -math.inf  # nats of the best token that is known

    def raise_bar(self) -> None:
        self.bar = max(self.bar, self.found.get(self.target.key, -math.inf))

    def next(self) -> list[_Spelling]:
        above = [nats for key, nats in self.found.items() if key != self.target.key and nats > self.bar + TIE]
        self.better, self.top = len(above), max(above, default=self.bar)
        return super().next()

    def is_wanted(self, entry: _Spelling) -> bool:
        return self.better < WORST or self._may_be_true(entry[2]) or (self.best and entry[0] > self.top + TIE)

    def _may_be_true(self, written: Written) -> bool:
        return self.target.key in SYMBOLS.values() or self.target.key.startswith(
            written.text.strip(" \t\f\r\n\\")
        )


@dataclass(kw_only=True)
class _Top(_Search):
    """Looks for the k best tokens; the bar is the k-th of those that are known."""

    k: int

    def raise_bar(self) -> None:
        if len(self.found) >= self.k:
            self.found = dict(heapq.nlargest(self.k, self.found.items(), key=lambda item: item[1]))
            self.bar = min(self.found.values())

    def is_wanted(self, entry: _Spelling) -> bool:
        return True


def rank_tokens(
    network: Any, outcomes: Outcomes, sample: Sample, max_expansions: int, best: bool = False
) -> Ranks:
    """Ranks of a sample's tokens, and if asked for the best tokens; those of a text that can't be spelt back
    from its subwords are given up: rank 0, no best token.
    """
    size = len(sample.kinds)
    result = Ranks(np.zeros(size, dtype=np.uint8))
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
            window = _Window(network, inputs[seen:last], first - seen)
            for k in own:
                _rank(window, outcomes, targets[k], first, max_expansions, result, k)
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
    window = _Window(network, inputs[seen:], target.after - seen)
    bar, too_long = _own_spelling(window, outcomes, target, 0)
    search = _Top(window.room(0), k=k)
    _run(search, window, outcomes, target.written, 0, max_expansions)
    exact = not search.next() and max(search.too_long, too_long) <= search.bar + TIE
    found = sorted(search.found.items(), key=lambda item: -item[1])
    return found, (target.key, max(bar, search.found.get(target.key, -math.inf))), exact


def _targets(tokenizer: Any, text: str, comments: bool) -> tuple[list[int], list[int], list[Target]]:
    """A text's subwords, and the kinds of its tokens and what is to be ranked of each; no tokens if it isn't
    valid Python.
    """
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


class _Window:
    """Part of a text that was read once: its distributions, and the keys and values of all its prefixes."""

    def __init__(self, network: Any, ids: list[int], skip: int) -> None:
        self.network, self.ids = network, ids
        out = network.model(input_ids=self._row(ids), use_cache=True)
        self.log_p = torch.log_softmax(out.logits[0, skip:].float(), 1)
        self.cache = out.past_key_values
        layers = getattr(self.cache, "layers", [])
        self.cached = bool(layers) and all(
            getattr(layer, "keys", None) is not None and layer.keys.shape[-2] == len(ids) for layer in layers
        )
        self.skip = skip

    def room(self, place: int) -> int:
        """How many subwords still fit behind a place."""
        return int(self.network.context) - self.skip - place - 1

    def after(self, place: int) -> Log:
        """(V) nats after the first `skip` + place + 1 subwords."""
        result: Log = self.log_p[place].double().cpu().numpy()
        return result

    def extend(self, place: int, paths: Sequence[tuple[int, ...]]) -> list[Log]:
        """(V) nats after each of some paths from a place."""
        results: dict[tuple[int, ...], Log] = {}
        for length in sorted({len(path) for path in paths}):
            same = [path for path in paths if len(path) == length]
            results.update(zip(same, self._extend(self.skip + place + 1, same), strict=True))
        return [results[path] for path in paths]

    def _extend(self, seen: int, paths: Sequence[tuple[int, ...]]) -> Any:
        ids = torch.tensor(paths, device=self.network.model.device)
        if self.cached:
            cache = self._upto(seen, len(paths))
            out = self.network.model(input_ids=ids, past_key_values=cache, use_cache=True)
        else:
            before = self._row(self.ids[:seen]).expand(len(paths), -1)
            out = self.network.model(input_ids=torch.cat([before, ids], 1), use_cache=False)
        return torch.log_softmax(out.logits[:, -1].float(), 1).double().cpu().numpy()

    def _upto(self, seen: int, rows: int) -> Any:
        from transformers import DynamicCache

        return DynamicCache(
            [
                tuple(x[:, :, :seen].expand(rows, -1, -1, -1) for x in (layer.keys, layer.values))
                for layer in self.cache.layers
            ]
        )

    def _row(self, ids: list[int]) -> Tensor:
        return torch.tensor([ids], device=self.network.model.device)


def _rank(
    window: _Window,
    outcomes: Outcomes,
    target: Target,
    first: int,
    max_expansions: int,
    result: Ranks,
    k: int,
) -> None:
    at = target.after - first
    search = _Rank(window.room(at), target=target, best=result.best is not None)
    search.bar, search.too_long = _own_spelling(window, outcomes, target, at)
    if search.bar > math.log(0.5):
        result.rank[k] = 1
        if result.best is not None:
            result.best.nats[k] = -search.bar
        return
    spent = _run(search, window, outcomes, target.written, at, max_expansions)
    is_open = bool(search.next()) or search.too_long > max(search.bar, search.top) + TIE
    result.searched += spent > 0
    result.expansions += spent
    if search.better >= WORST:
        result.best_cut_off += search.best and is_open
    elif is_open or search.too_long > search.bar + TIE:
        result.cut_off += 1
    else:
        result.rank[k] = search.better + 1
    if result.best is not None:
        result.best.nats[k] = -search.top
        if search.better:
            result.best.tokens[k] = max(search.found, key=search.found.__getitem__)


def _own_spelling(window: _Window, outcomes: Outcomes, target: Target, at: int) -> tuple[float, float]:
    """Nats of a token as its text spells it, and those of the spelling that has no room, or −∞."""
    bar, nats, written, before = -math.inf, 0.0, target.written, window.after(at)
    path: tuple[int, ...] = ()
    for number, (piece, then) in enumerate([*target.path, (-1, target.written)]):
        bar = max(bar, _of(outcomes, written, target.key, before) + nats)
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


def _run(
    search: _Search, window: _Window, outcomes: Outcomes, start: Written, at: int, max_expansions: int
) -> int:
    """Searches from a place until all is known, or the expansions are spent; how many they were."""
    _look(search, outcomes, start, (), start, 0.0, window.after(at))
    spent = 0
    while spent < max_expansions and (batch := search.next()):
        spent += len(batch)
        after = window.extend(at, [path for _, path, _ in batch])
        for (reached, longer, then), log_p in zip(batch, after, strict=True):
            _look(search, outcomes, start, longer, then, reached, log_p)
    return spent


def _of(outcomes: Outcomes, written: Written, key: str, log_p: Log) -> float:
    """Nats of what settles a token at once."""
    table, own = outcomes(written)
    numbers = [table.numbers.get((False, key)), table.numbers.get((True, key.removeprefix(own)))]
    ids = table.settled[np.isin(table.which, [n for n in numbers if n is not None])]
    return float(np.logaddexp.reduce(log_p[ids])) if len(ids) else -math.inf


def _look(
    search: _Search,
    outcomes: Outcomes,
    start: Written,
    path: tuple[int, ...],
    written: Written,
    nats: float,
    log_p: Log,
) -> None:
    """Takes what one distribution says into a search."""
    table, own = outcomes(written)
    mass = np.bincount(table.which, np.exp(log_p[table.settled]), minlength=len(table.ends))
    with np.errstate(divide="ignore"):
        total = np.log(mass) + nats
    for number in np.flatnonzero(total > search.bar):
        grows, end = table.ends[number]
        key = own + end if grows else end
        search.found[key] = max(search.found.get(key, -math.inf), float(total[number]))
    search.raise_bar()
    grown = log_p[table.open] + nats
    for piece in table.open[grown > search.bar].tolist():
        longer, reached = (*path, piece), float(log_p[piece] + nats)
        if len(longer) > search.room:
            search.too_long = max(search.too_long, reached)
            continue
        search.pool.append((reached, longer, outcomes.then(start, longer, written)))
