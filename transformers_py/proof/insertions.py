"""The proofs: nothing is emitted that CPython itself doesn't show to be the same program.

Two steps, each against the original:

1. *code*: the text with parentheses, renamings and expression wrappers (as bare parentheses), but without
   inserted statements, compiles to equal code objects (`bytecode.difference`).
2. *skeleton*: the whole text compiles, and CPython's parser finds each statement of the original at the place
   where splicing put it, at the same depth, and besides them only inserted statements that do nothing
   (`inert.why_not`). Where nothing but whole lines was inserted, whole_lines.py shows it without a tree.

What lies between two statement boundaries is the same text in both, so its tree is the same too. Both steps
are made for each unit (compilation_units.py) that has edits.
"""

import ast
from bisect import bisect_right
from collections.abc import Sequence, Set
from itertools import accumulate
from typing import TYPE_CHECKING

from transformers_py.proof import inert_shapes
from transformers_py.proof.bytecode import Renamed, difference
from transformers_py.proof.inert import ENDS, Owner, Surroundings, why_not
from transformers_py.proof.whole_lines import is_docstring
from transformers_py.source.edits import CLOSING, OPENING, Edit, inserted_ranges
from transformers_py.source.nodes import Unparseable, compile_flat, line_starts, parse_quietly

if TYPE_CHECKING:
    from transformers_py.proof.compilation_units import Unit
    from transformers_py.source.nodes import Source

Statement = tuple[str, int, int, int]
_BODIES: dict[str, tuple[str, ...]] = {
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
_OWNERS: dict[str, Owner] = {
    "Module": "module",
    "ClassDef": "class",
    "FunctionDef": "function",
    "AsyncFunctionDef": "function",
}
_DOCUMENTED = frozenset(["Module", "ClassDef", "FunctionDef", "AsyncFunctionDef"])


def code_problem(unit: "Unit", text: str, renamed: Renamed) -> str | None:
    """None when `text` compiles to the unit's code, up to positions and the renamings allowed.

    Broken lines leave other NOPs, which let a tracer stop at each line: then the code is compared that
    CPython makes of both trees without their positions.
    """
    try:
        code = unit.compiled(text)
    except Unparseable as error:
        return str(error)
    problem = difference(unit.code, code, renamed)
    if problem is None:
        return None
    return difference(unit.flat_code, compile_flat(text, unit.flags), renamed) and problem


def skeleton(text: str) -> list[Statement]:
    """All statements of a text as (type, depth, start, end); end is 0 for compound statements."""
    found: list[Statement] = []
    _walk(parse_quietly(text), 0, _Offsets(text), found)
    return found


def skeleton_problem(
    source: "Source",
    unit: "Unit",
    text: str,
    edits: Sequence[Edit],
    groups: Sequence[int],
    scopes: Sequence[int],
    statements: Set[int],
    fresh: frozenset[str],
) -> str | None:
    """None when `text` has the unit's statements where the edits put them, and inert ones besides.

    The edits are over `unit.text`; `statements` are the numbers of those that insert statements.
    """
    try:
        tree = parse_quietly(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"the rewritten text doesn't parse: {error}"
    offsets = _Offsets(text)
    pruned = _Pruned(source, offsets, inserted_ranges(edits, groups), edits, scopes, fresh)
    found: list[Statement] = []
    problem = pruned.walk(tree, "module", 0, found)
    if problem:
        return problem
    if found != moved(unit.statements, edits, groups):
        return "a statement of the original isn't where it should be"
    return _unmet_problem(unit, tree, edits, statements - pruned.met)


def _unmet_problem(unit: "Unit", tree: ast.Module, edits: Sequence[Edit], unmet: Set[int]) -> str | None:
    """What was inserted for a statement but isn't one may be indentation, and not in a string."""
    if not unmet:
        return None
    for i in unmet:
        start, _, text = edits[i]
        line = unit.text[max(unit.text.rfind("\n", 0, start), unit.text.rfind("\r", 0, start)) + 1 : start]
        if (line + text).strip(" \t"):
            return f"what is inserted at {start} is no statement"
    if _long_strings(tree) != _long_strings(parse_quietly(unit.text)):
        return "a string of several lines differs"
    return None


def _long_strings(tree: ast.Module) -> list[object]:
    """The values of strings of several lines, in the order of the text."""
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, (str, bytes))
        and node.lineno != node.end_lineno
    ]
    return [node.value for node in sorted(found, key=lambda node: (node.lineno, node.col_offset))]


def moved(statements: Sequence[Statement], edits: Sequence[Edit], groups: Sequence[int]) -> list[Statement]:
    """The statements with their extents as splicing the edits (with their places in `groups`) moves them."""
    opens = [edit.start for edit in edits]
    shifts = [0, *accumulate(len(new) - (end - start) for start, end, new in edits)]
    result: list[Statement] = []
    for kind, depth, start, end in statements:
        k = bisect_right(opens, start)
        while k and opens[k - 1] == start and _stays_inside(edits[k - 1], groups[k - 1]):
            k -= 1
        if kind != "match_case":
            start += shifts[k]
        if end:
            k = bisect_right(opens, end)
            while k and opens[k - 1] == end and groups[k - 1] != CLOSING:
                k -= 1
            end += shifts[k]
        result.append((kind, depth, start, end))
    return result


def _stays_inside(edit: Edit, group: int) -> bool:
    """Whether an edit at a statement's first character becomes a part of the statement."""
    return edit.end > edit.start or (group == OPENING and edit.text.startswith("("))


