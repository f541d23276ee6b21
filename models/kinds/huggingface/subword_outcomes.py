"""What each subword of a tokenizer of running text means for the token that is being written.

    so far "ret"    urn        open: the token may grow on
                    ry(        settles the token "retry"
                    (          settles the token "ret"

V subwords of the model's own vocabulary. The answers depend on little of what is written so far
(preprocessing.lexer.beginnings.shortest_like), so a few tables serve all places.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preprocessing.lexer.beginnings import (
    DEAD,
    OPEN,
    SETTLED,
    FirstToken,
    Place,
    at_the_end,
    first_token,
    shortest_like,
)
from preprocessing.tokenizers import SPECIALS

FIRST = len(SPECIALS)  # the id that scoring gives to the model's own subword 0
KNOWN = 300  # tables that are remembered
NO_TEXT = "\ufffd"


@dataclass(frozen=True)
class Table:
    """open: subwords after which the token isn't settled; settled: those that settle it, each as `which` of
    the `ends`: (whether the token is what is written so far plus this spelling, or this spelling alone; the
    spelling); numbers: the place of each in `ends`.
    """

    open: NDArray[np.int64]
    settled: NDArray[np.int64]
    which: NDArray[np.int64]
    ends: list[tuple[bool, str]]
    numbers: dict[tuple[bool, str], int]


@dataclass(frozen=True)
class Written:
    """What stands behind the last whole subword: first what belongs to tokens before (`healed`, still to be
    spelt), then the beginning of the token itself.
    """

    place: Place
    healed: str
    text: str = ""

    def and_then(self, more: str) -> "Written":
        """With another subword; it must fit."""
        if len(more) < len(self.healed):
            return Written(self.place, self.healed[len(more) :])
        return Written(self.place, "", self.text + more[len(self.healed) :])


class Outcomes:
    """Tables of one vocabulary; end: the subword that ends a text."""

    def __init__(self, tokenizer: Any, end: int) -> None:
        self.tokenizer, self.texts, self.end = tokenizer, tokenizer.spelled(), end
        self._known: OrderedDict[Any, Table] = OrderedDict()

    def __call__(self, written: Written) -> tuple[Table, str]:
        """The table of what was written, and which part of that belongs to the token."""
        short, place, gap = shortest_like(written.text, written.place)
        key = (written.healed, short, place)
        table = self._known.get(key)
        if table is None:
            if len(self._known) >= KNOWN:
                self._known.popitem(last=False)
            table = self._known[key] = self._table(written.healed, short, place)
        self._known.move_to_end(key)
        return table, written.text[gap:]

    def then(self, start: Written, path: tuple[int, ...], before: Written) -> Written:
        """What is written after a path from `start`, of which all but the last subword gave `before`."""
        text = self.texts[path[-1]] or ""
        if NO_TEXT in before.text + text:  # parts of a character have no text of their own
            return start.and_then(self.tokenizer.spell(path))
        return before.and_then(text)

    def _table(self, healed: str, short: str, place: Place) -> Table:
        open_: list[int] = []
        settled: list[int] = []
        which: list[int] = []
        numbers: dict[tuple[bool, str], int] = {}
        for subword, text in enumerate(self.texts):
            first = self._first(subword, text, healed, short, place)
            if first.status == OPEN:
                open_.append(subword)
            elif first.status == SETTLED:
                grows = bool(short) and first.key.startswith(short)
                end = (grows, first.key[len(short) :] if grows else first.key)
                settled.append(subword)
                which.append(numbers.setdefault(end, len(numbers)))
        return Table(
            open=np.array(open_, dtype=np.int64),
            settled=np.array(settled, dtype=np.int64),
            which=np.array(which, dtype=np.int64),
            ends=list(numbers),
            numbers=numbers,
        )

    def _first(self, subword: int, text: str | None, healed: str, short: str, place: Place) -> FirstToken:
        if subword == self.end:
            return at_the_end(place) if not healed and not short else FirstToken(DEAD)
        if not text:
            return FirstToken(DEAD)
        if healed and not text.startswith(healed):
            return FirstToken(OPEN if healed.startswith(text) else DEAD)
        return first_token(short + text[len(healed) :], place)
