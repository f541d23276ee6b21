"""Names taken apart: "_maxItems2" -> ["_", "max", "Items", "2"], and put together again with other words."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

_T = TypeVar("_T")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|_+|[^\W\d_]+")

Roll = Callable[[], float]
"""A number from 0 to below 1, the only source of randomness."""


def parts(name: str) -> list[str]:
    """The sub-parts of a snake_case or camelCase name: "_maxItems2" -> ["_", "max", "Items", "2"]."""
    found: list[str] = _PARTS.findall(name)
    return found


def shuffled(items: Sequence[_T], roll: Roll) -> list[_T]:
    """The items in an order that depends on `roll` alone."""
    keys = [roll() for _ in items]
    return [items[i] for i in sorted(range(len(items)), key=keys.__getitem__)]


def with_other_words(old: str, others: Callable[[str], Sequence[str]], roll: Roll) -> Iterator[str]:
    """Names in which one word of `old` is another one, in its case; `others` gives them for a small word."""
    found = parts(old)
    places = [i for i, part in enumerate(found) if part[0].isalpha()]
    for i in shuffled(places, roll):
        for word in shuffled(others(found[i].lower()), roll):
            yield "".join((*found[:i], _in_case_of(word, found[i]), *found[i + 1 :]))


def _in_case_of(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
