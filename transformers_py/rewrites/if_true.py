r"""Wraps statements in a condition that holds: `return a` -> `if True:\n    return a`."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.insertion_points import InsertionPoint, end_of_line, function_points
from transformers_py.source import Source
from transformers_py.source.edits import Edit, Refusals, Site, Stretches

VERSION = 9
PRESERVES = "fresh"
REASONS = {"declaration": "declarations (global, nonlocal) must come first"}

_HEADS = {"if_true": "if True:", "if_one": "if 1:"}
_COMPOUND = (cst.If, cst.For, cst.While, cst.With, cst.Try, cst.TryStar, cst.Match)
_DECLARATIONS = (cst.Global, cst.Nonlocal)
_STRINGS = (cst.SimpleString, cst.FormattedString)


@dataclass(frozen=True, kw_only=True)
class Options:
    """`wrap`: lines of simple statements, or compound statements with no other inside; `style`: the head."""

    wrap: Literal["simple", "compound"] = "simple"
    style: Literal["if_true", "if_one"] = "if_true"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """The statements of functions that start a line, but for docstrings and declarations."""
    found: list[Site] = []
    before, refused = function_points(source, new_names=False)
    strings = _long_strings(source)
    for point in before:
        node = source.nodes[point.statement]
        head = _HEADS[options.style] + source.newline + point.indent + source.indent
        opening = Edit(point.offset, point.offset, head)
        if options.wrap == "simple":
            if not isinstance(node, cst.SimpleStatementLine):
                continue
            if any(isinstance(small, _DECLARATIONS) for small in node.body):
                refused.note("declaration", point.offset)
                continue
            end = end_of_line(source, point.statement)
            edits = (opening, *_indents(source, point, strings))
            found.append(Site(point.offset, end, edits, rank=-1, scope=point.scope.index))
        elif isinstance(node, _COMPOUND) and _is_leaf(source, point.statement):
            end = source.ends[point.statement]
            if "\f" in source.text[point.offset : end]:
                refused.note("form_feed", point.offset)
                continue
            edits = (opening, *_indents(source, point, strings))
            found.append(Site(point.offset, end + 1, edits, rank=-1, exclusive=True, scope=point.scope.index))
    return found, refused


def _is_leaf(source: Source, k: int) -> bool:
    """Whether no compound statement stands in the blocks of this one (`elif` is a part of it)."""
    return not any(
        isinstance(source.nodes[i], cst.BaseCompoundStatement)
        and isinstance(source.nodes[source.parents[i]], cst.IndentedBlock)
        for i in range(k + 1, source.lasts[k])
    )


def _long_strings(source: Source) -> Stretches:
    """Strings of several lines."""
    spans = (
        (source.starts[i], source.ends[i]) for i, n in enumerate(source.nodes) if isinstance(n, _STRINGS)
    )
    return Stretches(
        span for span in spans if "\n" in source.text[slice(*span)] or "\r" in source.text[slice(*span)]
    )


def _indents(source: Source, point: InsertionPoint, strings: Stretches) -> list[Edit]:
    """One more level of indentation for the other lines of a statement, but inside of strings.

    Lines that start left of the statement are comments or stand inside of brackets, and stay.
    """
    found: list[Edit] = []
    text = source.text
    first = bisect_right(source.line_starts, point.offset)
    for line in source.line_starts[first : bisect_left(source.line_starts, source.ends[point.statement])]:
        column = line + len(point.indent)
        if strings.around(line) or text[column : column + 1] in ("", "\r", "\n"):
            continue
        if text.startswith(point.indent, line):
            found.append(Edit(column, column, source.indent))
    return found


EXAMPLES: list[Example] = [
    ("def f(a):\n    return a\n", {}, "def f(a):\n    if True:\n        return a\n"),
    (
        'def f(a):\n  """doc"""\n  x = """b\n  c"""; g(x,\n    a)  # d\n  if x: pass\n',
        {},
        'def f(a):\n  """doc"""\n  if True:\n    x = """b\n  c"""; g(x,\n      a)  # d\n  if x: pass\n',
    ),
    (
        "def f(a):\n\tfor b in a:\n\t\tg(b,\n'''c\n\t''')\n\n# d\n\telse:\n\t\treturn 1\n",
        {"wrap": "compound", "style": "if_one"},
        "def f(a):\n\tif 1:\n\t\tfor b in a:\n\t\t\tg(b,\n'''c\n\t''')\n\n# d\n\t\telse:\n\t\t\treturn 1\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = 1\n", {}, ""),
    ("class A:\n    x = 1\n", {}, ""),
    ('def f():\n    "doc"\n', {}, ""),
    ("def f():\n    global a\n    for b in a: pass\n", {}, "declaration"),
    ("def f(): return 1\n", {}, ""),
    ("def f(log):\n    log(1, stacklevel=2)\n", {}, "line_numbers"),
]
