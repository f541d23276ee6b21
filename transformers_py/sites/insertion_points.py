"""Places inside of functions where whole statements can be inserted, each before another statement.

def f(a):
    "doc"
    |b = a          <- a point: its offset, its indentation, its scope
    |return b       <- another
"""

from bisect import bisect_right
from dataclasses import dataclass

import libcst as cst

from transformers_py.source import Source, kept
from transformers_py.source.cpython import is_continued
from transformers_py.source.edits import HOLE, Edit, Refusals, Site
from transformers_py.source.scopes import LINE_WORDS, NameScope

MAX_BLOCKS = 12
"""CPython allows 20 loops, withs and tries inside one another; nothing is inserted below this many blocks."""

_STRINGS = (cst.SimpleString, cst.ConcatenatedString)
_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)
REASONS = {
    "form_feed": "a form feed stands before it",
    "line_continuation": "a backslash joins it to another line",
    "line_numbers": "the module looks at lines, frames or tracebacks",
    "not_at_line_start": "it doesn't start its line",
    "string": "a string that is a statement of its own documents what it follows",
    "too_deep": "too many blocks are around it",
}


@dataclass(frozen=True, slots=True)
class InsertionPoint:
    """Where a statement can be inserted: text `statement + newline + indent` at `offset`, or at `above`."""

    offset: int
    above: int
    """Where the comment lines right above the statement start (after their indentation), or `offset`."""
    indent: str
    scope: NameScope
    statement: int
    """Index in the source's table of the statement that will follow."""


def function_points(
    source: Source, *, new_names: bool, leaving: bool = False
) -> tuple[list[InsertionPoint], Refusals]:
    """All points in the bodies of functions, in order, and how many were refused for which reason.

    `new_names`: what will be inserted binds names, so scopes whose names can be looked up are refused.
    `leaving`: only those before return, raise, continue and break.
    """
    listed = _function_points(source)
    if (new_names, leaving) not in listed:
        listed[new_names, leaving] = _list_points(source, new_names=new_names, leaving=leaving)
    points, reasons = listed[new_names, leaving]
    refused = Refusals()
    refused.merge(reasons)
    return points, refused


@kept
def _function_points(source: Source) -> dict[tuple[bool, bool], tuple[list[InsertionPoint], Refusals]]:
    """What `function_points` has listed."""
    return {}


def _list_points(source: Source, *, new_names: bool, leaving: bool) -> tuple[list[InsertionPoint], Refusals]:
    found: list[InsertionPoint] = []
    refused = Refusals()
    reasons: dict[int, str | None] = {}
    nodes, lasts, of = source.nodes, source.lasts, source.scoping.of
    for i, node in enumerate(nodes):
        if not isinstance(node, cst.IndentedBlock):
            continue
        body = of[i]
        if body.kind != "function":
            continue
        if body.index not in reasons:
            reasons[body.index] = refusal(source, body, new_names)
        reason = reasons[body.index] or ("too_deep" if _depth(source, i) > MAX_BLOCKS else None)
        k = i + 1
        if has_docstring(source, i):
            k = lasts[k]
        while k < lasts[i]:
            problem = reason or _line_problem(source, k)
            if leaving and not _leaves(nodes[k]):
                pass
            elif problem:
                refused.note(problem, source.inner_starts[k])
            else:
                found.append(_point(source, k))
            k = lasts[k]
    return found, refused


def module_points(source: Source) -> tuple[list[InsertionPoint], Refusals]:
    """The points between the statements of the module itself, behind its docstring and its last import."""
    found: list[InsertionPoint] = []
    refused = Refusals()
    reason = refusal(source, source.scopes[0], new_names=True)
    k = 1
    while k < source.lasts[0]:
        node = source.nodes[k]
        small = node.body if isinstance(node, cst.SimpleStatementLine) else ()
        is_string = any(isinstance(part, cst.Expr) and isinstance(part.value, _STRINGS) for part in small)
        problem = reason or ("string" if is_string else _line_problem(source, k))
        if (k == 1 and is_string) or any(isinstance(part, (cst.Import, cst.ImportFrom)) for part in small):
            found.clear()
            refused = Refusals()
        elif problem:
            refused.note(problem, source.inner_starts[k])
        else:
            found.append(_point(source, k))
        k = source.lasts[k]
    return found, refused


def _point(source: Source, k: int, *, with_comments: bool = True) -> InsertionPoint:
    offset = statement_start(source, k)
    indent = source.text[line_start(source, offset) : offset]
    first = number = bisect_right(source.line_starts, offset) - 1
    while (
        with_comments
        and source.starts[k] < source.line_starts[number]
        and source.text.startswith(indent + "#", source.line_starts[number - 1])
    ):
        number -= 1
    line = source.line_starts[number]
    above = offset if number == first or is_continued(source.text, line) else line + len(indent)
    return InsertionPoint(offset, above, indent, source.scoping.of[k], k)


