"""Lexical tokens of a text, as `edits.align` wants them: (start, end, kind), f-strings in one piece.

"if x:\\n    y\\n"  ->  if, x, :, newline, indent, y, newline, dedent
"""

import io
import tokenize

from transformers_py.edits import Token
from transformers_py.source import line_starts

_KINDS = {tokenize.NEWLINE: "newline", tokenize.INDENT: "indent", tokenize.DEDENT: "dedent"}
_SKIPPED = frozenset([tokenize.NL, tokenize.ENDMARKER, tokenize.ENCODING, tokenize.COMMENT])
_OPENING = frozenset(getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START"))
_CLOSING = frozenset(getattr(tokenize, name, -1) for name in ("FSTRING_END", "TSTRING_END"))


def tokens(text: str) -> list[Token]:
    """All tokens but comments and blank lines; before Python 3.12 and after it the same."""
    base = 1 if text.startswith("\ufeff") else 0
    lines = line_starts(text)
    lines[0] = base
    found: list[Token] = []
    depth = opened = 0
    reader = io.StringIO(text[base:], newline="")
    for token in tokenize.generate_tokens(reader.readline):
        kind = token.type
        if kind in _SKIPPED:
            continue
        start = lines[token.start[0] - 1] + token.start[1]
        end = lines[token.end[0] - 1] + token.end[1]
        if kind in _OPENING:
            opened = start if depth == 0 else opened
            depth += 1
        elif kind in _CLOSING:
            depth -= 1
            if depth == 0:
                found.append((opened, end, "other"))
        elif depth == 0:
            found.append((start, max(start, end if token.string else start), _KINDS.get(kind, "other")))
    return found
