"""Inserts functions that nobody calls: `return a` -> `def merge_limits(x, y): ...` before it."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites import helpers
from transformers_py.sites.insertion_points import InsertionPoint, function_points, line_start, module_points
from transformers_py.sites.new_names import Dice, NewNames
from transformers_py.sites.taken import Taken
from transformers_py.source import Source
from transformers_py.source.edits import HOLE, Edit, Refusals, Site

VERSION = 11
PRESERVES = "fresh"

_SHORT = ("return {a} + {b}", "return {a}, {b}", "return {a} or {b}", "return [{a}, {b}]")
_LONG = (
    "if {a}:\n>return {b}\nreturn {a}",
    "{c} = []\nfor {d} in {a}:\n>{c}.append({d} + {b})\nreturn {c}",
    "{c} = {a}\nwhile {c} < {b}:\n>{c} += 1\nreturn {c}",
    "try:\n>return {a}[{b}]\nexcept (KeyError, IndexError):\n>return None",
)
"""Bodies over the two parameters and two local names; `>` is one level of indentation."""


_STATEMENTS = 3
"""A function with fewer statements in its body needs no helper of its own."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """`body`: statements in the shapes of the file's own (`near`), or one of few bodies, `short` or `long`;
    `where`: inside of functions, or private ones in the module; `before`: the first statement of a function
    and the functions and classes of the module, or any statement.

    Who looks at a module from elsewhere (`dir(module)`) sees a new private name; a module that might look at
    its own names is refused.
    """

    body: Literal["near", "mixed", "short", "long"] = "near"
    where: Literal["nested", "module", "any"] = "nested"
    before: Literal["first", "any"] = "first"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """In functions before the first statement behind the docstring, in the module before its functions and
    classes; or before any statement, but for docstrings and the module's head."""
    found: list[Site] = []
    refused = Refusals()
    if options.where != "nested":
        top, reasons = module_points(source)
        problem = source.scoping.namespace_problem
        refused.merge(reasons)
        for point in top:
            defines = isinstance(source.nodes[point.statement], (cst.FunctionDef, cst.ClassDef))
            if options.before == "first" and not defines:
                continue
            if problem:
                refused.note(problem, point.offset)
            else:
                found.append(_site(source, point, 2))
    if options.where != "module":
        nested, reasons = function_points(source, new_names=True)
        refused.merge(reasons)
        found += [_site(source, point, 1) for point in _wanted(source, nested, options)]
    return sorted(found, key=lambda site: site.start), refused


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Taken) -> str:
    """One function, with no local name in it that comes from around it."""
    if options.body == "near":
        return _near(source, site, dice, taken)
    names = NewNames(dice, taken)
    own = {letter: names.pseudo("name") for letter in "abcd"}
    size = options.body if options.body != "mixed" else dice.pick(("short", "long"))
    indent = site.edits[0].text.partition(HOLE)[0].lstrip("\r\n") + source.indent
    body = dice.pick(_SHORT if size == "short" else _LONG).format_map(own)
    lines = [indent + line.replace(">", source.indent, line.startswith(">")) for line in body.split("\n")]
    name = names.pseudo("old_name" if site.scope else "_old_name")
    return source.newline.join([f"def {name}({own['a']}, {own['b']}):", *lines])


def _near(source: Source, site: Site, dice: Dice, taken: Taken) -> str:
    scope = source.scopes[site.scope]
    head, body = helpers.function(source, scope, dice, taken)
    indent = site.edits[0].text.partition(HOLE)[0].lstrip("\r\n") + source.indent
    lines = [indent + line.replace(">", source.indent, line.startswith(">")) for line in body]
    return source.newline.join([f"def {'' if site.scope else '_'}{head}:", *lines])


def _wanted(source: Source, points: list[InsertionPoint], options: Options) -> list[InsertionPoint]:
    """The first point of each function's body with three statements or more, or all points."""
    if options.before == "any":
        return points
    found: dict[int, InsertionPoint] = {}
    for point in points:
        k = source.parents[point.statement]
        block, owner = source.nodes[k], source.nodes[source.parents[k]]
        assert isinstance(block, cst.IndentedBlock)
        if isinstance(owner, cst.FunctionDef) and len(block.body) >= _STATEMENTS:
            found.setdefault(k, point)
    return list(found.values())