class _Offsets:
    """Character offsets of CPython's (line, UTF-8 column) positions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = line_starts(text)
        self.plain = text.isascii()

    def of(self, line: int, column: int) -> int:
        start = self.lines[line - 1]
        if self.plain:
            return start + column
        stretch = self.text[start : start + column]
        if stretch.isascii():
            return start + column
        return start + len(stretch.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))


def _walk(node: ast.AST, depth: int, offsets: _Offsets, found: list[Statement]) -> None:
    for name in _BODIES[node.__class__.__name__]:
        for child in getattr(node, name):
            item = _statement(child, depth, offsets)
            found.append(item)
            if item[3] == 0:
                _walk(child, depth + 1, offsets, found)


def _statement(node: ast.stmt, depth: int, offsets: _Offsets) -> Statement:
    kind = node.__class__.__name__
    if kind == "match_case":
        return (kind, depth, 0, 0)
    end = 0 if kind in _BODIES else offsets.of(node.end_lineno or 0, node.end_col_offset or 0)
    if kind == "AnnAssign":
        kind = "Assign"  # annotations of locals are proved by the code
    return (kind, depth, offsets.of(node.lineno, node.col_offset), end)


def _last(node: ast.stmt) -> ast.stmt:
    """The statement that is run last: of `if True:` the last one inside."""
    while isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and node.test.value:
        node = node.body[-1]
    return node


class _Pruned:
    """A walk over the rewritten text's statements that leaves out the inserted ones, if they are inert."""

    def __init__(
        self,
        source: "Source",
        offsets: _Offsets,
        ranges: list[tuple[int, int, int]],
        edits: Sequence[Edit],
        scopes: Sequence[int],
        fresh: frozenset[str],
    ) -> None:
        self.source = source
        self.offsets = offsets
        self.ranges = ranges
        self.first = [start for start, _, _ in ranges]
        self.starts = {edit: start for start, _, edit in ranges}
        self.edits = edits
        self.scopes = scopes
        self.fresh = fresh
        self.met: set[int] = set()

    def inserted(self, offset: int) -> int:
        """The number of the inserted edit that covers an offset of the rewritten text, or -1."""
        k = bisect_right(self.first, offset) - 1
        return self.ranges[k][2] if k >= 0 and offset < self.ranges[k][1] else -1

    def walk(self, node: ast.AST, owner: Owner, depth: int, found: list[Statement]) -> str | None:
        kind = node.__class__.__name__
        owner = _OWNERS.get(kind, owner)
        if kind in _DOCUMENTED and self.hides_docstring(node):
            return "a statement was inserted before a docstring"
        for name in _BODIES[kind]:
            previous: ast.stmt | None = None
            for child in getattr(node, name):
                problem = self.statement(child, previous, owner, depth, found)
                if problem:
                    return problem
                if not isinstance(previous, ENDS):
                    previous = _last(child)
        return None

    def hides_docstring(self, node: ast.AST) -> bool:
        """Whether the first statement of the original, a string, isn't the first any more."""
        body: list[ast.stmt] = node.body  # type: ignore[attr-defined]
        for k, child in enumerate(body):
            if self.inserted(self.offsets.of(child.lineno, child.col_offset)) < 0:
                return k > 0 and is_docstring(child)
            if self.is_wrapper(child):
                assert isinstance(child, ast.If)
                return is_docstring(child.body[0])
        return False

    def statement(
        self, child: ast.stmt, previous: ast.stmt | None, owner: Owner, depth: int, found: list[Statement]
    ) -> str | None:
        item = _statement(child, depth, self.offsets)
        edit = -1 if item[0] == "match_case" else self.inserted(item[2])
        if edit < 0:
            found.append(item)
            return self.walk(child, owner, depth + 1, found) if item[3] == 0 else None
        self.met.add(edit)
        if self.is_wrapper(child):
            assert isinstance(child, ast.If)
            for inner in child.body:
                problem = self.statement(inner, None, owner, depth, found)
                if problem:
                    return problem
            return None
        return self.inserted_problem(child, edit, item[2], previous, owner)

    def inserted_problem(
        self, child: ast.stmt, edit: int, offset: int, previous: ast.stmt | None, owner: Owner
    ) -> str | None:
        """Why an inserted statement isn't inert; of a form seen before, only the names are checked."""
        around = Surroundings(self.source, self.fresh, self.source.scopes[self.scopes[edit]])
        if around.scope.kind != owner:
            return f"what is inserted at {self.edits[edit].start} is in a {owner}, not where its site is"
        start = self.starts[edit]
        text = self.edits[edit].text
        blanked, words = inert_shapes.blank(text)
        shape = (blanked, isinstance(previous, ENDS), owner, offset - start)
        if inert_shapes.is_known(shape, words, around):
            return None
        problem = why_not(child, previous, owner, around)
        if problem is None:
            names = [node for node in ast.walk(child) if isinstance(node, ast.Name)]
            place = {id(node): self.offsets.of(node.lineno, node.col_offset) - start for node in names}
            inert_shapes.remember(shape, child, text, place)
        return problem

    def is_wrapper(self, node: ast.stmt) -> bool:
        """`if True:` that was put around statements of the original."""
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and node.test.value):
            return False
        first = node.body[0]
        return not node.orelse and self.inserted(self.offsets.of(first.lineno, first.col_offset)) < 0
