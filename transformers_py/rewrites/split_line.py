r"""Breaks lines inside of brackets: `x = f(a, b)` -> `x = f(\n    a, b\n)`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.expressions import item_end, outside_strings
from transformers_py.sites.insertion_points import line_refusal, line_start
from transformers_py.source import Source
from transformers_py.source.edits import Edit, Refusals, Site

VERSION = 9
PRESERVES = "ast"
REASONS = {"warnings": "the module warns, and a warning is shown once for each line that causes it"}
TOUCHES = "layout"


_INDENT = re.compile(r"[ \t]*")


@dataclass(frozen=True, kw_only=True)
class Options:
    """`at`: inside of both brackets, or behind one comma; `min_items`: of brackets with at least as many."""

    at: Literal["brackets", "commas"] = "brackets"
    min_items: int = 2

    def __post_init__(self) -> None:
        if self.min_items < 1:
            raise ValueError(f"option min_items must be 1 or more, got {self.min_items}")


class _Bracket(NamedTuple):
    """What stands between two brackets on one line: text[start:end], its items, its place in the table."""

    start: int
    end: int
    node: int
    items: Sequence[cst.CSTNode]


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """The outermost brackets of calls, displays, tuples and parameters that open and close on one line."""
    found: list[Site] = []
    refused = Refusals()
    reasons: dict[int, str | None] = {}
    warns = _warns(source)
    closed = 0
    for bracket in sorted(_brackets(source, options.min_items), key=lambda b: (b.start, -b.end)):
        if bracket.start < closed:
            continue
        closed = bracket.end
        scope = source.scoping.of[bracket.node]
        reason = "warnings" if warns else line_refusal(source, scope, reasons)
        if reason:
            refused.note(reason, bracket.start)
        elif options.at == "brackets":
            found.append(_inside(source, bracket))
        else:
            found.extend(_behind_commas(source, bracket))
    return found, refused


def _warns(source: Source) -> bool:
    """Whether the module makes warnings: two on one line are shown once, on two lines twice."""
    made = "warnings" in source.words and not source.words.isdisjoint(["warn", "warn_explicit"])
    return made or any("deprecated" in scope.uses for scope in source.scopes)


def _brackets(source: Source, min_items: int) -> Iterator[_Bracket]:
    text = source.text
    for i in outside_strings(source):
        items = _items(source.nodes[i])
        if len(items) < min_items:
            continue
        start, end = _extent(source, i)
        if "\n" not in text[start:end] and "\r" not in text[start:end]:
            yield _Bracket(start, end, i, items)


def _items(node: cst.CSTNode) -> Sequence[cst.CSTNode]:
    if isinstance(node, cst.Call):
        return node.args
    if isinstance(node, cst.FunctionDef):
        params = node.params
        return (*params.posonly_params, *params.params, *params.kwonly_params)
    if isinstance(node, (cst.List, cst.Set, cst.Dict)) or (isinstance(node, cst.Tuple) and node.lpar):
        return node.elements
    return ()


def _extent(source: Source, i: int) -> tuple[int, int]:
    """Where the inside of a node's brackets starts and ends."""
    node, text = source.nodes[i], source.text
    if isinstance(node, cst.Call):
        name = source.index[id(node.func)]
        return text.index("(", source.ends[name]) + 1, source.inner_ends[i] - 1
    if isinstance(node, cst.FunctionDef):
        name, params = source.index[id(node.type_parameters or node.name)], source.index[id(node.params)]
        return text.index("(", source.ends[name]) + 1, text.index(")", source.ends[params])
    if isinstance(node, cst.Tuple):
        return source.starts[i] + 1, source.ends[i] - 1
    return source.inner_starts[i] + 1, source.inner_ends[i] - 1


def _inside(source: Source, bracket: _Bracket) -> Site:
    line = line_start(source, bracket.start)
    indent = _INDENT.match(source.text, line, bracket.start)
    assert indent is not None
    outer = source.newline + indent.group()
    opening = Edit(bracket.start, bracket.start, outer + source.indent)
    closing = Edit(bracket.end, bracket.end, outer)
    scope = source.scoping.of[bracket.node].index
    return Site(bracket.start, bracket.end, (opening, closing), rank=-1, scope=scope)


def _behind_commas(source: Source, bracket: _Bracket) -> Iterator[Site]:
    """Lines that go on below the first item; a blank behind the comma stays in front of the next item."""
    text = source.text
    head = text[line_start(source, bracket.start) : bracket.start]
    below = "".join(character if character == "\t" else " " for character in head)
    scope = source.scoping.of[bracket.node].index
    for item in bracket.items[:-1]:
        comma = text.find(",", item_end(source, item), bracket.end)
        if comma >= 0:
            blank = text.startswith(" ", comma + 1)
            edit = Edit(comma + 1, comma + 1, source.newline + (below[:-1] if blank else below))
            yield Site(comma + 1, comma + 1, (edit,), scope=scope)


EXAMPLES: list[Example] = [
    ("x = f(a, b)\n", {}, "x = f(\n    a, b\n)\n"),
    ("x = f(a, b, *c)\n", {"at": "commas"}, "x = f(a,\n      b,\n      *c)\n"),
    (
        "def f(a, *, b=1):\r\n\treturn [g(a, b), {a: b, b: a}]\r\n",
        {},
        "def f(\r\n\ta, *, b=1\r\n):\r\n\treturn [\r\n\t\tg(a, b), {a: b, b: a}\r\n\t]\r\n",
    ),
    ("x = (a, b)\ny = f(a)\n", {"min_items": 1}, "x = (\n    a, b\n)\ny = f(\n    a\n)\n"),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = a, b\n", {}, ""),
    ("x = f(a,\n      b)\n", {}, ""),
    ("x = f'{g(a, b)}'\n", {}, ""),
    ("x = f(a)[b, c]\n", {}, ""),
    ("def f(log):\n    log(1, stacklevel=2)\n", {}, "line_numbers"),
    ("from warnings import warn\nx = f(a, b)\nwarn('old', Warning, 2)\n", {}, "warnings"),
]
