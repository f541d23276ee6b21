"""Sub-tokens of identifiers, and how many of them a prediction has in common with the truth.

    parseHTTPResponse_v2 -> parse http response v 2        shared with  http_response: 2 of 5 and of 2

F1 = 2 · shared / (sub-tokens of the true + of the predicted identifiers), micro-averaged: precision and
recall of the multisets of sub-tokens (Allamanis et al. 2015; Alon et al. 2019), without regard to case.
"""

import re
from collections import Counter

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")


def subtokens(text: str) -> Counter[str]:
    """The multiset of sub-tokens of a token; what is no identifier is one sub-token of its own."""
    words = [word.lower() for word in _WORD.findall(text)] if text.isidentifier() else []
    return Counter(words or [text])


def overlap(true: Counter[str], predicted: Counter[str]) -> tuple[int, int]:
    """Sub-tokens that both have, and sub-tokens of both together."""
    return (true & predicted).total(), true.total() + predicted.total()
