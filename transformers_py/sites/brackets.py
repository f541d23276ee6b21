"""Which sites would put more brackets into one another than CPython's parser takes.

a + a + a + ...   ->   ((((a + a) + a) + a) ...     as many brackets as terms
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from transformers_py.source import Source, kept
from transformers_py.source.edits import CLOSING, OPENING, Edit
from transformers_py.source.lexing import tokens

MAX_BRACKETS = 100
"""CPython's tokenizer takes 200 and its parser, by version and build, 100 to 200."""
_RUN = re.compile(r"\((?:[\s\\]*\(){2,}")


def too_deep(source: Source, edits: Sequence[tuple[Edit, int, int]]) -> set[int]:
    """Numbers of the sites to leave out, so that in no line, all others taken, brackets go too deep.

    `edits` are (edit, group, number of its site) in the order of splicing: outer sites come first.
    """
    added = most = 0
    for edit, group, _ in edits:
        if group in (OPENING, CLOSING):
            added += _opened(edit.text)
            most = max(most, added)
    return _left_out(source, edits) if most + _at_most(source) > MAX_BRACKETS else set()


def _left_out(source: Source, edits: Sequence[tuple[Edit, int, int]]) -> set[int]:
    found: set[int] = set()
    starts, peaks = _peaks(source)
    added = 0
    for edit, group, number in edits:
        if number in found or group not in (OPENING, CLOSING):
            continue
        opened = _opened(edit.text)
        peak = peaks[bisect_right(starts, edit.start) - 1]
        if opened > 0 and peak + added + opened > MAX_BRACKETS:
            found.add(number)
        else:
            added += opened
    return found


@lru_cache(maxsize=256)
def _opened(text: str) -> int:
    """How many brackets more a text opens than it closes."""
    return text.count("(") - text.count(")")


@kept
def _at_most(source: Source) -> int:
    """No fewer than the brackets that lie in one another somewhere: one a level, and what stands together."""
    return source.deepest + max((run.count("(") for run in _RUN.findall(source.text)), default=0)


@kept
def _peaks(source: Source) -> tuple[list[int], list[int]]:
    """Where logical lines start, and how many brackets lie in one another in each."""
    starts, peaks = [0], [0]
    depth = 0
    for start, end, kind in tokens(source.text):
        if kind == "newline":
            starts.append(end)
            peaks.append(0)
            depth = 0
        elif end == start + 1:
            depth += (source.text[start] in "([{") - (source.text[start] in ")]}")
            peaks[-1] = max(peaks[-1], depth)
    return starts, peaks
