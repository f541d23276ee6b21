"""A text as a model with a tokenizer of its own reads it: running text, with the place where each token ends.

    x  = "a long literal"  # why        ->   'x', '  =', ' ""', '\\n'

The blank before a token belongs to it, since such tokenizers spell it as the beginning of a word. What models
are not shown (comments, long strings) is left out here as everywhere.
"""

import re

from preprocessing.lexer.tokens import NEWLINE, SYMBOLS, Tokens, TokensConfig

_COMMENT_LINE = re.compile(r"(?<=\n)[ \t\f]*#[^\r\n]*(?:\r\n|\r|\n)")
_COMMENT = re.compile(r"[ \t\f]*#[^\r\n]*")


def running(text: str, cut: Tokens, spelled: list[str], config: TokensConfig) -> tuple[str, list[int]]:
    """The text up to the end of its last token, and where in it each token ends.

    spelled: what `preprocessing.lexer.tokens.texts` gives. INDENT and DEDENT are the blanks before a line; a
    DEDENT to the first column has no extent.
    """
    pieces: list[str] = []
    ends: list[int] = []
    last = length = 0
    fresh = True  # at the start of a line
    for start, end, kind, own in zip(cut.starts, cut.ends, cut.kinds, spelled, strict=True):
        gap = text[last:start]
        if config.comments == "drop" and "#" in gap:
            gap = _COMMENT.sub("", _COMMENT_LINE.sub("", "\n" + gap)[1:] if fresh else gap)
        piece = gap + (text[start:end] if kind in SYMBOLS else own)
        pieces.append(piece)
        length += len(piece)
        ends.append(length)
        last, fresh = end, kind == NEWLINE
    return "".join(pieces), ends


def n_bytes(kinds: list[int], spelled: list[str]) -> list[int]:
    """Bytes of each token, as for the other tokenizers: blanks count for nothing, a new line for one."""
    return [
        int(kind == NEWLINE) if kind in SYMBOLS else len(own.encode("utf-8", "surrogatepass"))
        for kind, own in zip(kinds, spelled, strict=True)
    ]
