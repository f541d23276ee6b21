"""One analysis of a source text: parsed once by libcst, walked once for spans, then asked by every rewrite.

Source.analyse("x = f(a)\n").text_of(node)  ->  the exact characters of any node of the tree
"""

import ast
import gc
import re
import symtable
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import accumulate
from types import CodeType
from typing import TYPE_CHECKING, Any

import libcst as cst
import libcst._nodes.op as operators
import libcst._nodes.whitespace as whitespace
from libcst._nodes.internal import CodegenState

if TYPE_CHECKING:
    from transformers_py.engine import Plan
    from transformers_py.proof.compilation_units import Unit
    from transformers_py.proof.whole_lines import Gap
    from transformers_py.source.edits import Refusals, Site
    from transformers_py.source.scopes import Binding, Scope, Scopes

MAX_CHARACTERS = 4_000_000
MAX_LINE_CHARACTERS = 1_000_000
MAX_DEPTH = 400
"""Levels of nesting in the libcst tree; fixed, so that what is too deep doesn't depend on the caller's
stack."""

_WORDS = re.compile(r"[^\W\d]\w*")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_CHAIN = re.compile(
    r"(?:(?:\bnot\b|\bawait\b|\blambda\b[^:\n]{0,40}:|[-+~])[\s\\]*){150,}|(?:\*\*\s*[\w.]+\s*){150,}"
)


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


def _layout_classes() -> frozenset[type]:
    found = {
        value
        for module in (whitespace, operators)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, cst.CSTNode)
    }
    brackets = (cst.LeftParen, cst.RightParen, cst.LeftSquareBracket, cst.RightSquareBracket)
    return frozenset({*found, *brackets, cst.LeftCurlyBrace, cst.RightCurlyBrace})


LAYOUT = _layout_classes()
"""Whitespace, operators and brackets: nodes of the tree that the table of nodes leaves out."""


class _Recorder(CodegenState):
    """libcst's own printer, which notes for each node where in the list of printed tokens it starts and
    ends."""

    nodes: list[cst.CSTNode]
    starts: list[int]
    ends: list[int]
    inner_starts: list[int]
    inner_ends: list[int]
    parents: list[int]
    lasts: list[int]
    top: int
    depth: int

    def begin(self) -> None:
        self.nodes, self.parents, self.lasts = [], [], []
        self.starts, self.ends, self.inner_starts, self.inner_ends = [], [], [], []
        self.top, self.depth = -1, 0

    def record_syntactic_position(self, *_: Any, **__: Any) -> Any:
        self.inner_starts[self.top] = len(self.tokens)
        return self

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self.inner_ends[self.top] = len(self.tokens)

    def before_codegen(self, node: cst.CSTNode) -> None:
        if node.__class__ in LAYOUT:
            return
        here = len(self.tokens)
        self.parents.append(self.top)
        self.top = len(self.nodes)
        self.nodes.append(node)
        self.starts.append(here)
        self.inner_starts.append(here)
        self.ends.append(-1)
        self.inner_ends.append(-1)
        self.lasts.append(0)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unparseable("too_deep", f"more than {MAX_DEPTH} levels of nesting")

    def after_codegen(self, node: cst.CSTNode) -> None:
        if node.__class__ in LAYOUT:
            return
        top = self.top
        self.ends[top] = len(self.tokens)
        self.lasts[top] = len(self.nodes)
        self.top = self.parents[top]
        self.depth -= 1


