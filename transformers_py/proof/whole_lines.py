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
from collections.abc import Mapping, Sequence

from transformers_py.proof import inert_shapes
from transformers_py.proof.inert import Surroundings, is_within, why_not
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
    fresh: frozenset[str],
    renamed: Mapping[str, Sequence[tuple[int, str]]],
) -> bool:
    """Whether all that these edits of one unit insert, but names and brackets, are inert whole lines.

    False means that it couldn't be shown in this way.
    """
    depth = 0
    places = line_places(source)
    around: dict[int, Surroundings] = {}
    for (start, end, text), (kind, _, group, scope, *_) in zip(edits, roles, strict=True):
        if kind != "fresh":
            if end > start:
                continue
            if text not in ("(", ")"):
                return False
            depth += 1 if text == "(" else -1
            continue
        gap = places.get(start)
        if depth or gap is None or group != POINT or not is_within(source, source.scopes[scope], start):
            return False
        if scope not in around:
            around[scope] = Surroundings(source, fresh, source.scopes[scope], renamed)
        if not is_inert(text, gap, around[scope]):
            return False
    return depth == 0


def _dedented(text: str, before: str, after: str) -> str:
    """The lines without the indentation that all of them have, or with the gap's two sides.

    How far a block is indented doesn't change what is in it, as long as no tabs are among the blanks (a tab
    reaches to the next multiple of eight) and no line ends otherwise.
    """
    indent, block = before or after, f"{before}{text}{after}"
    everywhere = block.startswith(indent) and block.count("\n") == block.count("\n" + indent)
    if not indent or "\t" in block or "\r" in block or not everywhere or not block.endswith("\n" + indent):
        return f"{before}|{text}|{after}"
    return block[len(indent) :].replace("\n" + indent, "\n")


def is_inert(text: str, gap: Gap, around: Surroundings) -> bool:
    """Whether lines, inserted in a gap, are statements of a function that do nothing."""
    if around.scope.kind != "function":
        return False
    before, after = gap
    blanked, words = inert_shapes.blank(_dedented(text, before, after))
    shape = (blanked, False, "function", -1)
    if inert_shapes.is_known(shape, words, around):
        return True
    if not text.endswith(("\n" + before, "\r" + before)):
        return False
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
    if not inserted or any(why_not(node, None, "function", around) for node in inserted):
        return False
    if len(inserted) == 1 and text.isascii():
        shift = len(_HEAD) + len(before)
        names = [node for node in ast.walk(inserted[0]) if isinstance(node, ast.Name)]
        place = {id(node): starts[node.lineno - 1] + node.col_offset - shift for node in names}
        inert_shapes.remember(shape, inserted[0], text, place)
    return True
