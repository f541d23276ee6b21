"""Edits over a source text: what they are, how they are ordered, spliced in and used for alignment.

text "x = a"  +  Edit(4, 4, "("), Edit(5, 5, ")")  ->  "x = (a)"
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

HOLE = "\0"
"""Stands in an edit's text for what a rewrite draws when it is emitted (NUL can't occur in Python source)."""

NAMED = "\1"
"""Stands in what is drawn around a name of the original, which follows when that name is renamed."""

Token = tuple[int, int, str]
"""(start, end, kind), offsets in characters; kind: newline, indent, dedent, comment or other."""

INNERMOST = 1
CLOSING, POINT, OPENING, REPLACING = 0, 1, 2, 3
UNCHANGED, RENAMED, INSERTED = 0, 1, 2
_LAYOUT = frozenset(["indent", "dedent"])


class Edit(NamedTuple):
    """`text` for the original's characters start..end: an insertion (start == end), or one NAME replaced, or
    the blanks before a line's first token."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Site:
    """One place where a rewrite can be applied: edits that belong together.

    `start`..`end` is what is wrapped, or the point where something is inserted (start == end). Among
    edits at one offset, closing ones come first (the inner before the outer), then insertions at that
    point by `rank`, then opening ones (the outer before the inner): so sites of any rewrites nest well.
    `rank` orders sites of equal extent, lower outside: -1 wraps statements or only tests the truth of what it
    wraps, 1 must end its line (comments) or stand right beside a literal (INNERMOST), 0 all others.
    """

    start: int
    end: int
    edits: tuple[Edit, ...]
    rank: int = 0
    exclusive: bool = False
    """No insertion of several lines by another site may fall strictly inside start..end."""
    alone: bool = False
    """No other site of its rewrite is taken inside or around it: which of them is, the seed decides."""
    scope: int = 0
    """Index in `Source.scopes` of the scope in which the site lies."""
    closed: bool = False
    """Whether it is proved over the whole text, as in a closed world: it renames keywords or annotations."""


class Stretches:
    """Stretches of a text, asked which places lie strictly inside of one."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._reach = list(accumulate((end for _, end in ordered), max))
        """Where the furthest of the stretches up to each ends."""

    def around(self, offset: int) -> bool:
        """Whether a stretch starts before an offset and ends behind it."""
        k = bisect_left(self._starts, offset)
        return k > 0 and self._reach[k - 1] > offset


class Refusals(Counter[str]):
    """How often a rewrite was refused for which reason, and where."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[tuple[int, str]] = []
        """(offset, reason)"""
        self.names: list[tuple[str, list[int], str]] = []
        """(name, its nodes in the source's table, reason) of what may not be renamed."""

    def note(self, reason: str, offset: int) -> None:
        """Count a refusal of what stands at an offset."""
        self[reason] += 1
        self.places.append((offset, reason))

    def before(self, end: int) -> "Refusals":
        """What was refused up to an offset."""
        found = Refusals()
        for offset, reason in self.places:
            if offset <= end:
                found.note(reason, offset)
        found.names = self.names
        return found

    def merge(self, other: "Refusals") -> None:
        """Count what another one has counted, too."""
        self.update(other)
        self.places += other.places
        self.names += other.names


def place(edit: Edit, site: Site, order: int) -> tuple[int, ...]:
    """Sort key of an edit: offset, closing < inserted < opening < replacing, nesting; `order` breaks ties."""
    if edit.end > edit.start:
        return (edit.start, REPLACING, order)
    if edit.start == site.end and site.start < site.end:
        return (edit.start, CLOSING, -site.start, -site.rank, -order)
    if edit.start == site.start and site.start < site.end:
        return (edit.start, OPENING, -site.end, site.rank, order)
    return (edit.start, POINT, site.rank, order)


def splice(text: str, edits: Iterable[Edit], start: int = 0, end: int | None = None) -> str:
    """The text, or its characters start..end, with the edits made: in order, none overlapping another."""
    pieces: list[str] = []
    for first, last, new in edits:
        pieces += (text[start:first], new)
        start = last
    pieces.append(text[start:end])
    return "".join(pieces)


