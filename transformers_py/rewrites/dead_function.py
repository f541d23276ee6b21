"""Inserts nested functions that nobody calls: `return a` -> `def merge_limits(x, y): ...` before it.

Only inside of functions: in a module or a class a new function can be seen (`dir`, `vars`, a metaclass).
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from transformers_py.blocks import indent_of, insertion, places
from transformers_py.edits import Site
from transformers_py.names import Dice, Names
from transformers_py.options import CounterExample, Example
from transformers_py.source import Source

PRESERVES = "fresh"
GROWTH = "16 to 36 tokens"

_SHORT = ("return {a} + {b}", "return {a}, {b}", "return {a} or {b}", "return [{a}, {b}]")
_LONG = (
    "if {a}:\n>return {b}\nreturn {a}",
    "{c} = []\nfor {d} in {a}:\n>{c}.append({d} + {b})\nreturn {c}",
    "{c} = {a}\nwhile {c} < {b}:\n>{c} += 1\nreturn {c}",
    "try:\n>return {a}[{b}]\nexcept (KeyError, IndexError):\n>return None",
)
"""Bodies over the two parameters and two local names; `>` is one level of indentation."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """`body`: one statement, or several."""

    body: Literal["mixed", "short", "long"] = "mixed"


def sites(source: Source, options: Options) -> tuple[list[Site], Counter[str]]:
    """Before every statement of a function, but not before its docstring."""
    found, refused = places(source, new_names=True)
    return [insertion(source, place) for place in found], refused


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Collection[str]) -> str:
    """One function of two parameters, with nothing in it that comes from around it."""
    names = Names(dice, taken)
    own = {letter: names.pseudo("name") for letter in "abcd"}
    size = options.body if options.body != "mixed" else dice.pick(("short", "long"))
    indent = indent_of(source, site) + source.indent
    body = dice.pick(_SHORT if size == "short" else _LONG).format_map(own)
    lines = [indent + line.replace(">", source.indent, line.startswith(">")) for line in body.split("\n")]
    return source.newline.join([f"def {names.pseudo('old_name')}({own['a']}, {own['b']}):", *lines])


EXAMPLES: list[Example] = [
    (
        "def f(a):\n    return a\n",
        {"body": "short"},
        "def f(a):\n    def new_entry(route, reason):\n        return [route, reason]\n    return a\n",
    ),
    (
        "def f(a):\r\n\tif a:\r\n\t\treturn a\r\n",
        {"body": "long"},
        "def f(a):\r\n"
        "\tdef fresh_element(share, height):\r\n"
        "\t\tplan = share\r\n"
        "\t\twhile plan < height:\r\n"
        "\t\t\tplan += 1\r\n"
        "\t\treturn plan\r\n"
        "\tif a:\r\n"
        "\t\tdef masked_sum(buffer, window):\r\n"
        "\t\t\tshape = []\r\n"
        "\t\t\tfor result in buffer:\r\n"
        "\t\t\t\tshape.append(result + window)\r\n"
        "\t\t\treturn shape\r\n"
        "\t\treturn a\r\n",
    ),
    (
        "def f():\n    return\n    g()\n",
        {"body": "short"},
        "def f():\n"
        "    def large_word(score, digit):\n"
        "        return [score, digit]\n"
        "    return\n"
        "    def same_queue(char, table):\n"
        "        return [char, table]\n"
        "    g()\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = 1\n", {}, ""),
    ("class A:\n    x = 1\n", {}, ""),
    ("def f():\n    return locals()\n", {}, "dynamic_names"),
    ("def f():\n    x = 1; return x\n    def g(): pass\n    return dir()\n", {}, "dynamic_names"),
]
