"""Inserts assignments to variables that nobody reads: `return a` -> `spare_limit = 12` before it."""

from dataclasses import dataclass
from typing import Literal

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.insertion_points import function_points, insertion
from transformers_py.sites.new_names import ADJECTIVES, NOUNS, Dice, NewNames
from transformers_py.sites.taken import Taken, untold
from transformers_py.sites.vocabulary import literal, near_name
from transformers_py.source import Source
from transformers_py.source.edits import Refusals, Site

VERSION = 11
PRESERVES = "fresh"


@dataclass(frozen=True, kw_only=True)
class Options:
    """`names`: of words of the function, readable or random letters; `values`: literals such as the file has,
    of any type (`mixed`), or of one type."""

    names: Literal["near", "pseudo", "random"] = "near"
    values: Literal["near", "mixed", "int", "float", "str", "bool", "none", "list"] = "near"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Before every statement of a function, but not before its docstring."""
    found, refused = function_points(source, new_names=True)
    return [insertion(source, point) for point in found], refused


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Taken) -> str:
    """One assignment of a literal to a new name."""
    if options.names == "near":
        kind, value = _value(source, options.values, dice, taken)
        return f"{near_name(source, source.scopes[site.scope], dice, taken, kind)} = {value}"
    names = NewNames(dice, taken)
    name = names.random("") if options.names == "random" else names.pseudo("old_name")
    return f"{name} = {_value(source, options.values, dice, taken)[1]}"


def _value(source: Source, kind: str, dice: Dice, taken: Taken) -> tuple[str, str]:
    """(type, text) of a literal."""
    if kind == "near":
        return literal(source, dice, taken)
    if kind == "mixed":
        kind = dice.pick(("int", "float", "str", "bool", "none", "list"))
    return kind, untold(lambda: _literal(kind, dice), taken)


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
    (
        "def f(a):\n    return a\n",
        {"names": "pseudo", "values": "none"},
        "def f(a):\n    main_branch = None\n    return a\n",
    ),
    (
        "def read_rows(table, limit=20):\n    return table.rows[:limit]\n",
        {},
        "def read_rows(table, limit=20):\n    info_list = []\n    return table.rows[:limit]\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = 1\n", {}, ""),
    ("class A:\n    x = 1\n", {}, ""),
    ("def f():\n    return vars()\n", {}, "dynamic_names"),
]
