"""Whether the whole text has the original's statements where splicing put them, and inert ones besides.

def f(a):            def f(a):
                         spare = 0       <- inserted: inert.py says whether it does nothing
    return a     ->      return a        <- must stand where the edits moved it
"""

import ast
from bisect import bisect_right
from collections.abc import Mapping, Sequence, Set

from transformers_py.proof import inert_shapes
from transformers_py.proof.compilation_units import CompilationUnit
from transformers_py.proof.inert import ENDS, Owner, Surroundings, is_within, why_not
from transformers_py.proof.roles import Role
from transformers_py.proof.skeleton import BODIES, Offsets, Statement, as_statement, moved
from transformers_py.source import Source
from transformers_py.source.cpython import is_docstring, parse_quietly
from transformers_py.source.edits import OPENING, POINT, Edit

_OWNERS: dict[str, Owner] = {
    "Module": "module",
    "ClassDef": "class",
    "FunctionDef": "function",
    "AsyncFunctionDef": "function",
}
_DOCUMENTED = frozenset(["Module", "ClassDef", "FunctionDef", "AsyncFunctionDef"])


def skeleton_problem(
    source: Source,
    unit: CompilationUnit,
    text: str,
    edits: Sequence[Edit],
    roles: Sequence[Role],
    fresh: frozenset[str],
    renamed: Mapping[str, Sequence[tuple[int, str]]],
) -> str | None:
    """None when `text` has the unit's statements where the edits put them, and inert ones besides.

    The edits are over `unit.text`; `fresh` are the names that are nowhere in the original, `renamed`
    says of each new name which variables have it.
    """
    try:
        tree = parse_quietly(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"the rewritten text doesn't parse: {error}"
    shift = len(unit.head) - unit.start
    pruned = _Pruned(source, Offsets(text), edits, roles, fresh, renamed, shift)
    found: list[Statement] = []
    problem = pruned.walk(tree, "module", 0, found)
    if problem:
        return problem
    if found != moved(unit.statements, edits, roles):
        return "a statement of the original isn't where it should be"
    inserted = {i for i, role in enumerate(roles) if role.kind == "fresh"}
    return _unmet_problem(unit, tree, edits, inserted - pruned.met)


def _inserted_ranges(edits: Sequence[Edit], roles: Sequence[Role]) -> list[tuple[int, int, int]]:
    """(start, end, edit): where whole statements, and heads around statements, stand in the new text."""
    ranges: list[tuple[int, int, int]] = []
    shift = 0
    for i, ((start, end, new), role) in enumerate(zip(edits, roles, strict=True)):
        if role.group == POINT or (role.group == OPENING and not new.startswith("(")):
            ranges.append((start + shift, start + shift + len(new), i))
        shift += len(new) - (end - start)
    return ranges


def _unmet_problem(
    unit: CompilationUnit, tree: ast.Module, edits: Sequence[Edit], unmet: Set[int]
) -> str | None:
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


def _last(node: ast.stmt) -> ast.stmt:
    """The statement that is run last: of `if True:` the last one inside."""
    while isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and node.test.value:
        node = node.body[-1]
    return node


class _Pruned:
    """A walk over the rewritten text's statements that leaves out the inserted ones, if they are inert."""

    def __init__(
        self,
        source: Source,
        offsets: Offsets,
        edits: Sequence[Edit],
        roles: Sequence[Role],
        fresh: frozenset[str],
        renamed: Mapping[str, Sequence[tuple[int, str]]],
        shift: int,
    ) -> None:
        self.source = source
        self.offsets = offsets
        self.edits = edits
        self.roles = roles
        self.fresh = fresh
        self.renamed = renamed
        self.shift = shift
        self.ranges = _inserted_ranges(edits, roles)
        self.first = [start for start, _, _ in self.ranges]
        self.starts = {edit: start for start, _, edit in self.ranges}
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
        for name in BODIES[kind]:
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
        item = as_statement(child, depth, self.offsets)
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
        scope = self.source.scopes[self.roles[edit].scope]
        around = Surroundings(self.source, self.fresh, scope, self.renamed)
        place = self.edits[edit].start
        if around.scope.kind != owner:
            return f"what is inserted at {place} is in a {owner}, not where its site is"
        if not is_within(self.source, scope, place - self.shift):
            return f"what is inserted at {place} isn't in the scope of its site"
        start = self.starts[edit]
        text = self.edits[edit].text
        blanked, words = inert_shapes.blank(text)
        shape = (blanked, isinstance(previous, ENDS), owner, offset - start)
        if inert_shapes.is_known(shape, words, around):
            return None
        problem = why_not(child, previous, owner, around)
        if problem is None:
            names = [node for node in ast.walk(child) if isinstance(node, ast.Name)]
            offsets = {id(node): self.offsets.of(node.lineno, node.col_offset) - start for node in names}
            inert_shapes.remember(shape, child, text, offsets)
        return problem

    def is_wrapper(self, node: ast.stmt) -> bool:
        """`if True:` that was put around statements of the original."""
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and node.test.value):
            return False
        first = node.body[0]
        return not node.orelse and self.inserted(self.offsets.of(first.lineno, first.col_offset)) < 0
