r"""Proof that whole lines were inserted between two statements, without parsing the grown text for it.

We insert lines only where the tokenizer's state is its stack of indentations and nothing else: before a
statement that starts a line, outside of brackets, not after a backslash. Comment lines directly above that
statement count too, unless they belong to what comes before. CPython says of the original where these places
are.

We insert only what CPython parses as statements in a block of the same indentation, before a `pass` that it
leaves alone. There such lines become these statements, in the block of the statement that follows, and
nothing else moves. The other edits of a unit may put names and brackets elsewhere, since these move no such
place if all brackets are closed again, which is counted. The grown text is compiled besides.
"""

import ast
from collections.abc import Callable, Mapping, Sequence

from transformers_py.proof import inert_shapes
from transformers_py.proof.inert import Surroundings, dead_problem, is_within, why_not
from transformers_py.proof.roles import Role
from transformers_py.source import Source, kept
from transformers_py.source.cpython import first_line, is_continued, is_docstring, line_starts, parse_quietly
from transformers_py.source.edits import POINT, Edit

_HEAD = "if 1:\n"
_LISTS = ("body", "handlers", "orelse", "finalbody", "cases")

Gap = tuple[str, str]
"""The indentation of a statement, before and after what is inserted on its line."""


@kept
def line_places(source: Source) -> dict[int, Gap]:
    """Where lines can be inserted before the statements of functions; docstrings are left out."""
    found: dict[int, Gap] = {}
    starts = source.line_starts
    if source.text.startswith("\ufeff"):
        starts = [1, *starts[1:]]
    _note_places(source.ast, False, source.text, starts, found)
    return found


def _note_places(node: ast.AST, inside: bool, text: str, starts: list[int], found: dict[int, Gap]) -> None:
    function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    documented = function or isinstance(node, (ast.Module, ast.ClassDef))
    inside = function or (inside and not documented)
    for name in _LISTS:
        previous: ast.AST | None = None
        for k, child in enumerate(getattr(node, name, ())):
            if inside and isinstance(child, ast.stmt) and not (documented and k == 0 and is_docstring(child)):
                _note_place(child, previous, node, text, starts, found)
            if not isinstance(child, ast.expr):
                _note_places(child, inside, text, starts, found)
            previous = child


def _note_place(
    node: ast.stmt,
    previous: ast.AST | None,
    parent: ast.AST,
    text: str,
    starts: list[int],
    found: dict[int, Gap],
) -> None:
    number = first_line(node) - 1
    offset = starts[number] + node.col_offset
    indent = text[starts[number] : offset]
    is_decorated = bool(getattr(node, "decorator_list", ()))
    if (is_decorated and text[offset : offset + 1] != "@") or indent.strip(" \t"):
        return
    if is_continued(text, starts[number]):
        return
    lines = [number]
    comment = indent + "#"
    if number and text.startswith(comment, starts[number - 1]):
        end = getattr(previous, "end_lineno", None) or _end_before(parent, number)
        while number > end and text.startswith(comment, starts[number - 1]):
            number -= 1
    if number < lines[0] and not is_continued(text, starts[number]):
        lines.append(number)
    for line in lines:
        found[starts[line]] = ("", indent)
        found[starts[line] + len(indent)] = (indent, "")


def _end_before(node: ast.AST, line: int) -> int:
    """The last line up to `line` on which a part of a node ends: maybe a string that looks like a comment."""
    ends = (getattr(child, "end_lineno", None) or 0 for child in ast.walk(node))
    return max((end for end in ends if end <= line), default=0)


def are_whole_lines(
    source: Source,
    edits: Sequence[Edit],
    roles: Sequence[Role],
    fresh: Callable[[], frozenset[str]],
    renamed: Mapping[str, Sequence[tuple[int, str]]],
) -> bool:
    """Whether all that these edits of one unit insert, but names and brackets, are inert whole lines.

    `fresh` makes the names that are new in this text; which these are, and so whether lines are inert in
    their place, is the same in all variants without renamings. False means that it couldn't be shown in this
    way.
    """
    depth = 0
    places = line_places(source)
    known = _inert_lines(source)
    around: dict[int, Surroundings] = {}
    for edit, (kind, _, group, scope, *_) in zip(edits, roles, strict=True):
        start, end, text = edit
        if kind != "fresh":
            if end > start:
                continue
            if text not in ("(", ")"):
                return False
            depth += 1 if text == "(" else -1
            continue
        if depth or group != POINT:
            return False
        if not renamed and (scope, edit) in known:
            continue
        gap = places.get(start)
        if gap is None or not is_within(source, source.scopes[scope], start):
            return False
        if scope not in around:
            around[scope] = Surroundings(source, fresh(), source.scopes[scope], renamed)
        if not is_inert(text, gap, around[scope]):
            return False
        if not renamed:
            known.add((scope, edit))
    return depth == 0


@kept
def _inert_lines(source: Source) -> set[tuple[int, Edit]]:
    """(scope of the site, insertion) of those that were found to be inert where nothing is renamed."""
    return set()


def is_inert(text: str, gap: Gap, around: Surroundings) -> bool:
    """Whether lines, inserted in a gap, are statements of a function that do nothing."""
    if around.scope.kind != "function":
        return False
    before, after = gap
    if not text.endswith(("\n" + before, "\r" + before)):
        return False
    line = inert_shapes.line_of(before + text[: len(text) - len(before)], before + after)
    return _is_inert_block(text, gap, around) if line is None else _is_inert_line(line, around)


def _is_inert_line(line: inert_shapes.Line, around: Surroundings) -> bool:
    shape = (line.blanked, line.dead, "function", -1)
    if inert_shapes.is_known(shape, line.words, around):
        return True
    try:
        body = parse_quietly(line.text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if len(body) != 1 or (dead_problem if line.dead else live_problem)(body[0], around):
        return False
    if line.text.isascii():
        place = {id(node): node.col_offset for node in ast.walk(body[0]) if isinstance(node, ast.Name)}
        inert_shapes.remember(shape, body[0], line.text, place)
    return True


def _is_inert_block(text: str, gap: Gap, around: Surroundings) -> bool:
    """Lines of a longer form, parsed as a block before a `pass`."""
    before, after = gap
    whole = f"{_HEAD}{before}{text}{after}pass\n"
    try:
        tree = parse_quietly(whole)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    block = tree.body[0]
    if len(tree.body) != 1 or not isinstance(block, ast.If) or block.orelse:
        return False
    *inserted, last = block.body
    starts = line_starts(whole)
    if not isinstance(last, ast.Pass) or starts[last.lineno - 1] + last.col_offset != len(whole) - 5:
        return False
    return bool(inserted) and not any(live_problem(node, around) for node in inserted)


def live_problem(node: ast.stmt, around: Surroundings) -> str | None:
    """Why a statement in a function, not behind an end of its block, isn't inert."""
    return why_not(node, None, "function", around)
