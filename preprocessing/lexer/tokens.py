"""Lexical tokens of Python with their places in the text, the same on every supported version of Python.

    if x:  # why            keyword name operator newline
        f(f"{x!r}")         indent name operator string operator newline dedent

The standard library's `tokenize` cuts f-strings into pieces from 3.12 on, and is slow before. So this is a
lexer of our own: one regular expression, and a scanner for what nests in an f-string.
"""

import keyword
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from preprocessing.errors import BadSource
from preprocessing.frozen import Frozen
from preprocessing.lexer.fstrings import end_of_fstring, unreadable
from preprocessing.lexer.lexemes import (
    AT_CLOSE,
    AT_COMMENT,
    AT_END,
    AT_JOIN,
    AT_NAME,
    AT_NEWLINE,
    AT_NUMBER,
    AT_OPEN,
    AT_OPERATOR,
    AT_STRING,
    FORMATTED,
    LEXEME,
    STRING_START,
    WORD,
)

KINDS = ("name", "keyword", "operator", "number", "string", "newline", "indent", "dedent", "comment")
NAME, KEYWORD, OPERATOR, NUMBER, STRING, NEWLINE, INDENT, DEDENT, COMMENT = range(len(KINDS))
SYMBOLS = {
    NEWLINE: "<newline>",
    INDENT: "<indent>",
    DEDENT: "<dedent>",
}  # spellings of the tokens that have none
MAX_NESTING = 200  # CPython's own limit of open brackets
MAX_INDENTATION = 100  # CPython's own limit of indented blocks

_KEYWORDS = frozenset(keyword.kwlist)


