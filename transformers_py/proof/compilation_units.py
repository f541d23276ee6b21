"""Cuts a source into units that compile by themselves, so that a proof looks at what changed and no more.

import os           <- a unit
class A:            <- a unit: the head of a class, compiled with `pass` for a body
    x = 1           <- a unit: compiled as the only member of `class A:`
    def f(self):    <- a unit

Why equal units are an equal module: each unit is whole lines that CPython accepts as statements of one
indentation (a `pass` after it, at the indentation of the class, would not fit otherwise), so the module is
their sequence. And what a statement of a module or a member of its class compiles to depends on what is
around it only by the class's name (mangling, qualified names, `__class__`), which is there, by the
`__future__` flags, which are passed, and (in how `x.f()` is spelt) by the module's imports, which does
nothing to what it means. Classes with type parameters stay in one piece: methods see these as variables.
"""

import __future__

import ast
from bisect import bisect_left
from collections.abc import Hashable
from functools import cached_property
from types import CodeType

from transformers_py.proof.skeleton import Statement, skeleton
from transformers_py.source import Source, kept
from transformers_py.source.cpython import Unparseable, compile_flat, compiled, first_line, is_continued

_FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names[2:])
"""The flags that change how code is compiled; those of the first two features are no flags of code."""
_SPELLING = __future__.barry_as_FLUFL.compiler_flag
_KEPT = 64


class CompilationUnit:
    """Characters start..end of a source, and what stands around them when they are compiled alone."""

    def __init__(
        self, text: str, start: int, end: int, head: str = "", tail: str = "", flags: int = 0
    ) -> None:
        self.start, self.end = start, end
        self.head, self.tail, self.flags = head, tail, flags
        self.text = head + text[start:end] + tail
        self.proved: dict[Hashable, tuple[str, str | None]] = {}
        """What was tried -> (the unit's rewritten characters, what is wrong with them)."""

    def note(self, key: Hashable, found: tuple[str, str | None]) -> None:
        """Keep a proof for other variants that make the same edits in this unit."""
        if len(self.proved) >= _KEPT:
            self.proved.clear()
        self.proved[key] = found

    @cached_property
    def code(self) -> CodeType:
        """The compiled unit. Raises Unparseable."""
        return self.compiled(self.text)

    @cached_property
    def flat_code(self) -> CodeType:
        """The compiled unit without the NOPs that mark lines for tracing."""
        return compile_flat(self.text, self.flags)

    @cached_property
    def statements(self) -> list[Statement]:
        """The skeleton that insertions must keep."""
        return skeleton(self.text)

    def compiled(self, text: str) -> CodeType:
        """Another text in the place of this one, compiled. Raises Unparseable."""
        return compiled(text, self.flags)


@kept
def units_of(source: Source) -> list[CompilationUnit]:
    """The units of a source, in order and without gaps (but for a byte order mark); one if it must be."""
    text = source.text
    base = int(text.startswith("\ufeff"))
    flags = source.code.co_flags & _FUTURE
    cuts = [] if flags & _SPELLING else _cuts(source)
    if len(cuts) > 1:
        cuts[0] = (base, *cuts[0][1:])
        ends = [start for start, _, _ in cuts[1:]] + [len(text)]
        units = []
        for (start, head, tail), end in zip(cuts, ends, strict=True):
            newline = "\n" if tail and text[end - 1] not in "\r\n" else ""
            units.append(CompilationUnit(text, start, end, head, newline + tail, flags))
        try:
            if all(unit.code for unit in units):
                return units
        except Unparseable:
            pass
    return [whole(source)]


def whole(source: Source) -> CompilationUnit:
    """All of a source in one unit; its own `__future__` imports do what flags do for the others."""
    unit = CompilationUnit(source.text, int(source.text.startswith("\ufeff")), len(source.text))
    unit.code = source.code
    return unit


def _cuts(source: Source) -> list[tuple[int, str, str]]:
    """(start, head, tail) of the units."""
    found: list[tuple[int, str, str]] = []
    end = 0
    for node in source.ast.body:
        start = _with_comments(source, _line_of(source, node, ""), end)
        end = node.end_lineno or 0
        if start < 0 or (found and start <= found[-1][0]):
            continue
        members = _members(source, node) if isinstance(node, ast.ClassDef) else []
        if not isinstance(node, ast.ClassDef) or not members:
            found.append((start, "", ""))
            continue
        first = node.body[0]
        tail = source.text[members[0] : members[0] + first.col_offset] + "pass\n"
        found.append((start, "", tail))
        found += [(member, f"class {node.name}:\n", tail) for member in members]
    return found


def _with_comments(source: Source, start: int, end: int) -> int:
    """The start of the comment lines right above a statement of the module, after the line `end`."""
    if start < 0:
        return start
    starts = source.line_starts
    line = first = bisect_left(starts, start)
    while line > end and source.text.startswith("#", starts[line - 1]):
        line -= 1
    return start if line == first or is_continued(source.text, starts[line]) else starts[line]


def _members(source: Source, node: ast.ClassDef) -> list[int]:
    """Where the lines of a class's members start; none if it can't be divided."""
    first = node.body[0]
    line = source.line_starts[first.lineno - 1]
    indent = source.text[line : line + first.col_offset]
    if getattr(node, "type_params", None) or not indent or indent.strip(" \t"):
        return []
    starts = [_line_of(source, member, indent) for member in node.body]
    if starts[0] < 0 or first_line(first) == node.lineno:
        return []
    return sorted({start for start in starts if start >= 0})


def _line_of(source: Source, node: ast.stmt, indent: str) -> int:
    """The start of the line on which a statement starts, after nothing but `indent`; else -1."""
    text = source.text
    start = source.line_starts[first_line(node) - 1]
    if start == 0 and text.startswith("\ufeff"):
        start = 1
    own = source.line_starts[node.lineno - 1] or start
    if node.col_offset != len(indent) or text[own : own + len(indent)] != indent:
        return -1
    if not text.startswith(indent, start) or text[start + len(indent) : start + len(indent) + 1] in (
        " ",
        "\t",
    ):
        return -1
    return -1 if is_continued(text, start) else start
