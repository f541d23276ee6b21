"""Adds the neutral element to literals: `x = 1` -> `x = (1 + 0)`, `s = "a"` -> `s = ("a" + "")`.

Only where the type is certain: numbers, strings, bytes, f-strings, displays of lists and tuples.
"""

from dataclasses import dataclass
from typing import Literal

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.expressions import PLACES, literal_type, value_refusal
from transformers_py.sites.new_names import Dice
from transformers_py.sites.taken import Taken
from transformers_py.source import Source
from transformers_py.source.edits import HOLE, INNERMOST, Edit, Refusals, Site

VERSION = 11
PRESERVES = "value"
REASONS = {
    "class_body": "it stands in a class body",
    "no_parentheses": "it would need parentheses of its own",
}

MAX_DIGITS = 30
_ENDS = {
    "int": HOLE,
    "float": HOLE,
    "complex": "+ 0",
    "str": '+ ""',
    "bytes": '+ b""',
    "tuple": "+ ()",
    "list": "+ []",
}
_FOR_NUMBERS = ("+ 0", "- 0", "* 1")
_FAMILIES = {"int": "numbers", "float": "numbers", "complex": "numbers", "str": "strings", "bytes": "strings"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`types`: which literals; `operator`: `+ 0` behind all numbers, or also `- 0` and `* 1`;
    `places`: where they are `shown` as values, or `any`, also as keys, indices and defaults."""

    types: Literal["all", "numbers", "strings", "sequences"] = "all"
    operator: Literal["mixed", "add"] = "mixed"
    places: Literal["shown", "any"] = "shown"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Literals whose value is used, but for class bodies."""
    found: list[Site] = []
    refused = Refusals()
    for i in PLACES[options.places](source):
        node = source.nodes[i]
        kind = literal_type(node)
        if kind not in _ENDS or options.types not in ("all", _FAMILIES.get(kind, "sequences")):
            continue
        reason = _refusal(source, i)
        if reason:
            refused.note(reason, source.starts[i])
            continue
        start, end = source.starts[i], source.ends[i]
        edits = (Edit(start, start, "("), Edit(end, end, f" {_ENDS[kind]})"))
        found.append(Site(start, end, edits, rank=INNERMOST, scope=source.scoping.of[i].index))
    return found, refused


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Taken) -> str:
    """What stands behind a whole number or a float; CPython computes no products of long ones ahead."""
    if options.operator == "add" or site.end - site.start > MAX_DIGITS:
        return _FOR_NUMBERS[0]
    return dice.pick(_FOR_NUMBERS)


def _refusal(source: Source, i: int) -> str | None:
    node = source.nodes[i]
    unclear = isinstance(node, cst.Tuple) and not node.lpar
    return value_refusal(source, i) or ("no_parentheses" if unclear else None)


EXAMPLES: list[Example] = [
    ("x = 1\n", {"operator": "add"}, "x = (1 + 0)\n"),
    (
        "f(2.5, 'a' 'b', rb'c', 1j)\n",
        {"operator": "add"},
        "f((2.5 + 0), ('a' 'b' + \"\"), (rb'c' + b\"\"), (1j + 0))\n",
    ),
    ("x = [a, (b, f'{c}')]\n", {}, "x = ([a, ((b, (f'{c}' + \"\")) + ())] + [])\n"),
    (
        'def f():\n    "doc"\n    return "a"\n',
        {},
        'def f():\n    "doc"\n    return ("a" + "")\n',
    ),
    ("x = 1, 2.5, 0xff\n", {"types": "numbers"}, "x = (1 - 0), (2.5 * 1), (0xff - 0)\n"),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = a\n", {}, ""),
    ("def f(x=1): return x[0], x[1:], lambda y='a': y\n", {"types": "numbers"}, ""),
    ('"doc"\nclass A:\n    "doc"\n', {}, ""),
    ("class A:\n    x = 1\n", {}, "class_body"),
    ("x = a, b\n", {}, "no_parentheses"),
    ("x = _('one')\n", {}, "message"),
    ("def f(): return 1\nf.__code__\n", {}, "frames"),
    ("match x:\n    case 1 | 'a': pass\n", {}, ""),
    ("x = f'{a!r:>{b}}'\n", {"types": "numbers"}, ""),
    ("__all__ = ['a']\n", {}, ""),
    ("def f(a: 'int') -> 'str': pass\nx: 'int'\n", {}, ""),
    ("'a'.join(b)[c]\nx = True, None, {1}\n", {"types": "strings"}, ""),
]
