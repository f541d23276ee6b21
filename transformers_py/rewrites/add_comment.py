"""Adds comments: `x.size = 1` -> `x.size = 1  # set the size`, or a line `# set the size` above."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites import phrases
from transformers_py.sites.insertion_points import (
    InsertionPoint,
    end_of_line,
    has_docstring,
    insertion,
    line_points,
)
from transformers_py.sites.name_parts import parts
from transformers_py.sites.new_names import ADJECTIVES, FORBIDDEN, NOUNS, Dice
from transformers_py.sites.taken import Taken, untold
from transformers_py.source import Source, kept
from transformers_py.source.edits import HOLE, Edit, Refusals, Site

VERSION = 11
PRESERVES = "ast"
REASONS = {
    "close": "another comment, or a place for one, is too close",
    "documents": "what has no docstring is documented by the comment above it",
    "has_comment": "a comment stands there already",
}
TOUCHES = "comments"

_VERBS = ("set", "check", "update", "use", "handle", "keep", "prepare", "read", "see", "adjust", "note")
_NAME = re.compile(r"[^\W\d]\w{2,}")
_APART = 4
"""So many lines are between two comments at most places where people write them."""
_WIDTH = 88
_LONGEST_COMMENT = 36


@dataclass(frozen=True, kw_only=True)
class Options:
    """`style`: a phrase that fits its statement, one that says something else (`misleading`), or a verb and
    words (`plain`); `position`: at the end of the line or on a line above; `words`: of the statement or of a
    word list; `places`: a few, as people choose them, or `all`: every line has one at each position.
    """

    style: Literal["natural", "misleading", "plain"] = "natural"
    position: Literal["both", "end", "above"] = "both"
    words: Literal["own", "generic"] = "own"
    places: Literal["few", "all"] = "few"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Statements that start a line, and ends of simple statements without a comment."""
    found: list[Site] = []
    points, refused = line_points(source)
    statements = _statements(source)
    commented = _commented(source)
    last = -_APART
    for point in points:
        own: list[Site] = []
        for reason in _add(source, point, options, own):
            refused.note(reason, point.offset)
        line = bisect_right(source.line_starts, point.offset) - 1
        if own and options.places == "few":
            beside = bisect_right(commented, line - 3) < bisect_right(commented, line + 2)
            if beside or line - last < _APART or _imports(source.nodes[point.statement]):
                refused.note("close", point.offset)
                continue
            last = line
        found += own
        statements |= {(site.start, site.rank): point.statement for site in own}
    return found, refused


def _add(source: Source, point: InsertionPoint, options: Options, found: list[Site]) -> Iterator[str]:
    """Add the sites of a statement; yields reasons for those that it can't have."""
    ends = _ends(source, point, options)
    if options.position == "above" or (options.position == "both" and not (ends and options.places == "few")):
        if _documents(source, point.statement):
            yield "documents"
        else:
            found.append(insertion(source, point))
    problem = _problem(source, point) if ends else ""
    if problem:
        yield problem
    elif problem is None:
        end = end_of_line(source, point.statement)
        found.append(Site(end, end, (Edit(end, end, HOLE),), rank=1, scope=point.scope.index))


def fill(source: Source, options: Options, site: Site, dice: Dice, taken: Taken) -> str:
    """A phrase about the statement, or a verb and the parts of one of the line's names."""
    start = "  # " if site.rank else "# "
    if options.style != "plain":
        node = source.nodes[_statements(source)[site.start, site.rank]]
        wrong, own_words = options.style == "misleading", options.words == "own"
        return start + phrases.comment(source, node, dice, taken, misleading=wrong, own=own_words)
    own = [name for name in _names(source, site) if not taken.tells(name)] if options.words == "own" else []

    def drawn() -> str:
        if own:
            words = " ".join(part.lower() for part in parts(dice.pick(own)) if part[0].isalpha())
        else:
            words = f"{dice.pick(ADJECTIVES)} {dice.pick(NOUNS)}"
        return start + f"{dice.pick(_VERBS)} the {words}"

    return untold(drawn, taken)


@kept
def _statements(source: Source) -> dict[tuple[int, int], int]:
    """(offset and rank of a site) -> its statement's index in the table."""
    return {}


def _imports(node: cst.CSTNode) -> bool:
    small = node.body if isinstance(node, cst.SimpleStatementLine) else ()
    return any(isinstance(part, (cst.Import, cst.ImportFrom)) for part in small)


@kept
def _commented(source: Source) -> list[int]:
    """The lines on which a hash stands, mostly of a comment, in order."""
    text = source.text
    starts = source.line_starts
    ends = [*starts[1:], len(text)]
    return [line for line, (a, b) in enumerate(zip(starts, ends, strict=True)) if "#" in text[a:b]]


def _ends(source: Source, point: InsertionPoint, options: Options) -> bool:
    """Whether a comment may come at the end of a statement's line: where few are wanted, behind short ones
    that follow another statement at once."""
    if options.position == "above":
        return False
    if options.places == "all" or options.position == "end":
        return True
    node = source.nodes[point.statement]
    if (
        not isinstance(node, cst.SimpleStatementLine)
        or node.leading_lines
        or _problem(source, point) is not None
    ):
        return False
    start = source.line_starts[bisect_right(source.line_starts, point.offset) - 1]
    end = end_of_line(source, point.statement)
    short = end - start <= _WIDTH - _LONGEST_COMMENT and "\n" not in source.text[start:end]
    parent = source.nodes[source.parents[point.statement]]
    return short and isinstance(parent, (cst.Module, cst.IndentedBlock)) and parent.body[0] is not node


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
    (
        "x.size = 1\n",
        {"style": "plain", "position": "end", "places": "all"},
        "x.size = 1  # update the size\n",
    ),
    (
        "'doc'\r\ndef read_file(a):\r\n\t'doc'\r\n\treturn a\r\n",
        {"style": "plain", "position": "above", "places": "all"},
        "'doc'\r\n"
        "# check the read file\r\n"
        "def read_file(a):\r\n"
        "\t'doc'\r\n"
        "\t# keep the exact message\r\n"
        "\treturn a\r\n",
    ),
    (
        "'doc'\nvalue = 1",
        {"style": "plain", "words": "generic", "places": "all"},
        "'doc'\n# set the single port\nvalue = 1  # note the public tick",
    ),
    (
        "'Rows.'\ndef read_rows(table):\n    'All of it.'\n    rows = []\n"
        "    for row in table:\n        rows.append(row)\n    return rows\n",
        {},
        "'Rows.'\n"
        "# read the rows first\n"
        "def read_rows(table):\n"
        "    'All of it.'\n"
        "    rows = []\n"
        "    for row in table:\n"
        "        # append the row first\n"
        "        rows.append(row)\n"
        "    return rows\n",
    ),
    (
        "def read_rows(table):\n    return table.rows\n",
        {"style": "misleading", "position": "end"},
        "def read_rows(table):\n    return table.rows  # never reached\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ('"doc"\n', {}, ""),
    ("x = 1  # one\n", {"position": "end", "places": "all"}, "has_comment"),
    ("'doc'\nx = 1  # one\n", {}, "close"),
    ("a = 1\n", {"position": "above"}, "documents"),
    ("'doc'\nclass A: pass\n", {"position": "above"}, "documents"),
    (
        "class A:\n    def f(log): log(1, stacklevel=2)\n    def g(log):\n        log(2, stacklevel=2)\n",
        {"position": "end"},
        "line_numbers",
    ),
]
