"""Which stretches of a text CPython folds into constants: each is one object, however often it is evaluated.

def f(): return (1, (2, 3))     f() is f(), but not with a call or a choice in the place of 2
"""

import ast
from bisect import bisect_right

from transformers_py.proof.skeleton import Offsets
from transformers_py.source import Source, kept

_MADE = (ast.Tuple, ast.BinOp, ast.UnaryOp, ast.Subscript)


def is_part_of_constant(source: Source, start: int, end: int) -> bool:
    """Whether start..end is a part, and not all, of an expression that is made of constants alone."""
    starts, ends = _constants(source)
    k = bisect_right(starts, start) - 1
    return k >= 0 and end <= ends[k] and (start, end) != (starts[k], ends[k])


@kept
def _constants(source: Source) -> tuple[list[int], list[int]]:
    """Starts and ends of the largest such expressions, in order."""
    base = int(source.text.startswith("\ufeff"))
    offsets = Offsets(source.text.removeprefix("\ufeff"))
    found: list[tuple[int, int]] = []
    waiting: list[ast.AST] = [source.ast]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, _MADE) or not _is_constant(node):
            waiting += ast.iter_child_nodes(node)
            continue
        start = offsets.of(node.lineno, node.col_offset)
        found.append((base + start, base + offsets.of(node.end_lineno or 0, node.end_col_offset or 0)))
    found.sort()
    return [start for start, _ in found], [end for _, end in found]


def _is_constant(node: ast.expr) -> bool:
    """Whether an expression is made of constants alone; its left operands may be many."""
    while isinstance(node, ast.BinOp):
        if not _is_constant(node.right):
            return False
        node = node.left
    if isinstance(node, ast.Tuple):
        return all(map(_is_constant, node.elts))
    if isinstance(node, ast.UnaryOp):
        return _is_constant(node.operand)
    if isinstance(node, ast.Subscript):
        return _is_constant(node.value) and _is_constant(node.slice)
    return isinstance(node, ast.Constant)
