"""Where an f-string ends, on every version of Python alike.

An f-string has a literal part, in it replacement fields {expression!r:format}, in a format again fields,
and in an expression again strings, from Python 3.12 on with any quotes (PEP 701). What older versions accept
is read as they read it.
"""

import re

from preprocessing.errors import BadSource
from preprocessing.lexer.lexemes import (
    AT_CLOSE,
    AT_END,
    AT_ODD,
    AT_OPEN,
    AT_OPERATOR,
    FORMATTED,
    LEXEME,
    STRING_START,
    WORD,
)

MAX_DEPTH = 100

_MARK = re.compile(r"[\\{}\"'\r\n]")  # what can mean something in the literal part of an f-string


def unreadable(text: str, position: int, detail: str) -> BadSource:
    """The complaint about a place in a text."""
    return BadSource("untokenizable", f"line {text.count(chr(10), 0, position) + 1}: {detail}")


def end_of_fstring(text: str, start: int, depth: int = 0) -> int:
    """Where the f-string that starts at `start` ends. Raises BadSource if it doesn't, or nests too deep."""
    opening = STRING_START.match(text, start)
    assert opening is not None
    quote, raw = opening[2], "r" in opening[1].lower()
    return _literal_end(text, opening.end(), quote, raw, depth, is_format=False) + len(quote)


def _literal_end(text: str, position: int, quote: str, raw: bool, depth: int, *, is_format: bool) -> int:
    """Where the closing quote stands, or in a format the closing brace."""
    while mark := _MARK.search(text, position):
        position, character = mark.start(), mark[0]
        if character == "\\":
            position = _after_escape(text, position, raw)
        elif character == "{":
            doubled = text.startswith("{{", position) and not is_format
            position = position + 2 if doubled else _field_end(text, position + 1, quote, raw, depth)
        elif character == "}":
            if is_format:
                return position
            position += 1
        elif text.startswith(quote, position):
            if is_format:
                break
            return position
        elif character in "\r\n" and len(quote) == 1:
            break
        else:
            position += 1
    raise unreadable(text, min(position, len(text)), "f-string is never closed")


def _after_escape(text: str, position: int, raw: bool) -> int:
    if not raw and text.startswith("N{", position + 1):  # \N{DIGIT ONE}
        closing = text.find("}", position)
        return closing + 1 if closing >= 0 else len(text)
    if text[position + 1 : position + 2] in ("{", "}"):
        return position + 1
    return position + (3 if text.startswith("\r\n", position + 1) else 2)


def _field_end(text: str, position: int, quote: str, raw: bool, depth: int) -> int:
    """Where a replacement field ends, after its closing brace."""
    if depth > MAX_DEPTH:
        raise BadSource("too_deep", f"more than {MAX_DEPTH} f-strings or formats inside each other")
    brackets = 0
    while match := LEXEME.match(text, position):
        what = match.lastindex
        assert what is not None
        start, position = match.span(what)
        if what == AT_END:
            break
        if FORMATTED.match(text, start):
            position = end_of_fstring(text, start, depth + 1)
        elif what == AT_ODD and (word := WORD.match(text, start)):
            position = word.end()
        elif what == AT_OPEN:
            brackets += 1
        elif what == AT_CLOSE:
            if not brackets:
                return position
            brackets -= 1
        elif what == AT_OPERATOR and text[start] == ":" and not brackets:
            return _literal_end(text, start + 1, quote, raw, depth + 1, is_format=True) + 1
    raise unreadable(text, min(position, len(text)), "f-string is never closed")
