"""Puts parentheses around expressions: `return a + b` -> `return (a + b)`."""

from dataclasses import dataclass

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.expressions import is_parenthesised, loads, message_refusal
from transformers_py.source import Source
from transformers_py.source.edits import Edit, Refusals, Site

VERSION = 10
PRESERVES = "ast"
REASONS = {"has_parentheses": "it has parentheses already"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`nested`: also around what has parentheses already."""

    nested: bool = False


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Every expression that is read; not docstrings, and not in strings, patterns and decorators."""
    found: list[Site] = []
    refused = Refusals()
    nodes, parents, starts, ends = source.nodes, source.parents, source.starts, source.ends
    for i in loads(source):
        if isinstance(nodes[parents[i]], cst.Expr) and isinstance(nodes[i], cst.BaseString):
            continue
        if not options.nested and is_parenthesised(nodes[i]):
            refused.note("has_parentheses", starts[i])
            continue
        if message_refusal(source, i):
            refused.note("message", starts[i])
            continue
        start, end = starts[i], ends[i]
        found.append(Site(start, end, (Edit(start, start, "("), Edit(end, end, ")"))))
    return found, refused


EXAMPLES: list[Example] = [
    ("x = 1\n", {}, "x = (1)\n"),
    ("def f(a, b):\n    return a + b\n", {}, "def f(a, b):\n    return ((a) + (b))\n"),
    ("x = (a)\n", {"nested": True}, "x = ((a))\n"),
    ("x.y[i] = f(z, k=0)\r\n", {}, "((x).y)[(i)] = ((f)((z), k=(0)))\r\n"),
    ("x = a and b and c\n", {}, "x = ((a) and (b) and (c))\n"),
    ("return_ = -1 if a else not b", {}, "return_ = ((-(1)) if (a) else (not (b)))"),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("self.a: (int)\n", {}, "has_parentheses"),
    ("x = (a)\n", {}, "has_parentheses"),
    ("import a.b\nfrom c import d as e\n", {}, ""),
    ("global x\n", {}, ""),
    ('"""doc"""\n', {}, ""),
    ("del x\n", {}, ""),
]
