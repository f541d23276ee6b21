"""Whether text around an expression leaves its value alone: `(`1` + 0)`, `(lambda value: value)(`a`)`.

The operand's type must be certain from its syntax, and it must not fall apart inside of the wrapper.
"""

import ast
from functools import lru_cache
from typing import NamedTuple

_FOLDED_BITS = 100
"""CPython computes no products of longer whole numbers ahead (its limit is 128)."""
_NUMBERS = (int, float, complex)
_UNSAFE_ARGUMENTS = (ast.Tuple, ast.GeneratorExp, ast.Yield, ast.YieldFrom, ast.Starred)
_UNSAFE_CHOICES = (*_UNSAFE_ARGUMENTS, ast.IfExp, ast.Lambda, ast.NamedExpr)


class _Operand(NamedTuple):
    """An expression's node, and whether it has parentheses of its own."""

    node: ast.expr
    closed: bool


def problem(before: str, inside: str, after: str) -> str | None:
    """None when `before` + `inside` + `after` has the value of `inside`, whatever that does."""
    form = _form(before, after)
    if form is None:
        return f"{before}...{after} isn't known to be neutral"
    operand = _operand(inside)
    if operand is None:
        return f"{inside!r} isn't an expression"
    if isinstance(form, ast.BinOp):
        fits = _is_neutral(form, operand.node)
        return None if fits else f"{before}...{after} isn't neutral for {type(operand.node).__name__}"
    if _is_tested_in_parts(operand.node):
        return "a value that is tested in parts would be tested once more"
    if isinstance(form, ast.Call) and not form.args:
        constant = isinstance(operand.node, ast.Constant)
        return None if constant else "only a constant may move into a function"
    unsafe = _UNSAFE_ARGUMENTS if isinstance(form, ast.Call) else _UNSAFE_CHOICES
    falls_apart = isinstance(operand.node, unsafe) and not operand.closed
    return "the operand needs parentheses" if falls_apart and not _is_isolating(before, after) else None


def is_folded(before: str, after: str) -> bool:
    """Whether CPython computes the wrapper ahead around a literal: sums, but neither calls nor choices."""
    return isinstance(_form(before, after), ast.BinOp)


@lru_cache(maxsize=1024)
def _form(before: str, after: str) -> ast.BinOp | ast.IfExp | ast.Call | None:
    """What the wrapper makes of x: `x + neutral`, a choice, `(lambda a: a)(x)`, `(lambda: x)()`; or None."""
    node = _parse(f"{before}x{after}")
    if not (before.startswith("(") and after.endswith(")")) or node is None:
        return None
    if isinstance(node, (ast.BinOp, ast.IfExp)) and node.col_offset == 0:
        return None  # its brackets aren't around all of it, so what stands beside it could tear it apart
    if isinstance(node, ast.BinOp):
        return node if _is_x(node.left) and not before.strip("(") else None
    if isinstance(node, ast.IfExp):
        return node if _chooses_x(node) else None
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Lambda)) or node.keywords:
        return None
    parameters = ast.unparse(node.func.args)
    body = node.func.body
    if not parameters and not node.args:
        return node if _is_x(body) else None
    same = isinstance(body, ast.Name) and body.id == parameters != "x"
    return node if same and len(node.args) == 1 and _is_x(node.args[0]) else None


def _chooses_x(node: ast.IfExp) -> bool:
    """`x if True else constant` or `constant if False else x`."""
    if not isinstance(node.test, ast.Constant):
        return False
    chosen, other = (node.body, node.orelse) if node.test.value else (node.orelse, node.body)
    return _is_x(chosen) and isinstance(other, ast.Constant)


@lru_cache(maxsize=1024)
def _is_isolating(before: str, after: str) -> bool:
    """Whether the wrapper holds together what needs parentheses most."""
    node = _parse(f"{before}yield x, x{after}")
    if isinstance(node, ast.IfExp):
        return isinstance(node.body, ast.Yield) or isinstance(node.orelse, ast.Yield)
    return isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.Yield)


@lru_cache(maxsize=16_384)
def _operand(inside: str) -> _Operand | None:
    """The expression in parentheses. Its own parentheses show in where CPython says that it starts."""
    node = _parse(f"({inside}\n)")
    if node is None:
        return None
    start = (node.lineno, node.col_offset)
    with_parentheses = isinstance(node, (ast.Tuple, ast.GeneratorExp))
    return _Operand(node, start > (1, 1) or (with_parentheses and start == (1, 1)))


def _is_tested_in_parts(node: ast.expr) -> bool:
    """Whether a test of the expression is a test of its parts: as a value first, one part is tested twice."""
    if isinstance(node, ast.IfExp):
        return _is_tested_in_parts(node.body) or _is_tested_in_parts(node.orelse)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) and _is_tested_in_parts(node.operand)
    return isinstance(node, ast.BoolOp) or (isinstance(node, ast.Compare) and len(node.ops) > 1)


def _is_neutral(form: ast.BinOp, node: ast.expr) -> bool:
    """Whether the right operand is the neutral element of a literal's type; tuples need parentheses."""
    op, right = form.op, form.right
    if isinstance(node, (ast.List, ast.ListComp)):
        return isinstance(op, ast.Add) and isinstance(right, ast.List) and not right.elts
    if isinstance(node, ast.Tuple):
        closed = node.col_offset > 0 or node.lineno > 1
        return closed and isinstance(op, ast.Add) and isinstance(right, ast.Tuple) and not right.elts
    if not isinstance(right, ast.Constant):
        return False
    if isinstance(node, ast.JoinedStr):
        return isinstance(op, ast.Add) and right.value == ""
    if not isinstance(node, ast.Constant):
        return False
    if isinstance(node.value, (str, bytes)):
        empty = type(right.value) is type(node.value) and not right.value
        return isinstance(op, ast.Add) and empty
    return _is_neutral_number(op, node.value, right.value)


def _is_neutral_number(op: ast.operator, left: object, right: object) -> bool:
    """Literals have no sign, so x + 0 is x; 1e999j * 1 is not 1e999j, so complex numbers get sums only."""
    if type(left) not in _NUMBERS or type(right) not in (type(left), int):
        return False
    if isinstance(op, (ast.Add, ast.Sub)):
        return right == 0
    if isinstance(op, (ast.BitOr, ast.BitXor)):
        return type(left) is int and right == 0
    if isinstance(op, (ast.FloorDiv, ast.Pow)):
        return type(left) is int and right == 1
    if type(left) is int and left.bit_length() > _FOLDED_BITS:
        return False
    return isinstance(op, ast.Mult) and type(left) is not complex and right == 1


def _is_x(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "x"


def _parse(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
