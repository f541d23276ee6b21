r"""What CPython says of a text: its words and lines, its tree, its code, or why there is none.

compiled("x = f(a)\n")  ->  a code object          compiled("x = = f")  ->  Unparseable("syntax_error", ...)
"""

import ast
import gc
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from types import CodeType

WORD = re.compile(r"[^\W\d]\w*")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_PLACED = (
    ast.stmt,
    ast.expr,
    ast.excepthandler,
    ast.arg,
    ast.keyword,
    ast.alias,
    ast.pattern,
    getattr(ast, "type_param", ast.arg),
)


_OWNERS = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


class Unparseable(ValueError):  # noqa: N818 - it says what the text is
    """A text that can't be rewritten: `reason` is a short slug, `detail` says where and why."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def compiled(text: str, flags: int = 0) -> CodeType:
    """The compiled text; `flags` are those of `__future__`. Raises Unparseable."""
    try:
        code: CodeType = compile(text, "<sample>", "exec", flags, dont_inherit=True, optimize=0)
        return code
    except SyntaxError as error:
        raise Unparseable("syntax_error", f"line {error.lineno}: {error.msg}") from None
    except (RecursionError, MemoryError) as error:
        raise Unparseable("too_deep", str(error) or type(error).__name__) from None
    except UnicodeEncodeError as error:
        raise Unparseable("not_unicode", str(error)) from None
    except (ValueError, OverflowError) as error:
        raise Unparseable("syntax_error", str(error)) from None


def compile_flat(text: str, flags: int = 0) -> CodeType:
    """The compiled text as if all of it stood at one position, which leaves out what is there for tracing.

    What has code of its own gets a line of its own: CPython keeps equal code of one line once, under the
    first one's qualified name. Raises what `ast.parse` and `compile` raise.
    """
    tree = parse_quietly(text)
    owners: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, _PLACED):
            node.lineno = node.end_lineno = 1
            node.col_offset = node.end_col_offset = 0
        if isinstance(node, _OWNERS):
            owners.append(node)
    for line, owner in enumerate(owners, 2):
        for node in (owner, *getattr(owner, "decorator_list", ())[:1]):
            node.lineno = node.end_lineno = line
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code: CodeType = compile(tree, "<sample>", "exec", flags, dont_inherit=True, optimize=0)
        return code


@contextmanager
def undisturbed() -> Iterator[None]:
    """No warnings by the compiler, and no garbage collection, which would look at each of many new objects
    several times and find no cycles."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if collecting:
            gc.enable()


def parse_quietly(text: str) -> ast.Module:
    """CPython's tree of the text, without warnings. Raises what `ast.parse` raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def words(text: str) -> list[str]:
    """All words (names, keywords, also inside of strings) of a text."""
    return WORD.findall(text)


def line_starts(text: str) -> list[int]:
    r"""Offsets of all lines' first characters; lines end at \n, \r\n and \r alone."""
    return [0, *accumulate(map(len, _LINE.findall(text)))]


def first_line(node: ast.stmt) -> int:
    """The line, counted from 1, of a statement's first decorator, or of itself."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(node.lineno, decorators[0].lineno) if decorators else node.lineno


def is_continued(text: str, line: int) -> bool:
    """Whether a backslash ends the line before the one that starts at offset `line`."""
    return text[max(line - 3, 0) : line].rstrip("\r\n").endswith("\\")


def is_docstring(node: ast.AST) -> bool:
    """Whether a body's first statement is its documentation."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
