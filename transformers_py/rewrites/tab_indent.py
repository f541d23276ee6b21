r"""Indents with tabs: `def f():\n    return 1` -> `def f():\n\treturn 1`, all of a module's statement.

Strings keep their lines as they are. Lines amid brackets, behind a backslash or with a comment alone get one
tab for each full level of their blanks. Other rewrites that insert lines are refused where the tabs go.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from transformers_py.rewrites import CounterExample, Example
from transformers_py.source import Source, kept
from transformers_py.source.edits import Edit, Refusals, Site
from transformers_py.source.lexing import tokens

VERSION = 8
PRESERVES = "ast"
TOUCHES = "layout"
WHOLE = True
REASONS = {
    "has_tabs": "tabs or form feeds stand before one of its lines",
    "uneven": "a block isn't just one level to the right of the block around it",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Nothing can be set."""


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """The compound statements of the module, each with all that stands in it."""
    found: list[Site] = []
    refused = Refusals()
    k = 1
    while k < source.lasts[0]:
        start, end = source.inner_starts[k], source.ends[k]
        k = source.lasts[k]
        edits: list[Edit] = []
        reason = ""
        for edit, problem in _lines(source, start, end):
            edits.append(edit)
            reason = reason or problem
        if reason:
            refused.note(reason, start)
        elif edits:
            found.append(Site(start, end + 1, tuple(edits), rank=-1, exclusive=True))
    return found, refused


def _lines(source: Source, start: int, end: int) -> Iterator[tuple[Edit, str]]:
    """New blanks for the lines that start in start..end, and why they can't be had, or ""."""
    text, starts, unit = source.text, source.line_starts, len(source.indent)
    depths = _depths(source)
    for line in starts[bisect_right(starts, start) : bisect_left(starts, end)]:
        depth = depths.get(line, -1)
        after = line
        while text[after : after + 1] == " ":
            after += 1
        if depth == _IN_STRING or text[after : after + 1] in ("\r", "\n", ""):
            continue
        width = after - line
        if text[after] in "\t\f":
            yield Edit(line, after, ""), "has_tabs"
        elif depth >= 0 and width != depth * unit:
            yield Edit(line, after, ""), "uneven"
        elif width >= unit:
            yield Edit(line, after, "\t" * (width // unit) + " " * (width % unit)), ""


_IN_STRING = -2


@kept
def _depths(source: Source) -> dict[int, int]:
    """How many blocks are around the lines with which statements start; `_IN_STRING` for lines of strings."""
    found: dict[int, int] = {}
    starts = source.line_starts
    depth = 0
    begins = True
    for start, end, kind in tokens(source.text):
        if kind in ("indent", "dedent"):
            depth += 1 if kind == "indent" else -1
            continue
        first = bisect_right(starts, start)
        if begins:
            found[starts[first - 1]] = depth
        begins = kind == "newline"
        if kind == "other":
            found |= dict.fromkeys(starts[first : bisect_left(starts, end)], _IN_STRING)
    return found


EXAMPLES: list[Example] = [
    (
        'class A:\n    x = """1\n    2"""\n\n    def f(self, a):\n        # one\n'
        "        return (a +\n                  1)\n",
        {},
        'class A:\n\tx = """1\n    2"""\n\n\tdef f(self, a):\n\t\t# one\n\t\treturn (a +\n\t\t\t\t  1)\n',
    ),
    (
        "if a:\r\n  b = c + \\\r\n     d\r\nelse:\r\n  try: e()\r\n  except F:\r\n    pass\r\n",
        {},
        "if a:\r\n\tb = c + \\\r\n\t\t d\r\nelse:\r\n\ttry: e()\r\n\texcept F:\r\n\t\tpass\r\n",
    ),
    ("x = [\n    1,\n  2]\n", {}, "x = [\n\t1,\n  2]\n"),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = 1\ndef f(): return x\n", {}, ""),
    ('x = """\n    1\n"""\n', {}, ""),
    ("def f():\n\treturn 1\n", {}, "has_tabs"),
    ("def f():\n    if a:\n          return 1\n", {}, "uneven"),
    ("def f(a):\n    return (a +\n\t1)\n", {}, "has_tabs"),
]
