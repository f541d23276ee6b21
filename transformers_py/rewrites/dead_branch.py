"""Inserts branches that never run: `return a` -> `if False: print(a)` before it."""

from dataclasses import dataclass
from typing import Literal

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.dead_code import dead_statement
from transformers_py.sites.insertion_points import function_points, indent_of, insertion
from transformers_py.sites.new_names import Dice
from transformers_py.sites.taken import Taken
from transformers_py.source import Source
from transformers_py.source.edits import Refusals, Site

VERSION = 12
PRESERVES = "fresh"

_HEADS = {"if_false": "if False:", "if_zero": "if 0:", "while_false": "while False:"}
_NATURAL = (*["if_false"] * 17, *["if_zero"] * 2, "while_false")


@dataclass(frozen=True, kw_only=True)
class Options:
    """`style`: the head of the branch, `natural` as often as people write each; `body`: a statement in the
    shape of the file's own, one `plausible` of few forms over names of the function, or `pass`."""

    style: Literal["natural", "mixed", "if_false", "if_zero", "while_false"] = "natural"
    body: Literal["near", "plausible", "pass"] = "near"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Before every statement of a function, but not before its docstring."""
    found, refused = function_points(source, new_names=options.body != "pass")
    return [insertion(source, point) for point in found], refused


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Taken) -> str:
    """One branch with one statement in it."""
    style: str = options.style
    if style == "mixed":
        style = dice.pick(tuple(_HEADS))
    elif style == "natural":
        style = dice.pick(_NATURAL)
    indent = indent_of(source, site)
    body = dead_statement(source, site, options.body, dice, taken)
    return f"{_HEADS[style]}{source.newline}{indent}{source.indent}{body}"


EXAMPLES: list[Example] = [
    (
        "def f(a, b):\n    c = a.size(b)\n    a.close()\n    return c\n",
        {"style": "if_false"},
        "def f(a, b):\n"
        "    if False:\n"
        "        a.close()\n"
        "    c = a.size(b)\n"
        "    if False:\n"
        "        new_state = a.size(b)\n"
        "    a.close()\n"
        "    if False:\n"
        "        a.close()\n"
        "    return c\n",
    ),
    (
        "def f(a):\n    return a\n",
        {"style": "if_false", "body": "pass"},
        "def f(a):\n    if False:\n        pass\n    return a\n",
    ),
    (
        'def f(a):\n\t"doc"\n\tif a:\r\n\t\treturn 1\n',
        {"style": "while_false", "body": "pass"},
        'def f(a):\n\t"doc"\n\twhile False:\n\t\tpass\n'
        "\tif a:\r\n\t\twhile False:\n\t\t\tpass\n\t\treturn 1\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = 1\n", {}, ""),
    ("class A:\n    x = 1\n", {}, ""),
    ("def f(): return 1\n", {}, ""),
    ("def f():\n    return locals()\n", {}, "dynamic_names"),
    ("import sys\ndef f():\n    return sys._getframe().f_lineno\n", {}, "line_numbers"),
]