class Source:
    """A parsed text with a table of its nodes in the order of the text, and its scopes.

    Node i of the table: `nodes[i]`, its parent `parents[i]` (-1 for the module), its descendants i + 1 ..
    lasts[i] - 1, and its extent in characters: `starts[i]`..`ends[i]` with its own parentheses (and, for
    statements, leading lines and semicolon), `inner_starts[i]`..`inner_ends[i]` without. All that is
    expensive and not always needed is computed when first asked for, and kept.
    """

    text: str
    tree: cst.Module
    code: CodeType
    nodes: list[cst.CSTNode]
    parents: list[int]
    lasts: list[int]
    starts: list[int]
    ends: list[int]
    inner_starts: list[int]
    inner_ends: list[int]

    def __init__(
        self,
        text: str,
        tree: cst.Module,
        code: CodeType,
        recorder: _Recorder,
        offsets: tuple[list[int], list[int]],
    ) -> None:
        self.text = text
        self.tree = tree
        self.code = code
        self.nodes = recorder.nodes
        self.parents = recorder.parents
        self.lasts = recorder.lasts
        opens, closes = offsets
        self.starts = [opens[k] for k in recorder.starts]
        self.ends = [closes[k] for k in recorder.ends]
        self.inner_starts = [opens[k] for k in recorder.inner_starts]
        inner_ends = (k if k >= 0 else end for k, end in zip(recorder.inner_ends, recorder.ends, strict=True))
        self.inner_ends = [closes[k] for k in inner_ends]
        self.plans: dict[str, Plan] = {}
        self.sites: dict[str, tuple[list[Site], Refusals]] = {}
        self.left_alone: list[tuple[Binding, str]] = []
        """What renamings refused since this list was last cleared, and why."""
        self.usable: dict[int, list[str]] = {}
        """Names that inserted statements may read, by scope."""
        self.count_subwords: Callable[[str], int] | None = None
        """How many subwords a name has, for the name style `keep_tokens`; None: equal parts of equal
        length."""

    @classmethod
    def analyse(cls, text: str) -> "Source":
        """Parse and walk the text. Raises Unparseable; a BOM at the start is kept and stepped over."""
        with undisturbed():
            return cls._analyse(text)

    @classmethod
    def _analyse(cls, text: str) -> "Source":
        base = 1 if text.startswith("\ufeff") else 0
        body = text[base:]
        _refuse_before_parsing(body)
        code = compiled(body)
        try:
            tree = cst.parse_module(body)
            recorder = _Recorder(default_indent=tree.default_indent, default_newline=tree.default_newline)
            recorder.begin()
            with _deeper():
                tree._codegen(recorder)
        except cst.ParserSyntaxError as error:
            raise Unparseable("syntax_error", f"libcst: line {error.raw_line}: {error.message}") from None
        except (RecursionError, MemoryError) as error:
            raise Unparseable("too_deep", str(error) or type(error).__name__) from None
        offsets = _offsets(body, recorder.tokens, base)
        source = cls(text, tree, code, recorder, offsets)
        assert source.scopes is not None
        return source

    @property
    def newline(self) -> str:
        """The text's usual newline."""
        return self.tree.default_newline

    @property
    def indent(self) -> str:
        """The text's usual unit of indentation."""
        return self.tree.default_indent

    @cached_property
    def scoping(self) -> "Scopes":
        """Scopes, bindings and hazards."""
        from transformers_py.source.scopes import find_scopes

        return find_scopes(self)

    @property
    def scopes(self) -> "list[Scope]":
        """All scopes, the module's first, in the order of the text."""
        return self.scoping.scopes

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of the text, also in strings and comments: what a fresh name must not be."""
        found = set(_WORDS.findall(self.text))
        if not self.text.isascii():
            found |= {unicodedata.normalize("NFKC", word) for word in found}
        return frozenset(found)

    @cached_property
    def index(self) -> dict[int, int]:
        """id(node) -> its place in the table."""
        return {id(node): i for i, node in enumerate(self.nodes)}

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of each line, as CPython counts lines."""
        return line_starts(self.text)

    @cached_property
    def ast(self) -> ast.Module:
        """CPython's own tree of the text."""
        return parse_quietly(self.text.removeprefix("\ufeff"))

    @cached_property
    def symbols(self) -> symtable.SymbolTable:
        """CPython's own scopes of the text: the truth that ours are held against."""
        return symtable.symtable(self.text.removeprefix("\ufeff"), "<sample>", "exec")

    @cached_property
    def units(self) -> "list[Unit]":
        """The parts of the text that are proved one by one."""
        from transformers_py.proof.compilation_units import divide

        return divide(self)

    @cached_property
    def line_places(self) -> "dict[int, Gap]":
        """Where whole lines can be inserted, says CPython: offset -> the indentation around it."""
        from transformers_py.proof.whole_lines import line_places

        return line_places(self)

    def text_of(self, node: cst.CSTNode) -> str:
        """The characters of a node, with its own parentheses."""
        i = self.index[id(node)]
        return self.text[self.starts[i] : self.ends[i]]


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


def _offsets(text: str, printed: list[str], base: int) -> tuple[list[int], list[int]]:
    """Where in the text each printed token starts, and where the one before it ends.

    libcst's printer loses a little white space: form feeds before a statement, a blank before the colon of an
    `except`, a carriage return at the end. Raises Unparseable if anything else differs.
    """
    if "".join(printed) == text:
        opens = list(accumulate(map(len, printed), initial=base))
        opens.append(opens[-1])  # the printer takes back the newline that the text doesn't have
        return opens, opens
    opens, closes, position = [], [0], 0
    for token in printed:
        start = position
        while not text.startswith(token, position):
            if text[position : position + 1] not in (" ", "\t", "\f", "\\"):
                raise Unparseable(
                    "not_lossless", f"libcst prints this text differently from offset {start} on"
                )
            position += 1
        opens.append(base + position)
        position += len(token)
        closes.append(base + position)
    if text[position:].strip(" \t\f\r\n"):
        raise Unparseable("not_lossless", "libcst doesn't print the end of this text")
    opens += [base + position] * 2
    closes.append(base + position)
    return opens, closes


@contextmanager
def _deeper() -> Iterator[None]:
    """Room for MAX_DEPTH levels of the printer, however deep in the stack the caller is.

    The printer is Python calling Python, which takes no room on the C stack from 3.11 on.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + 10 * MAX_DEPTH)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _refuse_before_parsing(text: str) -> None:
    """Raises Unparseable for what could bring a parser down rather than make it complain."""
    if "\0" in text:
        raise Unparseable("null_byte", f"a NUL character at offset {text.index(chr(0))}")
    if len(text) > MAX_CHARACTERS:
        raise Unparseable("too_large", f"{len(text):,} characters, the limit is {MAX_CHARACTERS:,}")
    if len(text) > MAX_LINE_CHARACTERS:
        longest = max(map(len, text.splitlines()))
        if longest > MAX_LINE_CHARACTERS:
            raise Unparseable(
                "long_line", f"{longest:,} characters in a line, the limit is {MAX_LINE_CHARACTERS:,}"
            )
    if _CHAIN.search(text):
        raise Unparseable("too_deep", "a chain of 150 or more prefix operators")
