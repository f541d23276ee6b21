"""Where a token stands: how far behind the last insertion, and whether and for which time it is renamed.

    original    x = a ;  y = a          rewritten  x = ( b ) ;  y = b       (a → b, parentheses inserted)
    behind      –  –  1  1 2 3 4                        renaming   –  –  first  –  –  –  later

A variant decides on it: tokens of the original have the place of their partners in the rewritten text.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.statistics.descriptions import Scope
from preprocessing.lexer.tokens import lex
from tasks.completion.scored_tokens import RENAMED
from tasks.units import NO_PLACE, Paired

if TYPE_CHECKING:
    import pyarrow as pa

BEHIND = {"1": 1, "2": 2, "3-4": 3, "5-10": 5, "11-": 11}
"""Distances from the last insertion, in original tokens: where each begins; its code is its place, from 1 on,
and 0 where nothing was inserted so far."""
FAR = 4
"""The first code that is far from an insertion."""
RENAMING = ("never", "first", "later")

Places = NDArray[np.uint8]


def places(table: "pa.Table", text_of: Callable[[str], str], comments: Any) -> Places:
    """(n,) the code of each token of a rewritten text: three bits of distance, above them its renaming.

    table: `sample` (a dictionary), `origin`, `change`; the tokens of a sample together, all of them. A
    renamed token is at its first occurrence where no token before it in the text is spelled like it.
    """
    sample = table["sample"].combine_chunks()
    codes, origin = sample.indices.to_numpy(), table["origin"].to_numpy()
    first = np.flatnonzero(np.diff(codes, prepend=-1))
    lengths = np.diff(np.append(first, len(codes)))
    aligned = origin >= 0
    last = np.maximum.accumulate(np.where(aligned, -1, np.arange(len(codes))))
    count = np.cumsum(aligned)
    behind = np.where(last >= np.repeat(first, lengths), count - count[last], 0)
    place = np.searchsorted(list(BEHIND.values()), behind, side="right").astype(np.uint8)
    renamed = aligned & (table["change"].to_numpy() == RENAMED)
    names = sample.dictionary
    for begin, length in zip(first.tolist(), lengths.tolist(), strict=True):
        own = renamed[begin : begin + length]
        if own.any():
            again = _occurred_before(text_of(names[codes[begin]].as_py()), comments)
            place[begin : begin + length][own] += 8 * (1 + again[own])
    place[~aligned] = NO_PLACE
    return place


def _occurred_before(text: str, comments: Any) -> Places:
    """(n,) 1 where a token has the spelling of one before it in the text, else 0."""
    tokens = lex(text, comments)
    spelled = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    known: dict[str, int] = {}
    firsts = [known.setdefault(word, place) for place, word in enumerate(spelled)]
    return (np.array(firsts) < np.arange(len(firsts))).astype(np.uint8)


def scopes(place: Places) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each scope and which tokens belong to it: distances, as well as renamings, share the tokens out."""
    there, behind, renaming = place != NO_PLACE, place & 7, place >> 3
    for code, name in enumerate(BEHIND, start=1):
        yield f"behind:{name}", there & (behind == code)
    yield "behind:none", there & (behind == 0)
    yield "context_alone", there & (renaming == 0) & ((behind == 0) | (behind >= FAR))
    for code, name in enumerate(RENAMING):
        yield f"renaming:{name}", there & (renaming == code)
    yield "renaming:any", there & (renaming > 0)


def _scope(name: str, label: str, *, along: str = "", at: str = "", also: tuple[str, ...] = ()) -> Scope:
    return Scope(name=name, label=label, rewritten=name, by_variant=True, along=along, at=at, also=also)


_BEHIND = "original tokens behind the last insertion"
_RENAMED = "occurrence of the new name"
_BYTES = ("bits_per_byte",)
SCOPES = (
    _scope("behind:1", "first tokens behind an insertion", along=_BEHIND, at="1"),
    _scope("behind:2", "second tokens behind an insertion", along=_BEHIND, at="2"),
    _scope("behind:3-4", "tokens 3 to 4 behind an insertion", along=_BEHIND, at="3–4"),
    _scope("behind:5-10", "tokens 5 to 10 behind an insertion", along=_BEHIND, at="5–10"),
    _scope("behind:11-", "tokens more than 10 behind an insertion", along=_BEHIND, at="> 10"),
    _scope("behind:none", "tokens with nothing inserted before", along=_BEHIND, at="none"),
    _scope("context_alone", "unchanged tokens without an insertion among the four before"),
    _scope("renaming:never", "tokens that aren't renamed", along=_RENAMED, at="not renamed"),
    _scope("renaming:first", "renamed tokens at first", along=_RENAMED, at="first", also=_BYTES),
    _scope("renaming:later", "renamed tokens later on", along=_RENAMED, at="later", also=_BYTES),
    _scope("renaming:any", "all renamed tokens", also=_BYTES),
)
PAIRED = Paired(needs=("origin", "change"), places=places, scopes=scopes)
