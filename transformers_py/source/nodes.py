"""One run of libcst's printer over its tree of a text, which notes where each node stands.

"x = a"  ->  a table of nodes: Module 0..5, SimpleStatementLine 0..5,
             Assign 0..5, AssignTarget 0..4, Name 0..1, ...
"""

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import accumulate
from types import CodeType
from typing import Any

import libcst as cst
import libcst._nodes.op as operators
import libcst._nodes.whitespace as whitespace
from libcst._nodes.internal import CodegenState

from transformers_py.source.cpython import Unparseable, compiled, line_starts, words

MAX_CHARACTERS = 4_000_000
MAX_LINE_CHARACTERS = 1_000_000
MAX_DEPTH = 400
"""Levels of nesting in the libcst tree; fixed, or what is too deep would depend on the caller's stack."""

_WHOLE_WORD = re.compile(r"\w+")
_CHAIN = re.compile(
    r"(?:(?:\bnot\b|\bawait\b|\blambda\b[^:\n]{0,40}:|[-+~])[\s\\]*){150,}|(?:\*\*\s*[\w.]+\s*){150,}"
)


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
    """libcst's own printer, which notes where in the list of printed tokens each node starts and ends."""

    nodes: list[cst.CSTNode]
    starts: list[int]
    ends: list[int]
    inner_starts: list[int]
    inner_ends: list[int]
    parents: list[int]
    lasts: list[int]
    deepest: int

    def begin(self) -> None:
        """Make the lists, and the functions that fill them: the printer calls these for every node."""
        self.nodes, self.parents, self.lasts = [], [], []
        self.starts, self.ends, self.inner_starts, self.inner_ends = [], [], [], []
        nodes, parents, lasts, starts, ends = self.nodes, self.parents, self.lasts, self.starts, self.ends
        inner_starts, inner_ends = self.inner_starts, self.inner_ends
        tokens = self.tokens
        top, depth = -1, 0
        self.deepest = deepest = 0

        def before(node: cst.CSTNode) -> None:
            nonlocal top, depth, deepest
            if node.__class__ in LAYOUT:
                return
            here = len(tokens)
            parents.append(top)
            top = len(nodes)
            nodes.append(node)
            starts.append(here)
            inner_starts.append(here)
            ends.append(-1)
            inner_ends.append(-1)
            lasts.append(0)
            depth += 1
            if depth > deepest:
                self.deepest = deepest = depth
                if depth > MAX_DEPTH:
                    raise Unparseable("too_deep", f"more than {MAX_DEPTH} levels of nesting")

        def after(node: cst.CSTNode) -> None:
            nonlocal top, depth
            if node.__class__ in LAYOUT:
                return
            ends[top] = len(tokens)
            lasts[top] = len(nodes)
            top = parents[top]
            depth -= 1

        def inside(*_: Any, **__: Any) -> Any:
            inner_starts[top] = len(tokens)
            return self

        def leave() -> None:
            inner_ends[top] = len(tokens)

        self.before_codegen = before  # type: ignore[method-assign]
        self.after_codegen = after  # type: ignore[method-assign]
        self.record_syntactic_position = inside  # type: ignore[method-assign]
        self.leave = leave

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self.leave()


class NodeTable:
    """A parsed text with its nodes in the order of the text, and where each of them stands.

    Node i is `nodes[i]`, its parent `parents[i]` (-1 for the module), its descendants i + 1 .. lasts[i] - 1,
    and its extent in characters `starts[i]`..`ends[i]` with its own parentheses (and, for statements, leading
    lines and semicolon), `inner_starts[i]`..`inner_ends[i]` without. `deepest` levels lie inside each other.
    """

    text: str
    code: CodeType
    tree: cst.Module
    nodes: list[cst.CSTNode]
    parents: list[int]
    lasts: list[int]
    starts: list[int]
    ends: list[int]
    inner_starts: list[int]
    inner_ends: list[int]
    deepest: int

    def __init__(self, text: str) -> None:
        """Parse and walk the text. Raises Unparseable; a BOM at the start is kept and stepped over."""
        base = 1 if text.startswith("\ufeff") else 0
        body = text[base:]
        _refuse_before_parsing(body)
        self.text = text
        self.code = compiled(body)
        try:
            self.tree = cst.parse_module(body)
            recorder = _Recorder(default_indent=self.indent, default_newline=self.newline)
            recorder.begin()
            with _deeper():
                self.tree._codegen(recorder)
        except cst.ParserSyntaxError as error:
            raise Unparseable("syntax_error", f"libcst: line {error.raw_line}: {error.message}") from None
        except (RecursionError, MemoryError) as error:
            raise Unparseable("too_deep", str(error) or type(error).__name__) from None
        opens, closes = _offsets(body, recorder.tokens, base)
        self.nodes = recorder.nodes
        self.deepest = recorder.deepest
        self.parents = recorder.parents
        self.lasts = recorder.lasts
        self.starts = [opens[k] for k in recorder.starts]
        self.ends = [closes[k] for k in recorder.ends]
        self.inner_starts = [opens[k] for k in recorder.inner_starts]
        inner_ends = (k if k >= 0 else end for k, end in zip(recorder.inner_ends, recorder.ends, strict=True))
        self.inner_ends = [closes[k] for k in inner_ends]

    @property
    def newline(self) -> str:
        """The text's usual newline."""
        return self.tree.default_newline

    @property
    def indent(self) -> str:
        """The text's usual unit of indentation."""
        return self.tree.default_indent

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of the text, also in strings and comments: what a fresh name must not be."""
        found = set(words(self.text))
        if not self.text.isascii():
            found |= {unicodedata.normalize("NFKC", word) for word in found}
        return frozenset(found)

    @cached_property
    def word_counts(self) -> Counter[str]:
        """How often each word that isn't a part of a longer one, or of a number, stands in the text."""
        return Counter(_WHOLE_WORD.findall(self.text))

    @cached_property
    def index(self) -> dict[int, int]:
        """id(node) -> its place in the table."""
        return {id(node): i for i, node in enumerate(self.nodes)}

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of each line, as CPython counts lines."""
        return line_starts(self.text)

    def text_of(self, node: cst.CSTNode) -> str:
        """The characters of a node, with its own parentheses."""
        i = self.index[id(node)]
        return self.text[self.starts[i] : self.ends[i]]


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
