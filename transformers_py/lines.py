r"""Proof that whole lines were inserted between two statements, without parsing the grown text for it.

A statement that starts its line, at bracket depth 0 and not after a backslash, is where the tokenizer has no
state but its stack of indentations. Lines inserted there, of a form that CPython parses as statements when
they stand in a block of the same indentation before a `pass` (and leave the `pass` alone), become these
statements, in the block of the statement that follows; nothing else moves. Where statements start is what
CPython says of the original. Other edits move no such place as long as they put only names and brackets
elsewhere and all brackets are closed there again, which is counted. That the grown text compiles is proved
besides, by compiling it.
"""

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from transformers_py import shapes
from transformers_py.edits import POINT, Edit
from transformers_py.inert import Surroundings, why_not
from transformers_py.source import line_starts, parse_quietly

if TYPE_CHECKING:
    from transformers_py.proving import Role
    from transformers_py.source import Source

_HEAD = "if 1:\n"
_LISTS = ("body", "handlers", "orelse", "finalbody", "cases")


def line_places(source: "Source") -> dict[int, str]:
    """Offsets of statements that start a line, and what stands before them; docstrings are left out."""
    found: dict[int, str] = {}
    starts = source.line_starts
    if source.text.startswith("\ufeff"):
        starts = [1, *starts[1:]]
    _note_places(source.ast, source.text, starts, found)
    return found


def _note_places(node: ast.AST, text: str, starts: list[int], found: dict[int, str]) -> None:
    documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    for name in _LISTS:
        for k, child in enumerate(getattr(node, name, ())):
            if isinstance(child, ast.stmt) and not (documented and k == 0 and is_docstring(child)):
                decorators = getattr(child, "decorator_list", None)
                line = starts[(decorators[0].lineno if decorators else child.lineno) - 1]
                offset = line + child.col_offset
                indent = text[line:offset]
                fits = not decorators or text[offset : offset + 1] == "@"
                if (
                    fits
                    and not indent.strip(" \t")
                    and text[max(line - 3, 0) : line].rstrip("\r\n")[-1:] != "\\"
                ):
                    found[offset] = indent
            if not isinstance(child, ast.expr):
                _note_places(child, text, starts, found)


def is_docstring(node: ast.AST) -> bool:
    """Whether a body's first statement is its documentation."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def are_whole_lines(
    source: "Source", edits: Sequence[Edit], roles: "Sequence[Role]", fresh: frozenset[str]
) -> bool:
    """Whether all that these edits of one unit insert, but names and brackets, are inert whole lines.

    False means that it couldn't be shown in this way.
    """
    depth = 0
    places = source.line_places
    around: dict[int, Surroundings] = {}
    for (start, end, text), (kind, _, group, scope) in zip(edits, roles, strict=True):
        if kind != "fresh":
            if end > start:
                continue
            if text not in ("(", ")"):
                return False
            depth += 1 if text == "(" else -1
            continue
        indent = places.get(start)
        if depth or indent is None or group != POINT:
            return False
        if scope not in around:
            around[scope] = Surroundings(source, fresh, source.scopes[scope])
        if not is_inert(text, indent, around[scope]):
            return False
    return depth == 0


def is_inert(text: str, indent: str, around: Surroundings) -> bool:
    """Whether lines and the indentation after them are statements that do nothing, in a block of this
    indentation."""
    blanked, words = shapes.blank(text)
    shape = (indent + "|" + blanked, False, False, -1)
    if shapes.is_known(shape, words, around):
        return True
    if not text.endswith(("\n" + indent, "\r" + indent)):
        return False
    whole = f"{_HEAD}{indent}{text}pass\n"
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
    if not inserted or any(why_not(node, None, False, around) for node in inserted):
        return False
    if len(inserted) == 1 and text.isascii():
        shift = len(_HEAD) + len(indent)
        names = [node for node in ast.walk(inserted[0]) if isinstance(node, ast.Name)]
        place = {id(node): starts[node.lineno - 1] + node.col_offset - shift for node in names}
        shapes.remember(shape, inserted[0], text, place)
    return True
