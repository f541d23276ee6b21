"""Annotates local variables with the type of what they get: `size = len(a)` -> `size: int = len(a)`.

Literals, displays and comprehensions, tests, calls of builtins and of classes, methods of strings, and
arithmetic of all these. CPython never evaluates annotations of local variables; the compiled code stays the
same.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.expressions import is_parenthesised
from transformers_py.sites.insertion_points import refusal
from transformers_py.sites.value_types import type_of
from transformers_py.source import Source, kept
from transformers_py.source.edits import Edit, Refusals, Site

VERSION = 9
PRESERVES = "bytecode"
REASONS = {
    "global_or_nonlocal": "the name is declared global or nonlocal",
    "no_parentheses": "it would need parentheses of its own",
    "parentheses": "the target has parentheses",
    "type_comment": "a comment gives its type",
    "type_name_is_local": "the type's name has another meaning here",
    "type_unknown": "the value's type isn't certain",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`other`: what to do with values whose type isn't certain."""

    other: Literal["skip", "object"] = "skip"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """The first assignment to each local variable, if it has one target, a name without parentheses."""
    found: list[Site] = []
    refused = Refusals()
    annotated = _annotated(source)
    for i, node in enumerate(source.nodes):
        if not isinstance(node, cst.Assign) or len(node.targets) > 1:
            continue
        target = node.targets[0].target
        scope = source.scoping.of[i]
        if not isinstance(target, cst.Name) or scope.kind != "function":
            continue
        if (scope.index, target.value) in annotated:
            continue
        kind = type_of(source, node.value) or ("object" if options.other == "object" else "")
        reason = _refusal(source, i, target, node.value, kind)
        if reason:
            refused.note(reason, source.starts[i])
            continue
        annotated.add((scope.index, target.value))
        end = source.ends[source.index[id(target)]]
        found.append(Site(end, end, (Edit(end, end, f": {kind}"),), scope=scope.index))
    return found, refused


def _annotated(source: Source) -> set[tuple[int, str]]:
    """(scope, name) of the variables that have an annotation already."""
    return {
        (source.scoping.of[i].index, node.target.value)
        for i, node in enumerate(source.nodes)
        if isinstance(node, cst.AnnAssign) and isinstance(node.target, cst.Name)
    }


def _refusal(source: Source, i: int, target: cst.Name, value: cst.BaseExpression, kind: str) -> str | None:
    scope = source.scoping.of[i]
    if target.lpar:
        return "parentheses"
    if target.value not in scope.bindings:
        return "global_or_nonlocal"
    if not kind:
        return "type_unknown"
    if kind.partition(".")[0] in source.scoping.local_names:
        return "type_name_is_local"
    if isinstance(value, (cst.Tuple, cst.Yield)) and not is_parenthesised(value):
        return "no_parentheses"  # `a: tuple = 1, 2` is a syntax error before Python 3.8
    if _has_type_comment(source, source.ends[i]):
        return "type_comment"
    return refusal(source, scope, new_names=False)


def _has_type_comment(source: Source, offset: int) -> bool:
    """Whether a comment that gives a type stands behind an offset, on the same line."""
    comments = _type_comments(source)
    k = bisect_left(comments, (offset,))
    return k < len(comments) and comments[k][1] < offset


@kept
def _type_comments(source: Source) -> list[tuple[int, ...]]:
    """Where comments that give types start, and where the line before each ends."""
    places = (found.start() for found in re.finditer("# type:", source.text))
    return [(place, source.text.rfind("\n", 0, place)) for place in places]


EXAMPLES: list[Example] = [
    (
        "def f():\n    a = 1\n    b = 'x' 'y'\n    c = [a]\n    a = 2\n    d = f()\n",
        {},
        "def f():\n    a: int = 1\n    b: str = 'x' 'y'\n    c: list = [a]\n    a = 2\n    d = f()\n",
    ),
    ("def f(x):\n    a = x.y\n", {"other": "object"}, "def f(x):\n    a: object = x.y\n"),
    (
        "import os, collections\ndef f(x):\n    a = len(x) * 2\n    b = '%s' % x\n    c = x is None\n"
        "    d = ', '.join(x)\n    e = collections.deque()\n    g = os.path.join(x, '')\n",
        {},
        "import os, collections\ndef f(x):\n    a: int = len(x) * 2\n    b: str = '%s' % x\n"
        "    c: bool = x is None\n    d: str = ', '.join(x)\n    e: collections.deque = collections.deque()\n"
        "    g: str = os.path.join(x, '')\n",
    ),
    (
        "class A: pass\ndef f(x):\n    a = A()\n    b = not x\n    c = [] if b else list(x)\n",
        {},
        "class A: pass\ndef f(x):\n    a: A = A()\n    b: bool = not x\n    c: list = [] if b else list(x)\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("a = 1\n", {}, ""),
    ("class A:\n    a = 1\n", {}, ""),
    ("def f():\n    global a\n    a = 1\n", {}, "global_or_nonlocal"),
    ("def f(a):\n    def g():\n        nonlocal a\n        a = 2\n", {}, "global_or_nonlocal"),
    ("def f():\n    (a) = 1\n", {}, "parentheses"),
    ("def f(x):\n    a = b = 1\n    x.a = 1\n    a, b = 1, 2\n", {}, ""),
    ("def f(int):\n    a = 1\n", {}, "type_name_is_local"),
    ("def f(x):\n    a = x\n", {}, "type_unknown"),
    ("def f(x):\n    a = x == 1\n    b = -x\n    c = 'a' + x\n    d = [0] * x\n", {}, "type_unknown"),
    ("from a import len\ndef f(x):\n    a = len(x)\n    b = x.len()\n", {}, "type_unknown"),
    ("class A(B): pass\ndef f():\n    a = A()\n    b = [1][0]\n", {}, "type_unknown"),
    ("def f():\n    a = []  # type: List[int]\n", {}, "type_comment"),
    ("def f(x):\n    a = x, 1\n", {}, "no_parentheses"),
    ("def f():\n    a = yield\n", {"other": "object"}, "no_parentheses"),
]
