"""Sub-expressions that stand where parentheses are allowed and change nothing.

x = f(a.b)[i]      ->  f(a.b)[i] · f(a.b) · f · a.b · a · i, but neither x nor b
"""

from collections.abc import Iterator

import libcst as cst

from transformers_py.source import Source

_CLOSED = (
    cst.FormattedString,
    cst.ConcatenatedString,
    cst.Import,
    cst.ImportFrom,
    cst.Global,
    cst.Nonlocal,
    cst.Decorator,
    cst.MatchPattern,
    cst.TypeAlias,
    cst.TypeParameters,
    *((cst.TemplatedString,) if hasattr(cst, "TemplatedString") else ()),
)
"""Nothing inside of these is looked at (of strings, the whole is)."""


def loads(source: Source) -> Iterator[int]:
    """Table indices of all expressions that are read, not bound, and not inside of strings or patterns."""
    nodes, lasts, roles, parents = source.nodes, source.lasts, source.scoping.roles, source.parents
    i = 1
    while i < len(nodes):
        node = nodes[i]
        if isinstance(node, cst.BaseExpression) and id(node) not in roles:
            parent = nodes[parents[i]]
            if not _is_bound_to(parent, node):
                yield i
        i = lasts[i] if isinstance(node, _CLOSED) else i + 1


def _is_bound_to(parent: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Whether taking the expression by itself would change the tree: the left part of `a and b and c`."""
    if isinstance(node, cst.StarredElement):
        return True
    if isinstance(parent, cst.BooleanOperation) and isinstance(node, cst.BooleanOperation):
        same = type(parent.operator) is type(node.operator)
        return same and parent.left is node and not node.lpar
    return isinstance(node, cst.GeneratorExp) and isinstance(parent, cst.Arg) and not node.lpar


def is_parenthesised(node: cst.CSTNode) -> bool:
    """Whether an expression has parentheses of its own (those of tuples and generators count)."""
    return bool(getattr(node, "lpar", ()))
