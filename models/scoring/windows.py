"""How texts are put before a model: windows of several texts, each token with the state before it.

    state carried           row 0  aaaaaaaa|aaaabbbb|bbbccccc   a row goes on from window to window, and where
    (no limit of context)   row 1  dddddddd|dddddddd|eeee       the model forgets at <file>, from text to text
    limited context         row 0  dddddddd                     the windows of a text are rows of their own:
                            row 1      ....dddd                 `kept` subwords are read again, not scored

K tokens · M subwords.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.interface import LanguageModel
from models.vocabulary import FILE

POOL_SUBWORDS = 400_000  # texts are sorted by length within a pool

Ints = NDArray[np.int64]


class Text(Protocol):
    """A file to score. subwords: (M); token_starts: (K + 1), from 0 to M."""

    @property
    def subwords(self) -> NDArray[np.int64]: ...

    @property
    def token_starts(self) -> NDArray[np.int64]: ...


@dataclass(eq=False)
class Lane:
    """A text in the work: how many of its tokens have been put before the model."""

    text: Text
    done: int = 0

    @property
    def tokens(self) -> int:
        """Tokens of the text."""
        return len(self.text.token_starts) - 1

    @property
    def position(self) -> int:
        """The first subword of the next token."""
        return int(self.text.token_starts[self.done])

    def take(self, room: int) -> "WindowPiece":
        """The next tokens that fit into `room` subwords, one at least."""
        starts, first = self.text.token_starts, self.position
        end = int(np.searchsorted(starts, first + room, side="right")) - 1
        end = max(end, self.done + 1)
        piece = WindowPiece(self, self.done, end - self.done, first, first, int(starts[end]))
        self.done = end
        return piece


@dataclass(frozen=True)
class WindowPiece:
    """Tokens of a text, `count` from `token` on: subwords from `first` to before `last`, read from `seen`."""

    slot: Lane
    token: int
    count: int
    seen: int
    first: int
    last: int

    @property
    def width(self) -> int:
        """Subwords that are read."""
        return self.last - self.seen

    @property
    def ids(self) -> Ints:
        """What is read: the subwords, moved by one, behind `<file>`."""
        subwords = self.slot.text.subwords
        if self.seen:
            return np.asarray(subwords[self.seen - 1 : self.last - 1])
        return np.concatenate([[FILE], subwords[: self.last - 1]])


@dataclass
class Window:
    """What one pass has read, and the states before each target, piece by piece."""

    states: Any
    pieces: list[WindowPiece] = field(default_factory=list)
    position: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))  # (M) which states
    targets: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # (M)
    starts: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # (K + 1) tokens, into M


def windows(
    model: LanguageModel, slots: Iterable[Lane], rows: int, window: int, pack: bool = True
) -> Iterator[Window]:
    """Everything that the texts hold, each token in one window; the texts of `slots` have subwords.

    rows: texts that are read together; window: subwords of each. With a limited context the rows are as long
    as that, and as many as rows · window subwords give. pack: use that a model forgets at `<file>`.
    """
    waiting = _Waiting(slots)
    if model.context is None:
        yield from _carried(model, waiting, rows, window, pack and getattr(model, "forgets", False))
        return
    while pool := waiting.pool():
        pieces = [piece for slot in pool for piece in _pieces(slot, model.context, model.kept)]
        pieces.sort(key=lambda piece: -piece.width)
        while pieces:
            n = max(1, rows * window // pieces[0].width)
            yield _read(model, model.start(min(n, len(pieces))), [[piece] for piece in pieces[:n]])
            del pieces[:n]


def first_in_view(text: Text, context: int, kept: int) -> Ints:
    """(K) the first subword that a model with a limited context reads together with each token."""
    slot = Lane(text)
    first = np.zeros(slot.tokens, dtype=np.int64)
    for piece in _pieces(slot, context, kept):
        first[piece.token : piece.token + piece.count] = piece.seen
    return first


class _Waiting:
    """Texts that nobody reads yet: pools of them, from each the longest first."""

    def __init__(self, slots: Iterable[Lane]) -> None:
        self._slots = iter(slots)
        self._sorted: list[Lane] = []

    def pool(self) -> list[Lane]:
        """The next texts, in their order."""
        pool, size = [], 0
        for slot in self._slots:
            pool.append(slot)
            size += len(slot.text.subwords) + 1
            if size >= POOL_SUBWORDS:
                break
        return pool

    def pop(self) -> Lane | None:
        """The longest of the pool; None when there is nothing left at all."""
        if not self._sorted:
            self._sorted = sorted(self.pool(), key=lambda slot: len(slot.text.subwords))
        return self._sorted.pop() if self._sorted else None


def _carried(model: LanguageModel, waiting: _Waiting, rows: int, window: int, pack: bool) -> Iterator[Window]:
    """Windows of a model that carries its state; a row's state goes to the row's next window."""
    slots: list[Lane] = []
    kept: list[Any] = []
    while True:
        before = len(slots)
        while len(slots) < rows and (slot := waiting.pop()) is not None:
            slots.append(slot)
        if not slots:
            return
        if len(slots) > before:
            kept.append(model.start(len(slots) - before))
        lines, follow = [], []
        for slot in slots:
            line, next_slot = _line(slot, window, waiting if pack else None)
            lines.append(line)
            follow.append(next_slot)
        read = _read(model, model.join(kept) if len(kept) > 1 else kept[0], lines)
        yield read
        widest = max(sum(piece.width for piece in line) for line in lines)
        stay = [
            row * widest + sum(piece.width for piece in lines[row]) - 1
            for row, slot in enumerate(follow)
            if slot is not None
        ]
        slots = [slot for slot in follow if slot is not None]
        kept = [read.states[torch.tensor(stay)]] if stay else []


def _line(slot: Lane, window: int, waiting: _Waiting | None) -> tuple[list[WindowPiece], Lane | None]:
    """Pieces of one row, and what it goes on with; with `waiting`, the next text follows on the last."""
    line = [slot.take(window)]
    current: Lane | None = slot
    while current is not None:
        if current.done == current.tokens:
            current = waiting.pop() if waiting is not None else None
            continue
        room = window - sum(piece.width for piece in line)
        if int(current.text.token_starts[current.done + 1]) - current.position > room:
            break
        line.append(current.take(room))
    return line, current


def _pieces(slot: Lane, context: int, kept: int) -> Iterator[WindowPiece]:
    """A text in pieces of at most `context` subwords; after the first, `kept` of them are there for context
    alone. A token that is longer than what is left gets a longer piece of its own.
    """
    seen = 0
    while slot.done < slot.tokens:
        if slot.done:
            seen = max(0, slot.position - kept)
        piece = slot.take(context - (slot.position - seen))
        yield WindowPiece(slot, piece.token, piece.count, seen, piece.first, piece.last)


def _read(model: LanguageModel, states: Any, lines: list[list[WindowPiece]]) -> Window:
    widest = max(sum(piece.width for piece in line) for line in lines)
    ids = np.zeros((len(lines), widest), dtype=np.int64)
    pieces, targets, position, starts, total = [], [], [], [], 0
    for row, line in enumerate(lines):
        at = 0
        for piece in line:
            ids[row, at : at + piece.width] = piece.ids
            text, skipped = piece.slot.text, piece.first - piece.seen
            pieces.append(piece)
            targets.append(text.subwords[piece.first : piece.last])
            position.append(row * widest + at + np.arange(skipped, piece.width))
            starts.append(text.token_starts[piece.token : piece.token + piece.count] - piece.first + total)
            at += piece.width
            total += piece.last - piece.first
    return Window(
        model.read(states, torch.from_numpy(ids)),
        pieces,
        torch.from_numpy(np.concatenate(position)),
        np.concatenate(targets),
        np.concatenate([*starts, [total]]),
    )
