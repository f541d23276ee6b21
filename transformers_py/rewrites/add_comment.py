"""Adds comments: `x.size = 1` -> `x.size = 1  # set the size`, or a line `# set the size` above."""

import re
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.insertion_points import (
    InsertionPoint,
    end_of_line,
    has_docstring,
    insertion,
    line_points,
)
from transformers_py.sites.name_parts import parts
from transformers_py.sites.new_names import ADJECTIVES, FORBIDDEN, NOUNS, Dice
from transformers_py.source import Source
from transformers_py.source.edits import HOLE, Edit, Refusals, Site

VERSION = 9
PRESERVES = "ast"
REASONS = {
    "documents": "what has no docstring is documented by the comment above it",
    "has_comment": "a comment stands there already",
}

_VERBS = ("set", "check", "update", "use", "handle", "keep", "prepare", "read", "see", "adjust", "note")
_NAME = re.compile(r"[^\W\d]\w{2,}")


@dataclass(frozen=True, kw_only=True)
class Options:
    """`position`: at the end of the line or on a line above; `words`: of the statement or of a word list."""

    position: Literal["both", "end", "above"] = "both"
    words: Literal["own", "generic"] = "own"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Statements that start a line, and ends of simple statements without a comment."""
    found: list[Site] = []
    points, refused = line_points(source)
    for point in points:
        if options.position != "end":
            if _documents(source, point.statement):
                refused.note("documents", point.offset)
            else:
                found.append(insertion(source, point))
        if options.position != "above":
            problem = _problem(source, point)
            if problem:
                refused.note(problem, point.offset)
            elif problem is None:
                end = end_of_line(source, point.statement)
                found.append(Site(end, end, (Edit(end, end, HOLE),), rank=1, scope=point.scope.index))
    return found, refused


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Collection[str]) -> str:
    """A verb and the parts of one of the line's names."""
    own = _names(source, site) if options.words == "own" else []
    if own:
        words = " ".join(part.lower() for part in parts(dice.pick(own)) if part[0].isalpha())
    else:
        words = f"{dice.pick(ADJECTIVES)} {dice.pick(NOUNS)}"
    return ("  # " if site.rank else "# ") + f"{dice.pick(_VERBS)} the {words}"


def _documents(source: Source, k: int) -> bool:
    """Whether `pydoc` shows a comment above a statement: one that defines or starts what has no docstring."""
    node = source.nodes[k]
    if k == 1 and not has_docstring(source, 0):
        return True
    return isinstance(node, (cst.FunctionDef, cst.ClassDef)) and not has_docstring(
        source, source.index[id(node.body)]
    )


def _problem(source: Source, point: InsertionPoint) -> str | None:
    """Why no comment may stand at the end of a statement's line; "" for statements without such an end."""
    node = source.nodes[point.statement]
    if not isinstance(node, cst.SimpleStatementLine):
        return ""
    if node.trailing_whitespace.comment is not None:
        return "has_comment"
    end = end_of_line(source, point.statement)
    while source.text[end - 1] in " \t\f":
        end -= 1
    return "line_continuation" if source.text[end - 1] == "\\" else None


def _names(source: Source, site: Site) -> list[str]:
    """The ASCII names, three letters or longer, of the line at whose end or above which the site is."""
    line = bisect_right(source.line_starts, site.start - (site.rank > 0)) - 1
    first = source.line_starts[line]
    after = source.line_starts[line + 1] if line + 1 < len(source.line_starts) else len(source.text)
    words = _NAME.findall(source.text[first:after])
    return [word for word in words if word.isascii() and word not in FORBIDDEN]


EXAMPLES: list[Example] = [
    ("x.size = 1\n", {"position": "end"}, "x.size = 1  # update the size\n"),
    (
        "'doc'\r\ndef read_file(a):\r\n\t'doc'\r\n\treturn a\r\n",
        {"position": "above"},
        "'doc'\r\n"
        "# check the read file\r\n"
        "def read_file(a):\r\n"
        "\t'doc'\r\n"
        "\t# keep the exact message\r\n"
        "\treturn a\r\n",
    ),
    (
        "'doc'\nvalue = 1",
        {"words": "generic"},
        "'doc'\n# set the single port\nvalue = 1  # note the public tick",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ('"doc"\n', {}, ""),
    ("x = 1  # one\n", {"position": "end"}, "has_comment"),
    ("a = 1\n", {"position": "above"}, "documents"),
    ("'doc'\nclass A: pass\n", {"position": "above"}, "documents"),
    (
        "class A:\n    def f(log): log(1, stacklevel=2)\n    def g(log):\n        log(2, stacklevel=2)\n",
        {"position": "end"},
        "line_numbers",
    ),
]
