"""A text before and after rewriting, as the tokens that naturalness is measured on.

# read the file      ->  '#' 'read' 'the' 'file'     a comment is as many tokens as it has words and signs
"a long docstring"   ->  '""'                        a long string is one of its own kind
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from preprocessing.encoding import UNCHANGED, Align, Edit, aligned
from preprocessing.lexer.tokens import COMMENT, TokensConfig, lex, texts

TOKENS = TokensConfig(comments="keep", max_string_chars=15)
_WORDS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Text:
    """An original: its name in the corpus, the project that it comes from, and the text."""

    sample: str
    project: str
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """The tokens of an original and of what became of it; of each of the latter its place in the original
    (−1: none), and its change (unchanged, renamed, inserted).
    """

    sample: str
    original: Sequence[str]
    rewritten: Sequence[str]
    origins: Sequence[int]
    changes: Sequence[int]


def tokens_of(text: str) -> list[str]:
    """The tokens of a text."""
    cut = lex(text, TOKENS.comments)
    return [word for words in _words(texts(text, cut, TOKENS), cut.kinds) for word in words]


def pair(original: Text, rewritten: str, edits: Sequence[Edit], align: Align) -> Pair:
    """Put a rewritten text beside its original; `edits` are those between them."""
    before, after = lex(original.text, TOKENS.comments), lex(rewritten, TOKENS.comments)
    shown_before, shown = texts(original.text, before, TOKENS), texts(rewritten, after, TOKENS)
    found = zip(*aligned(before, shown_before, after, shown, edits, align), strict=True)
    old, new = _words(shown_before, before.kinds), _words(shown, after.kinds)
    first = list(accumulate(map(len, old), initial=0))
    origins: list[int] = []
    changes: list[int] = []
    for words, (origin, change) in zip(new, found, strict=True):
        for k, word in enumerate(words):
            place = -1 if origin < 0 else first[origin] + min(k, len(old[origin]) - 1)
            kept = origin >= 0 and word == old[origin][min(k, len(old[origin]) - 1)]
            origins.append(place)
            changes.append(UNCHANGED if kept else change)
    return Pair(original.sample, list(chain(*old)), list(chain(*new)), origins, changes)


def _words(shown: Sequence[str], kinds: Sequence[int]) -> list[list[str]]:
    return [
        _WORDS.findall(text) if kind == COMMENT else [text] for text, kind in zip(shown, kinds, strict=True)
    ]
