"""Remembers which forms of inserted statements are inert, so that each form is looked at once.

"if False:\\n    spare = total"  and  "while 0:\\n        limit = rate"  have one form in two dead branches
"""

import ast
import keyword
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from transformers_py.proof.inert import Surroundings, is_dead, name_problem
from transformers_py.source.cpython import WORD, parse_quietly

Shape = tuple[str, bool, str, int]
"""(text with names and digits blanked, behind an end of its block, whose names it binds, its offset)."""

_WORD = re.compile(f"({WORD.pattern})")
_KEYWORDS = frozenset([*keyword.kwlist, *keyword.softkwlist, "super", "__class__", "type"])
_QUOTES = ("'", '"')  # what stands right before one may be a prefix, which decides what the string is
_DIGITS = str.maketrans("23456789", "11111111")
_MOST = 20_000
_KNOWN: dict[Shape, tuple[bool, tuple[tuple[int, bool], ...]]] = {}
"""Shape -> whether it never runs, and the words of the text that are names, by their number, with whether
they are bound (or read)."""


@lru_cache(maxsize=4096)
def blank(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with its names blanked and its digits but 0 made 1, and the names."""
    pieces = _WORD.split(text)
    words = tuple(pieces[1::2])
    pieces[1::2] = [
        word if word in _KEYWORDS or after[:1] in _QUOTES else "\1"
        for word, after in zip(words, pieces[2::2], strict=True)
    ]
    return "".join(pieces).translate(_DIGITS), words


class Line(NamedTuple):
    """A line that is all that an inserted text says, or all that its dead branch says."""

    text: str
    dead: bool
    blanked: str
    words: tuple[str, ...]


def line_of(lines: str, indent: str) -> Line | None:
    """The one line in whole lines of an indentation, below the head of a branch that never runs or alone.

    What is a statement by itself is the same one below a head that takes it for its body. None for others.
    """
    first, *others = (lines.replace("\r\n", "\n").replace("\r", "\n") if "\r" in lines else lines).split("\n")
    if not first.startswith(indent) or not others or others[-1] or len(others) > 2:
        return None
    first = first[len(indent) :]
    if len(others) == 1:
        return Line(first, False, *blank(first))
    body = others[0].lstrip(" \t")
    deeper = others[0].startswith(indent) and len(body) < len(others[0]) - len(indent)
    return Line(body, True, *blank(body)) if deeper and _never_runs(first) else None


@lru_cache(maxsize=256)
def _never_runs(head: str) -> bool:
    """Whether a line is the head of a statement whose body never runs, with nothing of the body in it."""
    try:
        tree = parse_quietly(f"{head} pass")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return len(tree.body) == 1 and is_dead(tree.body[0]) and _is_pass(tree.body[0])


def _is_pass(node: ast.stmt) -> bool:
    body: Sequence[ast.stmt] = getattr(node, "body", ())
    return len(body) == 1 and isinstance(body[0], ast.Pass)


def is_known(shape: Shape, words: tuple[str, ...], around: Surroundings) -> bool:
    """Whether a statement of this shape was found inert, and these names are right in its place, too."""
    known = _KNOWN.get(shape)
    if known is None:
        return False
    dead, names = known
    return not any(name_problem(words[k], bound, around, dead=dead) for k, bound in names)


def remember(shape: Shape, node: ast.stmt, text: str, offset_of: dict[int, int]) -> None:
    """Note an inert statement; `offset_of` maps id(Name node) to its place in the edit's text."""
    number = {found.start(): k for k, found in enumerate(_WORD.finditer(text))}
    names: list[tuple[int, bool]] = []
    for child in ast.walk(node):
        if isinstance(child, (ast.FunctionDef, ast.ExceptHandler, ast.alias, ast.arg)):
            return
        if isinstance(child, ast.Name):
            k = number.get(offset_of[id(child)])
            if k is None:
                return
            names.append((k, not isinstance(child.ctx, ast.Load)))
    if len(_KNOWN) >= _MOST:
        _KNOWN.clear()  # every file has shapes of its own, those of files long past are no use
    _KNOWN[shape] = (shape[1] or is_dead(node), tuple(names))
