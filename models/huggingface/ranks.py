"""Exact ranks of Python's tokens under a model that reads running text.

The model's subwords don't stop where tokens do, so what it says of a token is said by several of them:

    P(token) = the largest, over all spellings y that don't settle the token yet, of
               p(y) · Σ p(s | y) over the subwords s that settle it as this token

`foo` is settled by whatever can't go on a name, `)` at once, also by `):`. Where the token before ends inside
of a subword, y begins with that part of it. P never exceeds the probability that the text goes on with the
token, so over all tokens it sums to at most one; and no spelling is less probable than what it grows into.
So the rank is found as in models.search: spellings more probable than P(true) are extended, best first, until
none is left, or ten better tokens are known and P(true) can't grow any more.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.data import Sample
from models.huggingface.outcomes import Outcomes, Written
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
    """Ranks of K tokens, 0 beyond ten; what the search has cost, and how many it gave up."""

    rank: NDArray[np.uint8]
    searched: int = 0
    cut_off: int = 0
    expansions: int = 0


@dataclass
class _Place:
    """One search: probabilities of tokens found so far, in nats; spellings that may grow into better ones."""

    target: Target
    room: int  # subwords that a spelling may have
    bar: float = -math.inf  # nats of the true token
    too_long: float = -math.inf  # nats of the best spelling that has no room
    found: dict[str, float] = field(default_factory=dict)
    pool: list[tuple[float, tuple[int, ...], Written]] = field(default_factory=list)

    def better(self) -> int:
        """Tokens known to be better than the true one."""
        return sum(nats > self.bar + TIE for key, nats in self.found.items() if key != self.target.key)

    def next(self) -> list[tuple[float, tuple[int, ...], Written]]:
        """The spellings to extend next; none when the rank is known."""
        self.pool = [entry for entry in self.pool if entry[0] > self.bar + TIE]
        if self.better() >= WORST:
            self.pool = [entry for entry in self.pool if self._may_be_true(entry[2])]
        self.pool.sort(key=lambda entry: -entry[0])
        batch, self.pool = self.pool[:WIDTH], self.pool[WIDTH:]
        return batch

    @property
    def is_open(self) -> bool:
        """Whether the rank is not known for all that was looked at."""
        return self.better() < WORST and (self.too_long > self.bar + TIE or bool(self.next()))

    def _may_be_true(self, written: Written) -> bool:
        return self.target.key in SYMBOLS.values() or self.target.key.startswith(
            written.text.strip(" \t\f\r\n\\")
        )


def rank_tokens(network: Any, outcomes: Outcomes, sample: Sample, max_expansions: int) -> Ranks:
    """Ranks of a sample's tokens; those of a text that can't be spelt back from its subwords are given up."""
    ids = (sample.subwords - network.first_own).tolist()
    targets = list(_targets(outcomes.tokenizer, sample, ids))
    result = Ranks(np.zeros(len(sample.kinds), dtype=np.uint8))
    if len(targets) < len(sample.kinds):
        result.cut_off = len(sample.kinds)
        return result
    inputs = [network.first_id, *ids]
    for seen, first, last in _windows(len(inputs), network.context, network.kept):
        own = [k for k, target in enumerate(targets) if first <= target.after < last]
        if own:
            window = _Window(network, inputs[seen:last], first - seen)
            for k in own:
                _rank(window, outcomes, targets[k], first, max_expansions, result, k)
    return result


def _targets(tokenizer: Any, sample: Sample, ids: list[int]) -> Iterator[Target]:
    text = tokenizer.decode(sample.subwords.tolist())
    comments = bool(np.any(sample.kinds == COMMENT))
    again, upto = tokenizer.offsets(text)
    try:
        tokens = lex(text, "keep" if comments else "drop")
    except ValueError:
        return
    if again != sample.subwords.tolist() or tokens.kinds != sample.kinds.tolist():
        return
    bounds = [0, *upto.tolist()]
    start = 0
    for place, end, kind in zip(places(text, tokens, comments), tokens.ends, tokens.kinds, strict=True):
        first = first_token(text[start : end + AHEAD], place)
        key = first.key if first.status == SETTLED else SYMBOLS.get(kind, text[start:end].strip())
        after = int(np.searchsorted(upto, start, side="right"))
        written = Written(place, text[bounds[after] : start])
        path: list[tuple[int, Written]] = []
        at = after
        while at < len(ids) and bounds[at + 1] < end + AHEAD:
            more = text[bounds[at] : bounds[at + 1]]
            healed_text = (path[-1][1] if path else written).and_then(more)
            if not healed_text.healed and first_token(healed_text.text, place).status == SETTLED:
                break
            path.append((ids[at], healed_text))
            at += 1
        yield Target(after, written, key, path)
        start = end


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
    search = _Place(target, window.room(at))
    root = before = window.after(at)
    nats, written = 0.0, target.written
    path: tuple[int, ...] = ()
    for number, (piece, then) in enumerate([*target.path, (-1, target.written)]):
        search.bar = max(search.bar, _of(outcomes, written, target.key, before) + nats)
        if piece < 0:
            break
        nats += float(before[piece])
        path, written = (*path, piece), then
        if nats <= search.bar:
            break
        if len(path) > search.room:
            search.too_long = nats
            break
        inside = at + number + 1 < len(window.log_p)
        before = window.after(at + number + 1) if inside else window.extend(at, [path])[0]
    if search.bar > math.log(0.5):
        result.rank[k] = 1
        return
    _look(search, outcomes, (), target.written, 0.0, root)
    spent = 0
    while spent < max_expansions and (batch := search.next()):
        spent += len(batch)
        after = window.extend(at, [path for _, path, _ in batch])
        for (reached, longer, then), log_p in zip(batch, after, strict=True):
            _look(search, outcomes, longer, then, reached, log_p)
    better, cut = search.better(), search.is_open
    result.searched += spent > 0
    result.expansions += spent
    result.cut_off += cut
    result.rank[k] = 0 if cut or better >= WORST else better + 1


def _of(outcomes: Outcomes, written: Written, key: str, log_p: Log) -> float:
    """Nats of what settles a token at once."""
    table, own = outcomes(written)
    numbers = [table.numbers.get((False, key)), table.numbers.get((True, key.removeprefix(own)))]
    ids = table.settled[np.isin(table.which, [n for n in numbers if n is not None])]
    return float(np.logaddexp.reduce(log_p[ids])) if len(ids) else -math.inf


def _look(
    search: _Place, outcomes: Outcomes, path: tuple[int, ...], written: Written, nats: float, log_p: Log
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
    search.bar = max(search.bar, search.found.get(search.target.key, -math.inf))
    grown = log_p[table.open] + nats
    for piece in table.open[grown > search.bar].tolist():
        longer, reached = (*path, piece), float(log_p[piece] + nats)
        if len(longer) > search.room:
            search.too_long = max(search.too_long, reached)
            continue
        search.pool.append((reached, longer, outcomes.then(search.target.written, longer, written)))
