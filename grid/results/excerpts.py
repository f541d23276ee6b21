"""Cuts the most telling piece out of a text and its rewriting: bounded, at the same statements on both sides.

original  x = f(a)          3.1 0.2 …         the lines where the bits per token changed most
rewritten x = f(total_a)    3.0 0.2 … 9.4
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preprocessing.lexer.tokens import NEWLINE

MAX_CHARS = 1200
MAX_TOKENS = 160

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ScoredText:
    """One text and the scores of its T tokens; `origins` index the original's tokens, -1 if inserted."""

    text: str
    starts: Ints  # (T,) characters
    ends: Ints  # (T,)
    kinds: NDArray[np.uint8]  # (T,)
    changes: NDArray[np.uint8]  # (T,)
    origins: Ints  # (T,)
    bits: NDArray[np.float32]  # (T,)

    def excerpt(self, first: int, last: int, other: NDArray[np.float32]) -> dict[str, Any]:
        """Tokens first to last - 1 and the lines that they stand in; `other` (T,): the other side's bits."""
        begin = self._line(first)
        end = int(self.ends[last - 1])
        tokens = [
            {
                "start": int(self.starts[i]) - begin,
                "end": int(self.ends[i]) - begin,
                "kind": int(self.kinds[i]),
                "change": int(self.changes[i]),
                "bits": float(self.bits[i]),
                "bits_other": None if np.isnan(other[i]) else float(other[i]),
            }
            for i in range(first, last)
        ]
        line = len(self.text[:begin].splitlines()) + 1
        return {"text": self.text[begin:end], "line": line, "tokens": tokens}

    def _line(self, token: int) -> int:
        """Where the token's line begins, unless an earlier token stands in it too."""
        start = int(self.starts[token])
        begin = max(self.text.rfind("\n", 0, start), self.text.rfind("\r", 0, start)) + 1
        return begin if token == 0 or self.ends[token - 1] <= begin else start


def cut(before: ScoredText, after: ScoredText) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The piece of whole lines with the largest sum of |change of bits|, within MAX_CHARS and MAX_TOKENS.

    Begins with the first token of a statement, ends with the last of one where that fits; None where not
    one token fits. Every original token must be met in `after`.
    """
    met = np.flatnonzero(after.origins >= 0)
    if len(met) != len(before.bits) or not len(met):
        return None
    aligned = met[np.argsort(after.origins[met])]  # (T,) of each token of the original
    bits_after = after.bits[aligned]
    found = _window(before, after, met, np.abs(bits_after - before.bits))
    if found is None:
        return None
    first, last = found
    other = np.full(len(after.bits), np.nan, dtype=np.float32)
    other[aligned] = before.bits
    from_, to = (int(met[first - 1]) + 1 if first else 0), int(met[last - 1]) + 1
    return before.excerpt(first, last, bits_after), after.excerpt(from_, to, other)


def _window(
    before: ScoredText, after: ScoredText, met: Ints, gain: NDArray[np.float32]
) -> tuple[int, int] | None:
    """First token and end of the window, in tokens of the original; `met`: (T,) their places, ascending."""
    line_ends = np.flatnonzero(before.kinds == NEWLINE) + 1
    firsts = np.unique(np.r_[0, line_ends[line_ends < len(before.kinds)]])
    opening = np.r_[0, met[:-1] + 1]  # (T,) where the rewritten side of a token begins
    ends = np.minimum.reduce(
        [
            np.searchsorted(before.ends, before.starts[firsts] + MAX_CHARS, side="right"),
            np.searchsorted(after.ends[met], after.starts[opening[firsts]] + MAX_CHARS, side="right"),
            np.searchsorted(met, opening[firsts] + MAX_TOKENS, side="left"),
        ]
    )
    whole = np.r_[0, line_ends][np.searchsorted(line_ends, ends, side="right")]
    ends = np.where(whole > firsts, whole, ends)
    total = np.r_[0.0, np.cumsum(gain, dtype=np.float64)]
    score = np.where(ends > firsts, total[np.maximum(ends, firsts)] - total[firsts], -1.0)
    best = int(np.argmax(score))
    return (int(firsts[best]), int(ends[best])) if ends[best] > firsts[best] else None
