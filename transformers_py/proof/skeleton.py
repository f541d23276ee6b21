"""The statements of a text and where each stands: the skeleton that insertions must keep.

"if a:\n    b\n"  ->  ("If", 0, 0, 0), ("Expr", 1, 10, 11)
"""

import ast
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from transformers_py.proof.roles import Role
from transformers_py.source.cpython import line_starts, parse_quietly
from transformers_py.source.edits import CLOSING, OPENING, Edit

Statement = tuple[str, int, int, int]
"""(type, depth, start, end); end is 0 for compound statements."""
BODIES: dict[str, tuple[str, ...]] = {
    "Module": ("body",),
    "FunctionDef": ("body",),
    "AsyncFunctionDef": ("body",),
    "ClassDef": ("body",),
    "With": ("body",),
    "AsyncWith": ("body",),
    "ExceptHandler": ("body",),
    "match_case": ("body",),
    "If": ("body", "orelse"),
    "For": ("body", "orelse"),
    "AsyncFor": ("body", "orelse"),
    "While": ("body", "orelse"),
    "Try": ("body", "handlers", "orelse", "finalbody"),
    "TryStar": ("body", "handlers", "orelse", "finalbody"),
    "Match": ("cases",),
}
"""The lists of statements in each compound statement; all others are simple."""


def skeleton(text: str) -> list[Statement]:
    """All statements of a text, in its order."""
    found: list[Statement] = []
    _walk(parse_quietly(text), 0, Offsets(text), found)
    return found


def moved(statements: Sequence[Statement], edits: Sequence[Edit], roles: Sequence[Role]) -> list[Statement]:
    """The statements with their extents as splicing the edits moves them."""
    opens = [edit.start for edit in edits]
    shifts = [0, *accumulate(len(new) - (end - start) for start, end, new in edits)]
    result: list[Statement] = []
    for kind, depth, start, end in statements:
        k = bisect_right(opens, start)
        while k and opens[k - 1] == start and _stays_inside(edits[k - 1], roles[k - 1]):
            k -= 1
        if kind != "match_case":
            start += shifts[k]
        if end:
            k = bisect_right(opens, end)
            while k and opens[k - 1] == end and roles[k - 1].group != CLOSING:
                k -= 1
            end += shifts[k]
        result.append((kind, depth, start, end))
    return result


def _stays_inside(edit: Edit, role: Role) -> bool:
    """Whether an edit at a statement's first character becomes a part of the statement."""
    return edit.end > edit.start or (role.group == OPENING and edit.text.startswith("("))


class Offsets:
    """Character offsets of CPython's (line, UTF-8 column) positions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = line_starts(text)
        self.plain = text.isascii()

    def of(self, line: int, column: int) -> int:
        """The offset of a line, counted from 1, and a column."""
        start = self.lines[line - 1]
        if self.plain:
            return start + column
        stretch = self.text[start : start + column]
        if stretch.isascii():
            return start + column
        return start + len(stretch.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))


def _walk(node: ast.AST, depth: int, offsets: Offsets, found: list[Statement]) -> None:
    for name in BODIES[node.__class__.__name__]:
        for child in getattr(node, name):
            item = as_statement(child, depth, offsets)
            found.append(item)
            if item[3] == 0:
                _walk(child, depth + 1, offsets, found)


def as_statement(node: ast.stmt, depth: int, offsets: Offsets) -> Statement:
    """One statement of a text's tree."""
    kind = node.__class__.__name__
    if kind == "match_case":
        return (kind, depth, 0, 0)
    end = 0 if kind in BODIES else offsets.of(node.end_lineno or 0, node.end_col_offset or 0)
    if kind == "AnnAssign":
        kind = "Assign"  # annotations of locals are proved by the code
    return (kind, depth, offsets.of(node.lineno, node.col_offset), end)
