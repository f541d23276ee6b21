"""Wraps values in a choice that is none: `return a` -> `return (a if True else None)`."""

from dataclasses import dataclass
from typing import Literal

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.expressions import (
    PLACES,
    is_loose,
    is_part_of_constant,
    is_tested_in_parts,
    value_refusal,
)
from transformers_py.source import Source
from transformers_py.source.edits import Edit, Refusals, Site

VERSION = 11
PRESERVES = "value"
REASONS = {"class_body": "it stands in a class body"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`side`: `(a if True else None)` or `(None if False else a)`; `nested`: also inside of each other;
    `places`: what is assigned, returned, yielded, passed to a call or under a key, or `any` value."""

    side: Literal["first", "second"] = "first"
    nested: bool = False
    places: Literal["own", "any"] = "own"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Values that are assigned, passed, returned and so on, but for class bodies."""
    found: list[Site] = []
    refused = Refusals()
    before, after = ("(", " if True else None)") if options.side == "first" else ("(None if False else ", ")")
    for i in PLACES[options.places](source):
        scope = source.scoping.of[i]
        reason = value_refusal(source, i)
        if reason is None and is_tested_in_parts(source.nodes[i]):
            reason = "tested_in_parts"
        if reason is None and is_part_of_constant(source, i):
            reason = "part_of_constant"
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
    ("f((1, 2))\n", {"nested": True}, "f(((1, 2) if True else None))\n"),
    ("x = a + b\n", {"places": "any"}, "x = (a if True else None) + (b if True else None)\n"),
    (
        "class A(B):\n    def f(self, c=1):\n        return {'k': self[c]}, [c]\n",
        {"nested": True},
        "class A(B):\n    def f(self, c=1):\n"
        "        return (({'k': (self[c] if True else None)}, [c]) if True else None)\n",
    ),
    (
        "x = a + b\n",
        {"nested": True, "places": "any"},
        "x = ((a if True else None) + (b if True else None) if True else None)\n",
    ),
    (
        "def f(a):\n    a.b[0] = yield\n",
        {"side": "second", "places": "any"},
        "def f(a):\n    a.b[(None if False else 0)] = (None if False else (yield))\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("class A:\n    x = 1\n", {}, "class_body"),
    ("__all__ = ['a']\n", {}, ""),
    ("_('one')\nt.ngettext('one', 'two')\n", {}, "message"),
    ("def f(a):\n    return a\nprint(f.__code__.co_consts)\n", {}, "frames"),
    ("class A(B, c=D): pass\n", {}, ""),
    ("for a in b: del c[d]\n", {}, ""),
    ("@a.b\nclass A:\n    def f(self): pass\n", {}, ""),
    ("del a.b\nf'{a}'\n", {}, ""),
]