def insertion(source: Source, point: InsertionPoint) -> Site:
    """A site that puts HOLE on lines of its own before a point and the comments above it."""
    offset = point.above
    edit = Edit(offset, offset, HOLE + source.newline + point.indent)
    return Site(offset, offset, (edit,), scope=point.scope.index)


def indent_of(source: Source, site: Site) -> str:
    """The indentation of what `insertion` inserts."""
    return site.edits[0].text.removeprefix(HOLE + source.newline)


def end_of_line(source: Source, k: int) -> int:
    """Offset of the newline that ends a simple statement's last line, or of the end of the text."""
    end = source.ends[k]
    for newline in ("\r\n", "\n", "\r"):
        if source.text.endswith(newline, 0, end):
            return end - len(newline)
    return end


def line_points(source: Source) -> tuple[list[InsertionPoint], Refusals]:
    """All statements that start a line, in modules, classes and functions, but for docstrings.

    Nothing that is compiled may be inserted there; functions that look at their lines are refused.
    """
    found: list[InsertionPoint] = []
    refused = Refusals()
    reasons: dict[int, str | None] = {}
    nodes, lasts, of = source.nodes, source.lasts, source.scoping.of
    for i, node in enumerate(nodes):
        if not isinstance(node, (cst.Module, cst.IndentedBlock)):
            continue
        k = i + 1
        if k < lasts[i] and has_docstring(source, i):
            k = lasts[k]
        while k < lasts[i]:
            scope = of[k]
            problem = line_refusal(source, scope, reasons) or _line_problem(source, k)
            if problem:
                refused.note(problem, source.inner_starts[k])
            else:
                found.append(_point(source, k, with_comments=False))
            k = lasts[k]
    found.sort(key=lambda point: point.offset)
    return found, refused


def refusal(source: Source, scope: NameScope, new_names: bool) -> str | None:
    """Why nothing may be inserted into a function: its names or its lines are looked at while it runs."""
    words = source.words
    recorded = "catch_warnings" in words and "record" in words  # a recorded warning shows its line
    if recorded or not LINE_WORDS.isdisjoint(words) or scope.index in _picking_lines(source):
        return "line_numbers"
    if new_names:
        if source.scoping.hazards & {"dynamic_alias", "frames"}:
            return min(source.scoping.hazards & {"dynamic_alias", "frames"})
        if scope.hazards:
            return min(scope.hazards)
    return None


@kept
def _picking_lines(source: Source) -> frozenset[int]:
    """Indices of the scopes whose outermost function, or which themselves, give a warning a `stacklevel`."""
    outermost: list[NameScope] = []
    for scope in source.scopes:
        around = outermost[scope.parent.index] if scope.parent is not None else scope
        outermost.append(around if around.kind == "function" else scope)
    holders: set[int] = set()
    for scope in source.scopes:
        if "stacklevel" in scope.words:
            for holder in (scope, *scope.enclosing()):
                holders.add(holder.index)
    return frozenset(i for i, outer in enumerate(outermost) if outer.index in holders)


def line_refusal(source: Source, scope: NameScope, known: dict[int, str | None]) -> str | None:
    """Why lines may not be moved in a module, in a class or in the function around a scope.

    `known` keeps the answers.
    """
    if scope.index not in known:
        known[scope.index] = refusal(source, scope, new_names=False)
    return known[scope.index]


def statement_start(source: Source, k: int) -> int:
    """Offset of a statement's first token: of its first decorator, or of itself."""
    node = source.nodes[k]
    if isinstance(node, (cst.FunctionDef, cst.ClassDef)) and node.decorators:
        return source.inner_starts[k + 1]
    return source.inner_starts[k]


def _leaves(node: cst.CSTNode) -> bool:
    """Whether what follows the statement in its block is never reached."""
    return isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[-1], _LEAVING)


def _depth(source: Source, i: int) -> int:
    depth = 0
    while i > 0:
        if isinstance(source.nodes[i], cst.IndentedBlock):
            depth += 1
        i = source.parents[i]
    return depth


def has_docstring(source: Source, block: int) -> bool:
    """Whether the first statement of a module, or of a function's or class's body, is a string."""
    owner = source.nodes[source.parents[block]] if block else None
    if not (owner is None or isinstance(owner, (cst.FunctionDef, cst.ClassDef))):
        return False
    first = source.nodes[block + 1]
    if not isinstance(first, cst.SimpleStatementLine):
        return False
    small = first.body[0]
    return isinstance(small, cst.Expr) and isinstance(small.value, _STRINGS)


def line_start(source: Source, offset: int) -> int:
    """Offset of the first character of a line, the byte order mark left out."""
    start = source.line_starts[bisect_right(source.line_starts, offset) - 1]
    return start or int(source.text.startswith("\ufeff"))


def _line_problem(source: Source, k: int) -> str | None:
    """Why no line may come before this statement: it doesn't start its line, or oddly."""
    text = source.text
    offset = statement_start(source, k)
    line = line_start(source, offset)
    before = text[line:offset]
    if before.strip(" \t"):
        return "form_feed" if "\f" in before else "not_at_line_start"
    return "line_continuation" if is_continued(text, line) else None
