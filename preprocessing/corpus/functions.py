"""Functions of a module as samples of their own: cut out with their decorators, and dedented.

class A:
    @cached                   @cached
    def f(self):       →      def f(self):
        return 1                  return 1
"""

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from preprocessing.frozen import Frozen
from preprocessing.lexer.tokens import STRING, lex

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class FunctionsConfig(Frozen):
    """Which functions are samples: those of the module, and of its classes if `methods`; what stands inside
    another function stays there. `split` moves the docstring from the text into a column of its own.
    """

    methods: bool = True
    docstring: Literal["keep", "split"] = "keep"


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its name with those of its classes, its text, and its docstring if that was split off."""

    name: str
    text: str
    docstring: str | None


def functions(text: str, config: FunctionsConfig) -> Iterator[Function]:
    """The functions of a text that compiles, in their order. Inside strings nothing is dedented."""
    lines = _LINE.findall(text)
    inside = _lines_inside_strings(text, lines)
    for name, node in _found(ast.parse(text), "", config.methods):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
        assert node.end_lineno is not None
        cut = _dedented(lines[first : node.end_lineno], [n in inside for n in range(first, node.end_lineno)])
        if config.docstring == "split":
            yield Function(name, *_without_docstring(cut))
        else:
            yield Function(name, cut, None)


def _found(node: ast.AST, prefix: str, methods: bool) -> Iterator[tuple[str, _Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            if methods:
                yield from _found(child, f"{prefix}{child.name}.", methods)
        elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _found(child, prefix, methods)


def _lines_inside_strings(text: str, lines: list[str]) -> frozenset[int]:
    starts = [0, *accumulate(map(len, lines))]
    tokens = lex(text)
    inside: set[int] = set()
    for start, end, kind in zip(tokens.starts, tokens.ends, tokens.kinds, strict=True):
        if kind == STRING:
            inside.update(range(bisect_right(starts, start), bisect_right(starts, end - 1)))
    return frozenset(inside)


def _dedented(lines: list[str], inside: list[bool]) -> str:
    indentation = lines[0][: len(lines[0]) - len(lines[0].lstrip(" \t\f"))]
    return "".join(
        line if in_string else _without_prefix(line, indentation)
        for line, in_string in zip(lines, inside, strict=True)
    )


def _without_prefix(line: str, indentation: str) -> str:
    """A line that is indented less (a comment, or inside brackets) loses what it has."""
    return line[len(indentation) :] if line.startswith(indentation) else line.lstrip(" \t\f")


def _without_docstring(text: str) -> tuple[str, str | None]:
    function = ast.parse(text).body[0]
    assert isinstance(function, _Function)
    docstring = ast.get_docstring(function)
    if docstring is None:
        return text, None
    start, end = _span(text, function.body[0])
    if len(function.body) == 1:
        return text[:start] + "pass" + text[end:], docstring
    following = function.body[1]
    decorators = getattr(following, "decorator_list", [])
    next_start, _ = _span(text, following)
    if decorators:
        next_start = text.rindex("@", 0, _span(text, decorators[0])[0])
    return text[:start] + text[next_start:], docstring


def _span(text: str, node: ast.stmt | ast.expr) -> tuple[int, int]:
    """Places in characters; the parser counts UTF-8 bytes in a line."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    lines = _LINE.findall(text)
    starts = [0, *accumulate(map(len, lines))]

    def place(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    return place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset)
