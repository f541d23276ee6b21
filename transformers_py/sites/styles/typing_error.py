"""Slips of the fingers, as ReCode's: total -> totla, tital, ttotal, toal."""

from collections.abc import Iterator

from transformers_py.sites.name_parts import Roll, shuffled

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SLANTS = (0.0, 0.25, 0.75)


def _neighbours() -> dict[str, str]:
    places = {
        letter: (row, column + _SLANTS[row])
        for row, letters in enumerate(_ROWS)
        for column, letter in enumerate(letters)
    }
    return {
        letter: "".join(
            other
            for other, (up, along) in places.items()
            if other != letter and abs(up - row) <= 1 and abs(along - column) <= 1
        )
        for letter, (row, column) in places.items()
    }


NEIGHBOURS = _neighbours()
"""The keys around each key."""


def candidates(old: str, roll: Roll) -> Iterator[str]:
    """One letter hit beside its key, doubled, left out, or typed before the one that precedes it."""
    places = [i for i, letter in enumerate(old) if letter.lower() in NEIGHBOURS]
    for i in shuffled(places, roll):
        for slip in shuffled((_beside, _swapped, _doubled, _dropped), roll):
            yield slip(old, i, roll)


def _beside(old: str, i: int, roll: Roll) -> str:
    keys = NEIGHBOURS[old[i].lower()]
    key = keys[int(roll() * len(keys))]
    return f"{old[:i]}{key.upper() if old[i].isupper() else key}{old[i + 1 :]}"


def _swapped(old: str, i: int, _: Roll) -> str:
    return old[: i - 1] + old[i] + old[i - 1] + old[i + 1 :] if i and old[i - 1].isalpha() else ""


def _doubled(old: str, i: int, _: Roll) -> str:
    return old[: i + 1] + old[i:]


def _dropped(old: str, i: int, _: Roll) -> str:
    return old[:i] + old[i + 1 :] if len(old.strip("_")) > 2 else ""
