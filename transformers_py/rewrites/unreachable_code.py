"""Inserts statements that are never reached: `return a` -> `spare = a` after it."""

from dataclasses import dataclass
from typing import Literal

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.dead_code import dead_statement
from transformers_py.sites.insertion_points import end_of_line, function_points
from transformers_py.sites.new_names import Dice
from transformers_py.sites.taken import Taken
from transformers_py.source import Source
from transformers_py.source.edits import HOLE, Edit, Refusals, Site

VERSION = 12
PRESERVES = "fresh"
REASONS = {"no_newline": "the text ends there"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`body`: a statement in the shape of the file's own, one `plausible` of few forms over names of the
    function, or `pass`."""

    body: Literal["near", "plausible", "pass"] = "near"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """After every return, raise, continue and break that stands on a line of its own."""
    found: list[Site] = []
    before, refused = function_points(source, new_names=options.body != "pass", leaving=True)
    for point in before:
        after = source.ends[point.statement]
        if end_of_line(source, point.statement) == after:
            refused.note("no_newline", point.offset)
            continue
        edit = Edit(after, after, point.indent + HOLE + source.newline)
        found.append(Site(after, after, (edit,), rank=-1, scope=point.scope.index))
    return found, refused


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Taken) -> str:
    """One statement."""
    return dead_statement(source, site, options.body, dice, taken)


EXAMPLES: list[Example] = [
    ("def f(a):\n    return a\n", {"body": "pass"}, "def f(a):\n    return a\n    pass\n"),
    (
        "def f(a, b):\n\tfor c in a:\n\t\tif c:\n\t\t\tcontinue  # next\n\n\traise b\nx = f\n",
        {"body": "pass"},
        "def f(a, b):\n\tfor c in a:\n\t\tif c:\n\t\t\tcontinue  # next\n\t\t\tpass\n"
        "\n\traise b\n\tpass\nx = f\n",
    ),
    (
        "def f(a, b):\n    return a\nf(1, 2)\n",
        {"body": "plausible"},
        "def f(a, b):\n    return a\n    offset = str(a)\nf(1, 2)\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("def f(a): return a\n", {}, ""),
    ("def f(a):\n    if a: return 1\n    a()\n", {}, ""),
    ("def f(a):\n    return a", {}, "no_newline"),
    ("def f():\n    return locals()\n", {}, "dynamic_names"),
    ("for a in b:\n    break\n", {}, ""),
]
