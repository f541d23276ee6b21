"""Inserts assignments to variables that nobody reads: `return a` -> `spare_limit = 12` before it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.insertion_points import function_points, insertion
from transformers_py.sites.new_names import ADJECTIVES, NOUNS, Dice, NewNames
from transformers_py.source import Source
from transformers_py.source.edits import Refusals, Site

VERSION = 9
PRESERVES = "fresh"


@dataclass(frozen=True, kw_only=True)
class Options:
    """`names`: readable or random letters; `values`: the type of the literal."""

    names: Literal["pseudo", "random"] = "pseudo"
    values: Literal["mixed", "int", "float", "str", "bool", "none", "list"] = "mixed"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Before every statement of a function, but not before its docstring."""
    found, refused = function_points(source, new_names=True)
    return [insertion(source, point) for point in found], refused


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Collection[str]) -> str:
    """One assignment of a literal to a new name."""
    names = NewNames(dice, taken)
    name = names.random("") if options.names == "random" else names.pseudo("old_name")
    kind = options.values
    if kind == "mixed":
        kind = dice.pick(("int", "float", "str", "bool", "none", "list"))
    return f"{name} = {_literal(kind, dice)}"


def _literal(kind: str, dice: Dice) -> str:
    number = int(dice.random() * 100)
    if kind == "int":
        return str(number)
    if kind == "float":
        return f"{number / 4}"
    if kind == "str":
        return f'"{dice.pick(ADJECTIVES)} {dice.pick(NOUNS)}"'
    if kind == "bool":
        return dice.pick(("True", "False"))
    return "None" if kind == "none" else f"[{number}, {int(dice.random() * 100)}]"


EXAMPLES: list[Example] = [
    ("def f(a):\n    return a\n", {"values": "none"}, "def f(a):\n    main_branch = None\n    return a\n"),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = 1\n", {}, ""),
    ("class A:\n    x = 1\n", {}, ""),
    ("def f():\n    return vars()\n", {}, "dynamic_names"),
]