def align(
    original: Sequence[Token],
    rewritten: Sequence[Token],
    edits: Sequence[Edit] | Sequence[tuple[int, int, str]],
) -> list[tuple[int, int]]:
    """For each rewritten token (index of its original token or -1, change).

    change is 0 unchanged, 1 renamed (its text differs, also by a name inside of it), 2 inserted. Tokens of
    kind "indent" and "dedent" have no extent that decides: an INDENT belongs to the next token's line, and a
    DEDENT has the origin of the DEDENT that closes its INDENT's origin. Every token of the original is the
    origin of one token, in order, with one exception: an INDENT or DEDENT, which stands after the comments
    above its line, comes before those above which a statement was inserted. Raises ValueError where that
    can't be: then the edits aren't token-preserving.
    """
    spans = {(start, end): i for i, (start, end, kind) in enumerate(original) if kind not in _LAYOUT}
    back = _Back(edits)
    result: list[tuple[int, int]] = []
    for start, end, kind in rewritten:
        if kind in _LAYOUT:
            result.append((-1, INSERTED))
            continue
        where = back.span(start, end)
        if where is None:
            result.append((-1, INSERTED))
            continue
        origin = spans.get(where[:2], -1)
        if origin < 0 and kind == "newline":
            origin = spans.get((where[0], where[0]), -1)
        if origin < 0:
            raise ValueError(f"the token at {start}..{end} of the rewritten text is no token of the original")
        result.append((origin, where[2]))
    _align_indents(original, rewritten, result)
    survivors = [origin for origin, _ in result if origin >= 0]
    if survivors != list(range(len(original))) and not _differ_by_passing(original, survivors):
        raise ValueError("a token of the original was lost, or moved over another one")
    return result


def _differ_by_passing(original: Sequence[Token], survivors: list[int]) -> bool:
    """Whether all tokens survive, and only layout and comments have passed each other."""
    for passed in (_LAYOUT, frozenset(["comment"])):
        rest = [i for i, token in enumerate(original) if token[2] not in passed]
        if [i for i in survivors if original[i][2] not in passed] != rest:
            return False
    return True


class _Back:
    """Maps spans of the rewritten text back, asked in ascending order."""

    def __init__(self, edits: Sequence[Edit] | Sequence[tuple[int, int, str]]) -> None:
        self.edits = edits
        self.next = 0
        self.shift = 0

    def span(self, start: int, end: int) -> tuple[int, int, int] | None:
        """(original start, original end, change), or None for a token that stands in inserted text."""
        edits = self.edits
        while self.next < len(edits):
            first, last, text = edits[self.next]
            if first + self.shift + len(text) > start:
                break
            self.shift += len(text) - (last - first)
            self.next += 1
        change, shift, k = UNCHANGED, self.shift, self.next
        while k < len(edits) and edits[k][0] + shift < max(end, start + 1):
            first, last, text = edits[k]
            if first == last and first + shift <= start and end <= first + shift + len(text):
                return None
            change = RENAMED
            shift += len(text) - (last - first)
            k += 1
        return start - self.shift, end - shift, change


def _align_indents(
    original: Sequence[Token], rewritten: Sequence[Token], result: list[tuple[int, int]]
) -> None:
    """Give each INDENT and DEDENT of the original's its place in the rewritten text.

    Between the head of a block and the first token in it, the original has one INDENT. The rewritten text
    may have more, of inserted blocks: those that are closed again before the token are none of the
    original's, and of those that are open the outermost is the block's own; the others are wrapped around
    what stands in it. A DEDENT belongs where its INDENT belongs. Comments say nothing about blocks.
    """
    opens, closes = _blocks(original)
    stack: list[int] = []
    recent = 0
    """So many blocks were open at the last token of the original."""
    for k, (_, _, kind) in enumerate(rewritten):
        if kind == "indent":
            stack.append(k)
        elif kind == "dedent":
            opened = result[stack.pop()][0]
            recent = min(recent, len(stack))
            if opened >= 0:
                result[k] = (closes[opened], UNCHANGED)
        elif result[k][0] >= 0 and kind != "comment":
            indent = opens.get(result[k][0], -1)
            if indent >= 0 and recent < len(stack):
                result[stack[recent]] = (indent, UNCHANGED)
            recent = len(stack)


def _blocks(original: Sequence[Token]) -> tuple[dict[int, int], dict[int, int]]:
    """First token of each block -> its INDENT, and INDENT -> its DEDENT."""
    opens: dict[int, int] = {}
    closes: dict[int, int] = {}
    stack: list[int] = []
    for i, (_, _, kind) in enumerate(original):
        if kind == "indent":
            stack.append(i)
            opens[i + 1] = i
        elif kind == "dedent":
            closes[stack.pop()] = i
    return opens, closes
