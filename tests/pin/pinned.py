"""The pin on disk: one file of lines for each subject, and how lines now differ from it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.pin import values

GOLDEN = Path(__file__).with_name("golden")
NUMERICS = GOLDEN / "numerics.txt"
"""What `values.numerics` was where the pin was written."""


def write(pins: Iterable[tuple[str, list[str]]]) -> None:
    """Writes the pin of each subject anew."""
    GOLDEN.mkdir(exist_ok=True)
    NUMERICS.write_text(f"{values.numerics()}\n")
    for subject, lines in pins:
        (GOLDEN / f"{subject}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(subject: str) -> list[str]:
    """The lines of a subject."""
    return (GOLDEN / f"{subject}.txt").read_text(encoding="utf-8").splitlines()


def differences(pinned: Sequence[str], now: Sequence[str], *, bits: bool = True) -> Iterator[str]:
    """As a diff: lines that are gone with −, new ones with +. `bits`: see `values.differ`."""
    old, new = dict(map(_named, pinned)), dict(map(_named, now))
    assert len(old) == len(pinned), "two pinned lines have the same name"
    assert len(new) == len(now), "two lines have the same name"
    for name in dict.fromkeys([*old, *new]):
        if name in old and name in new and not values.differ(old[name], new[name], bits=bits):
            continue
        yield from (f"{sign} {side[name]}" for sign, side in (("−", old), ("+", new)) if name in side)
    if list(old) != list(new) and old.keys() == new.keys():
        yield "the lines stand in another order"


def _named(line: str) -> tuple[str, str]:
    """What a line is about, and the line: all before its first colon, or its first two words."""
    head, colon, _ = line.partition(": ")
    return (head if colon else " ".join(line.split()[:2])), line
