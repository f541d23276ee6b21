r"""Repeats documentation as comments: `def f(): "What it does."` -> `# What it does.` above it.

The string stays: a program can read it (`help()`, doctest, `__doc__`), and a token of the original is never
lost.
"""

from dataclasses import dataclass
from typing import Literal

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.insertion_points import InsertionPoint, insertion, line_points
from transformers_py.source import Source
from transformers_py.source.edits import Edit, Refusals, Site

VERSION = 8
PRESERVES = "ast"
TOUCHES = "comments"
REASONS = {
    "directive": "a line of it would be a directive as a comment",
    "has_comment": "a comment stands there already",
    "unprintable": "it has characters that can't stand in a comment",
}

_DIRECTIVES = (
    "type:",
    "noqa",
    "fmt:",
    "pylint:",
    "pragma",
    "mypy:",
    "pyright:",
    "-*-",
    "!",
    "nosec",
    "ruff:",
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """`lines`: all of it, or its first paragraph."""

    lines: Literal["all", "summary"] = "all"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Above functions and classes that have a docstring and no comment above them."""
    found: list[Site] = []
    points, refused = line_points(source)
    for point in points:
        lines = _lines(source.nodes[point.statement], options)
        if not lines:
            continue
        reason = _refusal(source, point, lines)
        if reason:
            refused.note(reason, point.offset)
            continue
        comment = (source.newline + point.indent).join(f"# {line}".rstrip() for line in lines)
        site = insertion(source, point)
        edit = site.edits[0]
        found.append(
            Site(
                site.start, site.end, (Edit(edit.start, edit.end, comment + edit.text[1:]),), scope=site.scope
            )
        )
    return found, refused


def _lines(node: cst.CSTNode, options: Options) -> list[str]:
    """The lines of a definition's documentation, without their indentation; none where it has none."""
    text = node.get_docstring() if isinstance(node, (cst.FunctionDef, cst.ClassDef)) else None
    lines = text.strip().split("\n") if text else []
    if options.lines == "summary" and "" in map(str.strip, lines):
        lines = lines[: [line.strip() for line in lines].index("")]
    return [line.rstrip() for line in lines]


def _refusal(source: Source, point: InsertionPoint, lines: list[str]) -> str | None:
    if not all(line.isprintable() for line in lines):
        return "unprintable"
    if any(line.lstrip("# ").lower().startswith(_DIRECTIVES) for line in lines):
        return "directive"
    before = source.text[: point.offset - len(point.indent)].rstrip().rpartition("\n")[2]
    return "has_comment" if before.lstrip().startswith("#") else None


EXAMPLES: list[Example] = [
    (
        'class A:\n    "A thing."\n    def f(self):\n        """Do it.\n\n        Twice.\n        """\n',
        {},
        "# A thing.\n"
        "class A:\n"
        '    "A thing."\n'
        "    # Do it.\n"
        "    #\n"
        "    # Twice.\n"
        "    def f(self):\n"
        '        """Do it.\n'
        "\n"
        "        Twice.\n"
        '        """\n',
    ),
    (
        '@a\ndef f():\r\n    """Do it.\r\n    Now.\r\n\r\n    Twice."""\r\n',
        {"lines": "summary"},
        '# Do it.\n# Now.\n@a\ndef f():\r\n    """Do it.\r\n    Now.\r\n\r\n    Twice."""\r\n',
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ('"""A module."""\n', {}, ""),
    ("def f(): pass\n", {}, ""),
    ('def f():\n    b"Bytes."\ndef g(a):\n    f"{a}"\n', {}, ""),
    ('# What it does.\ndef f():\n    "What it does."\n', {}, "has_comment"),
    ('def f():\n    "type: ignore"\n', {}, "directive"),
    ('def f():\n    "One\\x0ctwo."\n', {}, "unprintable"),
    ('def f():\n    "Doc."\n    return sys._getframe().f_lineno\nf.__code__\n', {}, "line_numbers"),
]
