"""Inserts branches that never run: `return a` -> `if False: print(a)` before it."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from transformers_py.blocks import places
from transformers_py.edits import HOLE, Edit, Site
from transformers_py.names import Dice, Names
from transformers_py.options import CounterExample, Example
from transformers_py.scopes import DYNAMIC, Scope
from transformers_py.source import Source

PRESERVES = "fresh"
GROWTH = "7 to 13 tokens"

_HEADS = {"if_false": "if False:", "if_zero": "if 0:", "while_false": "while False:"}
_UNUSABLE = DYNAMIC | {"super", "print", "_"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`style`: the head of the branch; `body`: made of names of the function, or `pass`."""

    style: Literal["mixed", "if_false", "if_zero", "while_false"] = "mixed"
    body: Literal["plausible", "pass"] = "plausible"


def sites(source: Source, options: Options) -> tuple[list[Site], Counter[str]]:
    """Before every statement of a function, but not before its docstring."""
    found, refused = places(source, new_names=options.body != "pass")
    return [
        Site(
            place.offset,
            place.offset,
            (Edit(place.offset, place.offset, HOLE + source.newline + place.indent),),
            scope=place.scope.index,
        )
        for place in found
    ], refused


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Collection[str]) -> str:
    """One branch with one statement in it."""
    style = options.style if options.style != "mixed" else dice.pick(tuple(_HEADS))
    indent = site.edits[0].text.removeprefix(HOLE + source.newline)
    body = "pass" if options.body == "pass" else _statement(source, site, dice, taken)
    return f"{_HEADS[style]}{source.newline}{indent}{source.indent}{body}"


def _statement(source: Source, site: Site, dice: Dice, taken: Collection[str]) -> str:
    """A short statement over names that the function uses anyway."""
    scope = source.scopes[site.scope]
    known = [name for name in scope.uses if _is_usable(scope, name)]
    new = Names(dice, taken).pseudo(dice.pick(known) if known else "value")
    if not known:
        return f"{new} = {int(dice.random() * 100)}"
    first, second = dice.pick(known), dice.pick(known)
    forms = (
        f"{new} = {first}",
        f"{new} = {first}, {second}",
        f"print({first})",
        f"{new} = [{first}]",
        f"{new} = str({first})",
        f"{new} = {first} or {second}",
    )
    return dice.pick(forms)


def _is_usable(scope: Scope, name: str) -> bool:
    """Names that keep their spelling: parameters, globals and builtins, no local variables."""
    if name in _UNUSABLE or name in scope.declared or name.startswith("__"):
        return False
    binding = scope.resolved.get(name)
    return binding is None or not binding.scope.is_function or binding.kinds == {"parameter"}


EXAMPLES: list[Example] = [
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
