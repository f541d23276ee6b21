"""Searches for probable tokens of running text: spellings are extended, best first, while they may matter.

What a token's probability is, says models.kinds.huggingface.ranks; what a spelling settles, outcomes.
"""

import heapq
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.kinds.huggingface.subword_outcomes import Outcomes, Written
from models.scoring.search import TIE, WORST
from preprocessing.lexer.tokens import SYMBOLS

WIDTH = 8  # spellings of a place that are extended together

Log = NDArray[np.float64]

Spelling = tuple[float, tuple[int, ...], Written]
"""Nats of some subwords, the subwords, and what is written with them."""


@dataclass
class Search(ABC):
    """Probabilities of tokens found so far, in nats; spellings that may grow into tokens above the bar."""

    room: int  # subwords that a spelling may have
    bar: float = -math.inf
    too_long: float = -math.inf  # nats of the best spelling that has no room
    found: dict[str, float] = field(default_factory=dict)
    pool: list[Spelling] = field(default_factory=list)

    @abstractmethod
    def raise_bar(self) -> None:
        """After a look at a distribution: what must be exceeded from now on."""

    def is_wanted(self, entry: Spelling) -> bool:
        """Whether a spelling above the bar is still worth extending."""
        return True

    def next(self) -> list[Spelling]:
        """The spellings to extend next; none when all is known."""
        self.pool = [entry for entry in self.pool if entry[0] > self.bar + TIE and self.is_wanted(entry)]
        self.pool.sort(key=lambda entry: -entry[0])
        batch, self.pool = self.pool[:WIDTH], self.pool[WIDTH:]
        return batch


@dataclass(kw_only=True)
class RankSearch(Search):
    """Looks for tokens above the true one, whose nats are the bar, and if asked for the best of all."""

    key: str  # of the true token
    best: bool
    better: int = 0  # tokens known to be above the bar
    top: float = -math.inf  # nats of the best token that is known

    def raise_bar(self) -> None:
        self.bar = max(self.bar, self.found.get(self.key, -math.inf))

    def next(self) -> list[Spelling]:
        above = [nats for key, nats in self.found.items() if key != self.key and nats > self.bar + TIE]
        self.better, self.top = len(above), max(above, default=self.bar)
        return super().next()

    def is_wanted(self, entry: Spelling) -> bool:
        return self.better < WORST or self._may_be_true(entry[2]) or (self.best and entry[0] > self.top + TIE)

    def _may_be_true(self, written: Written) -> bool:
        return self.key in SYMBOLS.values() or self.key.startswith(written.text.strip(" \t\f\r\n\\"))


@dataclass(kw_only=True)
class TopSearch(Search):
    """Looks for the k best tokens; the bar is the k-th of those that are known."""

    k: int

    def raise_bar(self) -> None:
        if len(self.found) >= self.k:
            self.found = dict(heapq.nlargest(self.k, self.found.items(), key=lambda item: item[1]))
            self.bar = min(self.found.values())


class ReadWindow:
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


def run(
    search: Search, window: ReadWindow, outcomes: Outcomes, start: Written, at: int, max_expansions: int
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


def _look(
    search: Search,
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


def settled_at_once(outcomes: Outcomes, written: Written, key: str, log_p: Log) -> float:
    """Nats of what settles a token at once."""
    table, own = outcomes(written)
    numbers = [table.numbers.get((False, key)), table.numbers.get((True, key.removeprefix(own)))]
    ids = table.settled[np.isin(table.which, [n for n in numbers if n is not None])]
    return float(np.logaddexp.reduce(log_p[ids])) if len(ids) else -math.inf
