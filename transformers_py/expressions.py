"""Sub-expressions that stand where parentheses are allowed and change nothing.

x = f(a.b)[i]      ->  f(a.b)[i] · f(a.b) · f · a.b · a · i, but neither x nor b
"""

from collections.abc import Iterator

import libcst as cst

from transformers_py.source import Source

_INTERPOLATED = (
    cst.FormattedString,
    *((cst.TemplatedString,) if hasattr(cst, "TemplatedString") else ()),
)
_CLOSED = (
    *_INTERPOLATED,
    cst.ConcatenatedString,
    cst.Import,
    cst.ImportFrom,
    cst.Global,
    cst.Nonlocal,
    cst.Decorator,
    cst.MatchPattern,
    cst.TypeAlias,
    cst.TypeParameters,
)
"""Nothing inside of these is looked at (of strings, the whole is)."""
_LOOSE = (cst.BooleanOperation, cst.IfExp, cst.Lambda, cst.NamedExpr, cst.Yield, cst.Tuple, cst.GeneratorExp)
_TYPES: dict[type[cst.CSTNode], str] = {
    cst.Integer: "int",
    cst.Float: "float",
    cst.Imaginary: "complex",
    cst.FormattedString: "str",
    cst.List: "list",
    cst.ListComp: "list",
    cst.Tuple: "tuple",
    cst.Dict: "dict",
    cst.DictComp: "dict",
    cst.Set: "set",
    cst.SetComp: "set",
}


def loads(source: Source) -> Iterator[int]:
    """Table indices of all expressions that are read, not bound, and not inside of strings or patterns."""
    nodes, lasts, roles, parents = source.nodes, source.lasts, source.scoping.roles, source.parents
    starts = source.starts
    i = 1
    edge = -1
    while i < len(nodes):
        node = nodes[i]
        if isinstance(node, cst.AnnAssign):
            edge = starts[i + 1]  # CPython refuses `(a).b: int`
        if isinstance(node, cst.BaseExpression) and id(node) not in roles and starts[i] != edge:
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


def is_loose(node: cst.CSTNode) -> bool:
    """Whether an expression without parentheses falls apart when an operator stands beside it."""
    return isinstance(node, _LOOSE) and not is_parenthesised(node)


def outside_strings(source: Source) -> Iterator[int]:
    """Table indices of all nodes but those inside of f-strings."""
    nodes, lasts = source.nodes, source.lasts
    i = 0
    while i < len(nodes):
        yield i
        i = lasts[i] if isinstance(nodes[i], _INTERPOLATED) else i + 1


def literal_type(node: cst.BaseExpression) -> str:
    """The name of the type that an expression is sure to have: literals, displays, f-strings; else ""."""
    if isinstance(node, cst.SimpleString):
        return "bytes" if "b" in node.prefix.lower() else "str"
    if isinstance(node, cst.ConcatenatedString):
        return literal_type(node.left)
    return _TYPES.get(type(node), "")


def item_end(source: Source, node: cst.CSTNode) -> int:
    """Where the last part of an argument, element or parameter ends; the node may end after a comment."""
    item = source.index[id(node)]
    end, k = source.ends[item], item + 1
    while k < source.lasts[item]:
        end = source.ends[k]
        k = source.lasts[k]
    return end