class TokensConfig(Frozen):
    """What of a text a model gets to see.

    `comments`: dropped, as in the literature, or kept, one token each. `max_string_chars`: longer string
    literals (content without prefix and quotes) become empty ones of their own kind, `b'…'` becomes `b''`;
    they stay one token (Karampatsis et al. 2020). None keeps all.
    """

    comments: Literal["drop", "keep"] = "drop"
    max_string_chars: int | None = Field(default=15, ge=0)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one text: three lists of equal length. Places are in characters; kinds are indices of KINDS.

    NEWLINE spans the characters that end the line (none at the end of a text that lacks them), INDENT the
    whitespace before the first token of its block, DEDENT nothing. Blank lines, and ends of lines inside
    brackets, are no tokens.
    """

    starts: list[int]
    ends: list[int]
    kinds: list[int]

    def __len__(self) -> int:
        return len(self.kinds)

    def spans(self) -> Iterator[tuple[int, int, str]]:
        """(start, end, "newline" | "indent" | "dedent" | "comment" | "other"), as alignment wants them."""
        return zip(self.starts, self.ends, (_SPAN_KINDS[kind] for kind in self.kinds), strict=True)


_SPAN_KINDS = tuple(KINDS[k] if k in SYMBOLS or k == COMMENT else "other" for k in range(len(KINDS)))


def lex(text: str, comments: Literal["drop", "keep"] = "drop") -> Tokens:
    """Cut a text into tokens.

    Raises BadSource (`untokenizable`, `too_deep`) for what no Python could read. What is valid Python is read
    as CPython reads it; some of what is not valid passes too: a lexer is no parser.
    """
    lexer = _Lexer(text, comments == "keep")
    position = 0
    while position < len(text):
        position = lexer.read(position)
    return lexer.close()


def texts(text: str, tokens: Tokens, config: TokensConfig) -> list[str]:
    """The spelling of each token as a model sees it: symbols for line structure, long strings emptied."""
    spelled = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    limit = config.max_string_chars
    for index, kind in enumerate(tokens.kinds):
        if kind >= NEWLINE and kind != COMMENT:
            spelled[index] = SYMBOLS[kind]
        elif kind == STRING and limit is not None and len(spelled[index]) > limit:
            spelled[index] = _shortened(spelled[index], limit)
    return spelled


def _shortened(literal: str, limit: int) -> str:
    match = STRING_START.match(literal)
    assert match is not None, literal
    quote = match[2]
    if len(literal) - match.end() - len(quote) <= limit:
        return literal
    return match[1] + quote * 2


class _Lexer:
    """The state of one run over a text. `read` goes on from a position until the expression needs help."""

    def __init__(self, text: str, keep_comments: bool) -> None:
        self.text = text
        self.keep_comments = keep_comments
        self.tokens = Tokens([], [], [])
        self.indents = [0]
        self.brackets: list[str] = []
        self.fresh = True  # no token yet in this logical line
        self.line_start = 0
        self.joined = 0  # indentation of a line that starts with a backslash and goes on in the next

    def read(self, position: int) -> int:
        text, brackets = self.text, self.brackets
        starts, ends, kinds = self.tokens.starts, self.tokens.ends, self.tokens.kinds
        for match in LEXEME.finditer(text, position):
            what = match.lastindex
            assert what is not None
            start, end = match.span(what)
            if what == AT_NEWLINE:
                if not brackets:
                    self._end_line(start, end)
                continue
            if what == AT_COMMENT:
                if self.keep_comments:
                    self._add(COMMENT, start, end)
                continue
            if what == AT_JOIN:
                self._join(start, end)
                continue
            if what == AT_END:
                break
            if self.fresh:
                self._begin_line(start)
            if what == AT_NAME:
                kinds.append(KEYWORD if text[start:end] in _KEYWORDS else NAME)
            elif what == AT_OPERATOR:
                kinds.append(OPERATOR)
            elif what in (AT_OPEN, AT_CLOSE):
                self._bracket(start, opens=what == AT_OPEN)
                kinds.append(OPERATOR)
            elif what == AT_NUMBER:
                kinds.append(NUMBER)
            elif what == AT_STRING and not FORMATTED.match(text, start):
                kinds.append(STRING)
            else:
                return self._read_odd(start)
            starts.append(start)
            ends.append(end)
        return len(text)

    def close(self) -> Tokens:
        end = len(self.text)
        if self.brackets:
            raise self._bad(end, f"'{self.brackets[-1]}' is never closed")
        if not self.fresh:
            self._end_line(end, end)
        for _ in self.indents[1:]:
            self._add(DEDENT, end, end)
        return self.tokens

    def _add(self, kind: int, start: int, end: int) -> None:
        self.tokens.kinds.append(kind)
        self.tokens.starts.append(start)
        self.tokens.ends.append(end)

    def _read_odd(self, start: int) -> int:
        if FORMATTED.match(self.text, start):
            end, kind = end_of_fstring(self.text, start), STRING
        elif match := WORD.match(self.text, start):
            end, kind = match.end(), KEYWORD if match[0] in _KEYWORDS else NAME
        else:
            raise self._bad(start, f"unexpected {self.text[start]!r}")
        self._add(kind, start, end)
        return end

    def _end_line(self, start: int, end: int) -> None:
        if not self.fresh:
            self._add(NEWLINE, start, end)
            self.fresh = True
        self.joined = 0
        self.line_start = end

    def _join(self, start: int, end: int) -> None:
        if end == len(self.text):
            raise self._bad(start, "nothing after a line continuation")
        if self.fresh:
            self.joined = self.joined or columns(self.text[self.line_start : start])
            self.line_start = end

    def _begin_line(self, start: int) -> None:
        self.fresh = False
        column = self.joined or columns(self.text[self.line_start : start])
        if column > self.indents[-1]:
            if len(self.indents) >= MAX_INDENTATION:
                raise BadSource("too_deep", f"more than {MAX_INDENTATION} levels of indentation")
            self.indents.append(column)
            self._add(INDENT, self.line_start, start)
            return
        while column < self.indents[-1]:
            self.indents.pop()
            self._add(DEDENT, start, start)
        if column != self.indents[-1]:
            raise self._bad(start, "unindent matches no outer level")

    def _bracket(self, start: int, *, opens: bool) -> None:
        bracket = self.text[start]
        if not opens:
            if not self.brackets or self.brackets.pop() + bracket not in ("()", "[]", "{}"):
                raise self._bad(start, f"unmatched '{bracket}'")
            return
        if len(self.brackets) >= MAX_NESTING:
            raise BadSource("too_deep", f"more than {MAX_NESTING} open brackets")
        self.brackets.append(bracket)

    def _bad(self, position: int, detail: str) -> BadSource:
        return unreadable(self.text, position, detail)


def columns(indentation: str) -> int:
    """How far blanks indent, with tabs as CPython counts them."""
    if indentation.count(" ") == len(indentation):
        return len(indentation)
    column = 0
    for character in indentation:
        if character == "\f":
            column = 0
        elif character == "\t":
            column = (column // 8 + 1) * 8
        else:
            column += 1
    return column
