"""Inserts statements that do nothing: `return a` -> `pass` before it."""

from dataclasses import dataclass
from typing import Literal

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.insertion_points import function_points, insertion
from transformers_py.sites.new_names import Dice
from transformers_py.sites.taken import Taken
from transformers_py.source import Source
from transformers_py.source.edits import Refusals, Site

VERSION = 9
PRESERVES = "fresh"

_STATEMENTS = {"pass": "pass", "ellipsis": "...", "none": "None"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`style`: which statement."""

    style: Literal["pass", "ellipsis", "none", "mixed"] = "pass"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Before every statement of a function, but not before its docstring."""
    found, refused = function_points(source, new_names=False)
    return [insertion(source, point) for point in found], refused


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Taken) -> str:
    """The statement."""
    return _STATEMENTS[options.style if options.style != "mixed" else dice.pick(tuple(_STATEMENTS))]


EXAMPLES: list[Example] = [
    ("def f(a):\n    return a\n", {}, "def f(a):\n    pass\n    return a\n"),
    (
        'def f(a):\n  "doc"\n  if a: return 1\n  else:\n    raise a\n',
        {"style": "ellipsis"},
        'def f(a):\n  "doc"\n  ...\n  if a: return 1\n  else:\n    ...\n    raise a\n',
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = 1\n", {}, ""),
    ("class A:\n    x = 1\n", {}, ""),
    ('def f():\n    "doc"\n', {}, ""),
    ("def f(): return 1\n", {}, ""),
    ("def f(log):\n    log('x', stacklevel=2)\n", {}, "line_numbers"),
]
