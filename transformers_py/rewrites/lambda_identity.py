"""Passes values through a function that returns them: `return a` -> `return (lambda value: value)(a)`.

The expression stays outside of the function, as its argument: `yield`, `await`, `super()` and class scopes
mean what they meant. The call takes one frame of the stack, so functions of a recursion are left alone.
"""

from dataclasses import dataclass
from typing import Literal

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.expressions import (
    PLACES,
    is_loose,
    is_part_of_constant,
    is_tested_in_parts,
    value_refusal,
)
from transformers_py.sites.insertion_points import line_refusal
from transformers_py.sites.recursion import recursive
from transformers_py.source import Source
from transformers_py.source.edits import Edit, Refusals, Site

VERSION = 11
PRESERVES = "value"
REASONS = {
    "class_body": "it stands in a class body",
    "recursion": "one more frame in a recursion could be one too many",
}

_LITERALS = (cst.BaseNumber, cst.SimpleString)


@dataclass(frozen=True, kw_only=True)
class Options:
    """`style`: `(lambda value: value)(a)` around any value, or `(lambda: 1)()` around literals;
    `nested`: also inside of each other; `places`: what is assigned, returned, yielded, passed to a call or
    under a key, or `any` value."""

    style: Literal["argument", "constant"] = "argument"
    nested: bool = False
    places: Literal["own", "any"] = "own"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Values that are assigned, passed, returned and so on, but for class bodies."""
    found: list[Site] = []
    refused = Refusals()
    reasons: dict[int, str | None] = {}
    deep = recursive(source)
    for i in PLACES[options.places](source):
        node, scope = source.nodes[i], source.scoping.of[i]
        if options.style == "constant" and not isinstance(node, _LITERALS):
            continue
        reason = value_refusal(source, i) or line_refusal(source, scope, reasons)
        if reason is None and (scope.index in deep or any(o.index in deep for o in scope.enclosing())):
            reason = "recursion"
        if reason is None and is_tested_in_parts(node):
            reason = "tested_in_parts"
        if reason is None and is_part_of_constant(source, i):
            reason = "part_of_constant"
        if reason:
            refused.note(reason, source.starts[i])
            continue
        start, end = source.starts[i], source.ends[i]
        before, after = _wrapper(options.style, is_loose(node))
        edits = (Edit(start, start, before), Edit(end, end, after))
        found.append(Site(start, end, edits, scope=scope.index, alone=not options.nested))
    return found, refused


def _wrapper(style: str, loose: bool) -> tuple[str, str]:
    if style == "constant":
        return "(lambda: ", ")()"
    return ("(lambda value: value)((", "))") if loose else ("(lambda value: value)(", ")")


EXAMPLES: list[Example] = [
    ("def f(a):\n    return a\n", {}, "def f(a):\n    return (lambda value: value)(a)\n"),
    (
        "def f(a):\n    a.b = yield\n",
        {},
        "def f(a):\n    a.b = (lambda value: value)((yield))\n",
    ),
    ("f((1, 2))\n", {}, "f((lambda value: value)((1, 2)))\n"),
    ("x = f(a)\n", {"nested": True}, "x = (lambda value: value)(f((lambda value: value)(a)))\n"),
    ("x = f(1, 'a')\n", {"style": "constant"}, "x = f((lambda: 1)(), (lambda: 'a')())\n"),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("class A:\n    x = 1\n", {}, "class_body"),
    ("class A(B): pass\nif a == b[c]: pass\n", {}, ""),
    ('__version__ = "1.0"\n', {}, ""),
    ("from a import b\nb.c[d].e()\n", {"style": "constant"}, ""),
    ("def f(a):\n    return f(a) if a else g(a)\ndef g(b):\n    return b\n", {}, "recursion"),
    ("def f(a: 'int'): pass\n", {}, ""),
    ("gettext('one')\n", {}, "message"),
    ("def f(log):\n    log(1, stacklevel=2)\n", {}, "line_numbers"),
]
