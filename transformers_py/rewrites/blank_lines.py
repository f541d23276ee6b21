r"""Inserts blank lines between statements: `a = 1\nb = 2` -> `a = 1\n\nb = 2`."""

from dataclasses import dataclass
from typing import Literal

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.insertion_points import line_points
from transformers_py.source import Source
from transformers_py.source.edits import Edit, Refusals, Site

VERSION = 9
PRESERVES = "ast"
TOUCHES = "layout"


@dataclass(frozen=True, kw_only=True)
class Options:
    """`lines`: how many at one site."""

    lines: Literal[1, 2, 3] = 1


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Before every statement (and the comments above it) that isn't the first of its block."""
    found: list[Site] = []
    points, refused = line_points(source)
    for point in points:
        k = point.statement
        parent = source.nodes[source.parents[k]]
        assert isinstance(parent, (cst.Module, cst.IndentedBlock))
        if parent.body[0] is source.nodes[k]:
            continue
        start = source.starts[k]
        if source.text[start - 1] not in "\r\n":
            refused.note("not_at_line_start", point.offset)
            continue
        edit = Edit(start, start, source.newline * options.lines)
        found.append(Site(start, start, (edit,), scope=point.scope.index))
    return found, refused


EXAMPLES: list[Example] = [
    ("a = 1\nb = 2\n", {}, "a = 1\n\nb = 2\n"),
    (
        "def f():\r\n  a = 1\r\n  # why\r\n  b = 2; c = 3\r\n",
        {"lines": 2},
        "def f():\r\n  a = 1\r\n\r\n\r\n  # why\r\n  b = 2; c = 3\r\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("a = 1; b = 2\n", {}, ""),
    ("def f():\n    return 1\n", {}, ""),
    ("def f(log):\n    a = 1\n    log(a, stacklevel=2)\n", {}, "line_numbers"),
]
