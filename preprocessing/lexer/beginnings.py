"""Which token an unfinished text begins with, as far as that is settled.

    "  return"      open      returned, return_value … may follow
    "  return x"    return
    "):"            )         nothing can make it longer
    "\\n"            newline   outside of brackets

A model that reads running text says what it expects in subwords that don't stop where tokens do. This tells
how much of that is one token. An f-string ends at its first own quote, as before Python 3.12.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from preprocessing.lexer.lexemes import STRING_START, WORD
from preprocessing.lexer.tokens import COMMENT, DEDENT, INDENT, NEWLINE, SYMBOLS, Tokens, columns

OPEN, DEAD, SETTLED = range(3)
_OPERATORS = (  # noqa: SIM905
    "** **= * *= // //= / /= >> >>= > >= << <<= < <= -> - -= + += % %= & &= @ @= | |= ^ ^= = == != := : "
    "... . ~ , ; ( ) [ ] { }"
).split()
_BY_LENGTH = sorted(_OPERATORS, key=len, reverse=True)
_GROWS = {operator[:n] for operator in _OPERATORS for n in range(1, len(operator))}
_GAP = re.compile(r"(?:[ \t\f]|\\(?:\r\n?|\n))*")
_GAP_IN_BRACKETS = re.compile(r"(?:[ \t\f\r\n]|\\(?:\r\n?|\n))*")
_BLANK_LINES = re.compile(r"(?:[ \t\f]*(?:\r\n?|\n))*")
_BLANKS = re.compile(r"[ \t\f]*")
_COMMENT = re.compile(r"#[^\r\n]*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F_]*|(?:[0-9A-Za-z_.]|(?<=[eE])[-+])+")
_PREFIXES = frozenset(["b", "br", "rb", "f", "fr", "rf", "r", "u"])
_SHORT = {q: re.compile(rf"[^{q}\\\r\n]*(?:\\(?:\r\n|.)[^{q}\\\r\n]*)*", re.DOTALL) for q in "'\""}
_LONG = {q: re.compile(rf"(?:[^{q}\\]|\\.|{q}(?!{q}{q}))*", re.DOTALL) for q in "'\""}


@dataclass(frozen=True)
class Place:
    """What is known before a token. before: the blanks of its line so far, None if the line has a token
    already; begun: whether an INDENT or DEDENT was among them; comments: whether these are tokens.
    """

    brackets: bool = False
    before: str | None = None
    begun: bool = False
    indents: tuple[int, ...] = (0,)
    comments: bool = False


class FirstToken(NamedTuple):
    """The first token of a text: its spelling, and whether what follows can still change it."""

    status: int
    key: str = ""


def places(text: str, tokens: Tokens, comments: bool) -> Iterator[Place]:
    """The place of each token of a whole text, which begins where the token before it ends."""
    indents, depth, fresh, begun, line, last = [0], 0, True, False, 0, 0
    for start, end, kind in zip(tokens.starts, tokens.ends, tokens.kinds, strict=True):
        before = text[line:last] if fresh and begun else "" if fresh else None
        yield Place(depth > 0, before, begun, tuple(indents) if fresh else (0,), comments)
        last = end
        if kind == NEWLINE:
            fresh, begun = True, False
            continue
        if kind in (INDENT, DEDENT):
            line = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1
            begun = True
            if kind == INDENT:
                indents.append(columns(text[line:end]))
            else:
                indents.pop()
            continue
        fresh = fresh and kind == COMMENT
        depth += (text[start:end] in ("(", "[", "{")) - (text[start:end] in (")", "]", "}"))


def first_token(text: str, place: Place) -> FirstToken:
    """The first token of a text that begins at a place; DEAD if none can."""
    if place.before is not None:
        return _of_line(text, place)
    gap = (_GAP_IN_BRACKETS if place.brackets else _GAP).match(text)
    assert gap is not None
    return _plain(text, gap.end(), place)


def at_the_end(place: Place) -> FirstToken:
    """The token that stands where a text simply ends."""
    if place.before is not None:
        return FirstToken(SETTLED, SYMBOLS[DEDENT]) if len(place.indents) > 1 else FirstToken(DEAD)
    return FirstToken(DEAD) if place.brackets else FirstToken(SETTLED, SYMBOLS[NEWLINE])


def _of_line(text: str, place: Place) -> FirstToken:
    skipped = _BLANK_LINES.match(text)
    assert skipped is not None
    assert place.before is not None
    blanks = _BLANKS.match(text, skipped.end())
    assert blanks is not None
    at = blanks.end()
    if at == len(text):
        return FirstToken(OPEN)
    if text[at] == "#" or text[at] == "\\":
        return _plain(text, at, place) if text[at] == "#" else FirstToken(DEAD)
    wide = columns(("" if skipped.end() else place.before) + blanks[0])
    if wide > place.indents[-1]:
        return FirstToken(DEAD) if place.begun else FirstToken(SETTLED, SYMBOLS[INDENT])
    if wide < place.indents[-1]:
        return FirstToken(SETTLED, SYMBOLS[DEDENT]) if wide in place.indents else FirstToken(DEAD)
    return _plain(text, at, place)


def _plain(text: str, at: int, place: Place) -> FirstToken:
    """The token at a place that is no blank."""
    character = text[at : at + 1]
    if not character:
        return FirstToken(OPEN)
    if character in "\r\n":
        return FirstToken(SETTLED, SYMBOLS[NEWLINE])
    if character == "#":
        return _run(_COMMENT, text, at) if place.comments else FirstToken(DEAD)
    if character in "'\"":
        return _string(text, at)
    if word := WORD.match(text, at):
        quoted = text[word.end() : word.end() + 1] in ("'", '"') and word[0].lower() in _PREFIXES
        return _string(text, at) if quoted else _run(WORD, text, at)
    if character.isdecimal() or (character == "." and text[at + 1 : at + 2].isdecimal()):
        return _run(_NUMBER, text, at)
    operator = next((o for o in _BY_LENGTH if text.startswith(o, at)), None)
    rest = text[at : at + 3]
    if rest in _GROWS or rest == "\\":
        return FirstToken(OPEN)
    return FirstToken(DEAD) if operator is None else FirstToken(SETTLED, operator)


def _run(pattern: re.Pattern[str], text: str, at: int) -> FirstToken:
    match = pattern.match(text, at)
    assert match is not None
    return FirstToken(OPEN) if match.end() == len(text) else FirstToken(SETTLED, match[0])


def _string(text: str, at: int) -> FirstToken:
    opening = STRING_START.match(text, at)
    assert opening is not None
    quote = opening[2]
    q, end = quote[0], opening.end()
    if len(quote) == 1 and text.startswith(q, end):  # empty, or the beginning of a long one
        return FirstToken(OPEN) if end + 1 == len(text) else FirstToken(SETTLED, text[at : end + 1])
    body = (_LONG if len(quote) == 3 else _SHORT)[q].match(text, end)
    assert body is not None
    if text.startswith(quote, body.end()):
        return FirstToken(SETTLED, text[at : body.end() + len(quote)])
    return (
        FirstToken(DEAD)
        if len(quote) == 1 and text[body.end() : body.end() + 1] in ("\r", "\n")
        else FirstToken(OPEN)
    )


def shortest_like(text: str, place: Place) -> tuple[str, Place, int]:
    """A shorter stand-in for an unfinished token: the same continuations settle it, with the same ending.

    With it its place, and the number of leading characters of `text` that precede the token.
    """
    if place.before is not None:
        skipped, at = _BLANK_LINES.match(text), len(text) - len(text.lstrip(" \t\f\r\n"))
        assert skipped is not None
        if at == len(text):
            before = ("" if skipped.end() else place.before) + text[skipped.end() :]
            return "", replace(place, before=before), at
    else:
        gap = (_GAP_IN_BRACKETS if place.brackets else _GAP).match(text)
        assert gap is not None
        at = gap.end()
        if at == len(text):
            return "", place, at
    token, inside = text[at:], Place(comments=place.comments)
    if token[0] == "#":
        return "#", inside, at
    if STRING_START.match(token):
        return _short_string(token), inside, at
    if WORD.fullmatch(token):
        return (token if token.lower() in _PREFIXES else "x_"), inside, at
    if token[:2] in ("0x", "0X"):
        return "0x1", inside, at
    if token[0].isdecimal() or (token[0] == "." and token[1:2].isdecimal()):
        short = "1e" if token[-1] in "eE" else "1"
        return ("0" if len(token) == 1 and token[0] == "0" else short), inside, at
    return token, inside, at


def _short_string(token: str) -> str:
    opening = STRING_START.match(token)
    assert opening is not None
    quote, body = opening[2], token[opening.end() :]
    if len(quote) == 1 and body in ("", quote):
        return token
    slashes = len(body) - len(body.rstrip("\\"))
    if slashes % 2:
        return quote + "x\\"
    if len(quote) == 1:
        return quote + "x"
    quotes = len(body) - len(body.rstrip(quote[0]))
    before = body[: len(body) - quotes]
    if (len(before) - len(before.rstrip("\\"))) % 2:
        quotes -= 1  # the first one is escaped
    return quote + "x" * bool(body) + quotes * quote[0]
