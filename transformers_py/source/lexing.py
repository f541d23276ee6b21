"""Lexical tokens of a text, as `edits.align` wants them: (start, end, kind), f-strings in one piece.

"if x:\\n    y\\n"  ->  if, x, :, newline, indent, y, newline, dedent
"""

import io
import re
import tokenize
from functools import lru_cache

from transformers_py.source.cpython import line_starts
from transformers_py.source.edits import Token

_KINDS = {tokenize.NEWLINE: "newline", tokenize.INDENT: "indent", tokenize.DEDENT: "dedent"}
_SKIPPED = frozenset([tokenize.NL, tokenize.ENDMARKER, tokenize.ENCODING, tokenize.COMMENT])
_OPENING = frozenset(getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START"))
_CLOSING = frozenset(getattr(tokenize, name, -1) for name in ("FSTRING_END", "TSTRING_END"))
_SPACES = frozenset([tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER])

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\r\n]*)
    |[rRbBuUfFtT]{0,2}(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |\d[\w.]*|\.\d\w*|\w+|\.\.\.|(?://|\*\*|>>|<<)=?|[-+*/%@&|^=<>!:]=|->|[^\s\w]""",
    re.VERBOSE,
)


def tokens(text: str) -> list[Token]:
    """All tokens but comments and blank lines; before Python 3.12 and after it the same.

    The columns of CPython 3.12 are wrong after some non-ASCII text, so a token is where its text is found.
    """
    base = 1 if text.startswith("\ufeff") else 0
    lines = line_starts(text)
    lines[0] = base
    found: list[Token] = []
    depth = opened = position = 0
    reader = io.StringIO(text[base:], newline="")
    for token in tokenize.generate_tokens(reader.readline):
        kind = token.type
        start = lines[token.start[0] - 1] + token.start[1]
        end = max(start, lines[token.end[0] - 1] + token.end[1] if token.string else start)
        if kind in _SPACES:
            start, end = _space(text, kind, position, start, end)
        else:
            start, end = _located(text, token.string, position, start, end)
        position = max(position, end)
        if kind in _SKIPPED:
            continue
        if kind in _OPENING:
            opened = start if depth == 0 else opened
            depth += 1
        elif kind in _CLOSING:
            depth -= 1
            if depth == 0:
                found.append((opened, end, "other"))
        elif depth == 0:
            found.append((start, end, _KINDS.get(kind, "other")))
    return found


def _located(text: str, string: str, position: int, start: int, end: int) -> tuple[int, int]:
    """Where a token's text stands, at `start` or at the first place after the token before."""
    if start < position or not text.startswith(string, start):
        start = text.find(string, position)
        if start < 0:
            return position, max(position, end)
    return start, start + len(string)


def _space(text: str, kind: int, position: int, start: int, end: int) -> tuple[int, int]:
    """Where a line ends: at `start`, or at the first line's end after the token before."""
    if kind not in (tokenize.NEWLINE, tokenize.NL) or text[start : start + 1] in ("\r", "\n"):
        return start, end
    ends = [k for k in (text.find("\n", position), text.find("\r", position)) if k >= 0]
    start = min(ends, default=len(text))
    return start, start + (2 if text.startswith("\r\n", start) else int(start < len(text)))


@lru_cache(maxsize=16_384)
def inserted_size(text: str) -> tuple[int, int]:
    """(tokens, comments) that an insertion adds: whole lines, the head of a block, or a part of a line.

    A line that ends in a colon opens a block, which has an INDENT and a DEDENT; strings are on one line.
    """
    added = comments = 0
    *lines, rest = re.split(r"\r\n|\r|\n", text)
    for line in lines:
        found = [match for match in _TOKEN.finditer(line) if match.lastgroup is None]
        comments += sum(1 for match in _TOKEN.finditer(line) if match.lastgroup)
        added += len(found)
        if found:
            added += 3 if found[-1].group() == ":" else 1
    for match in _TOKEN.finditer(rest):
        added += match.lastgroup is None
        comments += match.lastgroup is not None
    return added, comments


def comment_count(text: str) -> int:
    """How many comments a text has."""
    reader = io.StringIO(text.removeprefix("\ufeff"), newline="")
    return sum(token.type == tokenize.COMMENT for token in tokenize.generate_tokens(reader.readline))