def _site(source: Source, point: InsertionPoint, blank: int) -> Site:
    """A site between so many blank lines; what starts a block needs none above."""
    offset = line_start(source, point.above)
    block = source.nodes[source.parents[point.statement]]
    assert isinstance(block, (cst.Module, cst.IndentedBlock))
    is_first = block.body[0] is source.nodes[point.statement]
    missing = 0 if is_first else blank - min(blank, _blank_lines_above(source, offset))
    head, tail = source.newline * missing + point.indent, source.newline * (blank + 1)
    return Site(offset, offset, (Edit(offset, offset, head + HOLE + tail),), scope=point.scope.index)


def _blank_lines_above(source: Source, offset: int) -> int:
    starts = source.line_starts
    last = number = bisect_right(starts, offset) - 1
    while number and not source.text[starts[number - 1] : starts[number]].strip():
        number -= 1
    return last - number


EXAMPLES: list[Example] = [
    (
        "def area(width, height):\n    size = width * height\n    size += 1\n    return round(size, 2)\n",
        {},
        "def area(width, height):\n"
        "    def make_size(height):\n"
        "        if not height:\n"
        "            return 2\n"
        "        return round(height, 2)\n"
        "\n"
        "    size = width * height\n"
        "    size += 1\n"
        "    return round(size, 2)\n",
    ),
    (
        "def f(a):\n    b = a\n    # why\n    return b\n",
        {"body": "short", "before": "any"},
        "def f(a):\n    def last_plan(change, place):\n        return change or place\n\n"
        "    b = a\n\n    def best_content(copy, size):\n        return copy, size\n\n    # why\n"
        "    return b\n",
    ),
    (
        "def f(a):\r\n\tif a:\r\n\t\treturn a\r\n",
        {"body": "long", "before": "any"},
        "def f(a):\r\n\tdef fresh_element(share, height):\r\n\t\tplan = share\r\n"
        "\t\twhile plan < height:\r\n\t\t\tplan += 1\r\n\t\treturn plan\r\n\r\n\tif a:\r\n"
        "\t\tdef masked_sum(buffer, window):\r\n\t\t\tshape = []\r\n"
        "\t\t\tfor result in buffer:\r\n\t\t\t\tshape.append(result + window)\r\n"
        "\t\t\treturn shape\r\n\r\n\t\treturn a\r\n",
    ),
    (
        '"""Doc."""\nfrom __future__ import annotations\n\nimport os\n# a\nX = 1\n\n@os.d\ndef f(a): pass\n',
        {"where": "module", "body": "short", "before": "any"},
        '"""Doc."""\nfrom __future__ import annotations\n\nimport os\n\n\n'
        "def _recent_head(code, packet):\n    return code, packet\n\n\n# a\nX = 1\n\n\n"
        "def _base_line(buffer, tag):\n    return [buffer, tag]\n\n\n@os.d\ndef f(a): pass\n",
    ),
    (
        "def f(a):\n    return a\n\n\nclass A:\n    x = 1\nif f: y = 2",
        {"where": "any", "body": "short", "before": "any"},
        "def _outer_context(date, scan):\n    return [date, scan]\n\n\ndef f(a):\n"
        "    def valid_path(batch, index):\n        return batch or index\n\n    return a\n\n\n"
        "def _fast_edge(label, queue):\n    return label, queue\n\n\nclass A:\n    x = 1\n\n\n"
        "def _whole_copy(share, stop):\n    return share, stop\n\n\nif f: y = 2",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = 1\n", {}, ""),
    ("class A:\n    x = 1\n", {}, ""),
    ("def f(a):\n    b = a\n    return b\n", {}, ""),
    ("def f():\n    return locals()\n", {}, "dynamic_names"),
    ("def f():\n    x = 1; return x\n    def g(): pass\n    return dir()\n", {}, "dynamic_names"),
    ("__all__ = [n for n in globals() if n != 'x']\n", {"where": "module", "before": "any"}, "namespace"),
    ("import sys\nx = sys.modules[__name__].__dict__\n", {"where": "module", "before": "any"}, "namespace"),
    ("def __getattr__(name): return 1\n", {"where": "module", "before": "any"}, "namespace"),
    ("def __dir__(): return ['x']\n", {"where": "module", "before": "any"}, "namespace"),
    ("x = vars\n", {"where": "module", "before": "any"}, "dynamic_alias"),
    ("def f(): exec('x = 1')\n", {"where": "module", "before": "any"}, "dynamic_names"),
    ("from os import *\nx = 1\n", {"where": "module", "before": "any"}, "star_import"),
    ("import os\n'what x is'\n", {"where": "module", "before": "any"}, "string"),
    ("f(stacklevel=2)\n", {"where": "module", "before": "any"}, "line_numbers"),
    ("x = 1\nimport os\n", {"where": "module", "before": "any"}, ""),
]
