"""What the file itself has said so far, folded into the probabilities: the nested cache of an n-gram model.

Hellendoorn & Devanbu (2017) mix a model of the file's own n-grams into the global one. Here that is done
order by order, from no context to the longest one that the file has seen, so that every mixture sums to one:

    p ← (c(context, w) + strength · p) / (c(context) + strength)
"""

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.vocabulary import FILE

Floats = NDArray[np.float64]
Context = tuple[int, ...]


@dataclass
class History:
    """The subwords of one file, with the places where each context of up to `order` − 1 of them stood."""

    order: int
    ids: list[int] = field(default_factory=list)
    places: dict[Context, list[int]] = field(default_factory=dict)

    def upto(self, length: int) -> "History":
        """This history if it is that long, else a copy that ends there: a state may be read on twice."""
        if length == len(self.ids):
            return self
        copy = History(self.order)
        for word in self.ids[:length]:
            copy.append(word)
        return copy

    def append(self, word: int) -> None:
        place = len(self.ids)
        if word != FILE:
            for size in range(min(self.order, place + 1)):
                self.places.setdefault(tuple(self.ids[place - size :]), []).append(place)
        self.ids.append(word)

    def fold(self, p: Floats, recent: Context, length: int, strength: float) -> None:
        """Mixes the first `length` subwords into p (V), in place, for a position after `recent`."""
        share = 1.0
        added: list[tuple[list[int], float]] = []
        for size in range(len(recent), -1, -1):
            places = self.places.get(recent[len(recent) - size :], [])
            times = bisect_left(places, length)
            if times:
                added.append((places[:times], share / (times + strength)))
                share *= strength / (times + strength)
        p *= share
        for places, weight in added:
            np.add.at(p, [self.ids[place] for place in places], weight)
