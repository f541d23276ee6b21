"""Wraps values in a choice that is none: `return a` -> `return (a if True else None)`."""

from dataclasses import dataclass
from typing import Literal

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.expressions import is_loose, is_tested_in_parts, value_refusal, values
from transformers_py.source import Source
from transformers_py.source.edits import Edit, Refusals, Site

VERSION = 9
PRESERVES = "value"
REASONS = {"class_body": "it stands in a class body"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`side`: `(a if True else None)` or `(None if False else a)`; `nested`: also inside of each other."""

    side: Literal["first", "second"] = "first"
    nested: bool = False


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Values that are assigned, passed, returned, compared and so on, but for class bodies."""
    found: list[Site] = []
    refused = Refusals()
    before, after = ("(", " if True else None)") if options.side == "first" else ("(None if False else ", ")")
    for i in values(source):
        scope = source.scoping.of[i]
        reason = value_refusal(source, i)
        if reason is None and is_tested_in_parts(source.nodes[i]):
            reason = "tested_in_parts"
        if reason:
            refused.note(reason, source.starts[i])
            continue
        start, end = source.starts[i], source.ends[i]
        loose = is_loose(source.nodes[i])
        edits = (
            Edit(start, start, before + "(" if loose else before),
            Edit(end, end, ")" + after if loose else after),
        )
        found.append(Site(start, end, edits, scope=scope.index, alone=not options.nested))
    return found, refused


EXAMPLES: list[Example] = [
    ("def f(a):\n    return a\n", {}, "def f(a):\n    return (a if True else None)\n"),
    ("x = a + b\n", {}, "x = (a if True else None) + (b if True else None)\n"),
    (
        "x = a + b\n",
        {"nested": True},
        "x = ((a if True else None) + (b if True else None) if True else None)\n",
    ),
    (
        "def f(a):\n    a.b[0] = yield\n",
        {"side": "second"},
        "def f(a):\n    a.b[(None if False else 0)] = (None if False else (yield))\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("class A:\n    x = 1\n", {}, "class_body"),
    ("__all__ = ['a']\n", {}, ""),
    ("_('one')\nt.ngettext('one', 'two')\n", {}, "message"),
    ("def f(a):\n    return a\nprint(f.__code__.co_consts)\n", {}, "frames"),
    ("@a.b\nclass A:\n    def f(self): pass\n", {}, ""),
    ("del a.b\nf'{a}'\n", {}, ""),
]
