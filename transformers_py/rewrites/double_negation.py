"""Negates conditions twice: `if a:` -> `if not not a:`.

Only where a value is merely tested (CPython compiles both to the same jumps), never where it is used:
`return not a` and `x = a and b` stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.expressions import is_loose, outside_strings
from transformers_py.source import Source
from transformers_py.source.edits import Edit, Refusals, Site

VERSION = 10
PRESERVES = "bytecode"


@dataclass(frozen=True, kw_only=True)
class Options:
    """`operands`: also the operands of `and` and `or` inside of conditions; `nested`: also inside of each
    other and beside a `not`, in towers of them."""

    operands: bool = True
    nested: bool = False


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Tests of if, elif, while, assert, conditional expressions, comprehensions and case guards."""
    found: list[Site] = []
    for i in outside_strings(source):
        test = _test(source.nodes[i])
        if test is None:
            continue
        for node in _tested(test) if options.operands else (test,):
            if _is_constant(node) or (not options.nested and _is_negated(source, node)):
                continue
            k = source.index[id(node)]
            start, end = source.starts[k], source.ends[k]
            before, after = ("not not (", ")") if is_loose(node) else ("not not ", "")
            if options.nested or source.text[start - 1 : start].isalnum():  # if(a)
                before, after = f"({before}", f"{after})"
            edits = (Edit(start, start, before), *([Edit(end, end, after)] if after else []))
            found.append(Site(start, end, edits, rank=-1, alone=not options.nested))
    found.sort(key=lambda site: (site.start, -site.end))
    return found, Refusals()


def _test(node: cst.CSTNode) -> cst.BaseExpression | None:
    if isinstance(node, (cst.If, cst.While, cst.IfExp, cst.Assert, cst.CompIf)):
        return node.test
    return node.guard if isinstance(node, cst.MatchCase) else None


def _is_negated(source: Source, node: cst.CSTNode) -> bool:
    """Whether a `not` stands before an expression, or starts it."""
    parent = source.nodes[source.parents[source.index[id(node)]]]
    return any(isinstance(n, cst.UnaryOperation) and isinstance(n.operator, cst.Not) for n in (node, parent))


def _is_constant(node: cst.CSTNode) -> bool:
    """Whether CPython may fold the expression: it would keep another constant for its double negation."""
    if isinstance(node, cst.Name):
        return node.value == "None"
    if isinstance(node, cst.BinaryOperation):
        return _is_constant(node.left) and _is_constant(node.right)
    if isinstance(node, cst.UnaryOperation):
        return not isinstance(node.operator, cst.Not) and _is_constant(node.expression)
    if isinstance(node, cst.Subscript):
        return _is_constant(node.value)
    return isinstance(node, (cst.BaseNumber, cst.BaseString, cst.Ellipsis, cst.Tuple))


def _tested(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """A condition, and the parts of it that are conditions themselves."""
    yield node
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        yield from _tested(node.expression)
    elif isinstance(node, cst.BooleanOperation):
        for operand in _operands(node):
            yield from _tested(operand)


def _operands(node: cst.BooleanOperation) -> Iterator[cst.BaseExpression]:
    """All operands of `a and b and c`, which libcst nests to the left."""
    left = node.left
    if (
        isinstance(left, cst.BooleanOperation)
        and type(left.operator) is type(node.operator)
        and not left.lpar
    ):
        yield from _operands(left)
    else:
        yield left
    yield node.right


EXAMPLES: list[Example] = [
    ("if a: b\nelif c: d\n", {}, "if not not a: b\nelif not not c: d\n"),
    (
        "while a and not b: c\n",
        {"nested": True},
        "while (not not ((not not a) and (not not not (not not b)))): c\n",
    ),
    ("x = b if(a) else c\nassert(a)\n", {}, "x = b if(not not (a)) else c\nassert(not not (a))\n"),
    ("while a and not b: c\n", {}, "while not not (a and not b): c\n"),
    ("while a and not b: c\n", {"operands": False}, "while not not (a and not b): c\n"),
    (
        "x = [a if b else c for d in e if (f)]\n",
        {},
        "x = [a if not not b else c for d in e if not not (f)]\n",
    ),
    ("if (a := b()): assert a == 1, a\n", {}, "if not not (a := b()): assert not not a == 1, a\n"),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("x = not a\n", {}, ""),
    ("x = a and b\n", {}, ""),
    ("if not a: b\n", {}, ""),
    ("while 1: a\n", {}, ""),
    ("if None: a\nelif (): b\nelif -1: c\nelif 1 + 1: d\nelif 'a'[0]: e\n", {}, ""),
    ("x = f'{a if b else c}'\n", {}, ""),
]
