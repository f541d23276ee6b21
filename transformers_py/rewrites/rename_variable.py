"""Renames local variables: `total = a + b; return total` -> `merged = a + b; return merged`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites import closed_world, renamable
from transformers_py.sites.closed_world import World
from transformers_py.sites.error_texts import OF_VARIABLES, are_looked_at
from transformers_py.sites.new_names import Style
from transformers_py.source import Source
from transformers_py.source.edits import Refusals, Site
from transformers_py.source.scopes import Binding

VERSION = 10
PRESERVES = "names"
RENAMES = "variable"
REASONS = {
    "definition": "it names a function or a class, which carries the name",
    "import": "it is the name of what is imported",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`style`: how new names are made, `keep_tokens` with as many subwords as the old ones, the last six as a
    form of the old one, which not every name has; `world`: also those of a module if it is closed, where all
    that uses the text is in it.
    """

    style: Style = "pseudo"
    world: World = "open"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Every variable of a function, lambda or comprehension that isn't a parameter or a definition."""
    wanted = _wanted if options.world == "open" else _wanted_in_a_closed_world
    bindings, refused = renamable.choose(source, wanted)
    return renamable.sites(source, bindings, options.style), refused


def draw(
    source: Source, options: Options, sites: Sequence[Site], rng: Random, taken: Collection[str]
) -> list[str | None]:
    """New names, all different."""
    return renamable.draw(source, sites, options.style, "var", rng, taken)


def _wanted(source: Source, binding: Binding) -> str | None:
    if not binding.scope.is_function or "parameter" in binding.kinds:
        return ""
    if binding.kinds & {"function", "class"}:
        return "definition"
    if "import" in binding.kinds:
        return "import"
    return "error_texts" if are_looked_at(source, OF_VARIABLES) else None


def _wanted_in_a_closed_world(source: Source, binding: Binding) -> str | None:
    if binding.scope.kind == "module":
        return closed_world.variable_refusal(source, binding)
    return "" if binding.kinds == {"function"} else _wanted(source, binding)


EXAMPLES: list[Example] = [
    (
        "def f(a):\n    b = a\n    return b\n",
        {"style": "generic"},
        "def f(a):\n    var_1 = a\n    return var_1\n",
    ),
    (
        "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x += 1\n    return x\n",
        {"style": "generic"},
        "def f():\n    var_1 = 1\n"
        "    def g():\n        nonlocal var_1\n        var_1 += 1\n    return var_1\n",
    ),
    ("y = [x for x in z]\n", {"style": "generic"}, "y = [var_1 for var_1 in z]\n"),
    (
        "def f(a):\n    import os.path as p\n    return p.x(p=a.p)\n",
        {"style": "generic"},
        "def f(a):\n    import os.path as var_1\n    return var_1.x(p=a.p)\n",
    ),
]
EXAMPLES += [
    (
        "def f(x):\n    a = x\n    b = a + 1\n    return a * b\n",
        {"style": "swap"},
        "def f(x):\n    b = x\n    a = b + 1\n    return b * a\n",
    ),
    (
        "LIMIT = 3\ndef f(x): return x < LIMIT\n",
        {"style": "generic", "world": "closed"},
        "var_1 = 3\ndef f(x): return x < var_1\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = 1\n", {}, ""),
    ("def f():\n    x = 1\n    return locals()\n", {}, "dynamic_names"),
    ("class A:\n    x = 1\n", {}, ""),
    ("def f():\n    x = 1\n    return f'{x=}'\n", {}, "debug_f_string"),
    ("def f():\n    import os\n    return os\n", {}, "import"),
    ("limit = 3\nprint(globals()['limit'])\n", {"world": "closed"}, "namespace"),
    ("limit = 3\nprint('limit', limit)\n", {"world": "closed"}, "named_elsewhere"),
    ("limit = 3\nclass A:\n    limit = limit\n", {"world": "closed"}, "class_body"),
    ("from a import *\ndef f():\n    x = 1\n", {}, "star_import"),
    ("def f(rows):\n    cut = 4\n    return rows.query('x > @cut')\n", {}, "quoted"),
    ("def f():\n    x = 1\nprint(f.__closure__)\n", {}, "frames"),
    ("def f():\n    try: x = y\n    except NameError as e: print(e)\n", {}, "error_texts"),
]
