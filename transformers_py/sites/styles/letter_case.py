"""Letters in the other case, as ReCode's: total_count -> toTal_cOunt."""

from collections.abc import Iterator

from transformers_py.sites.name_parts import Roll

SHARE = 0.35
"""How many letters change, on average: ReCode's default."""


def candidates(old: str, roll: Roll) -> Iterator[str]:
    """Each letter changes its case with a chance of its own; at least one does."""
    for _ in range(20):
        new = "".join(letter.swapcase() if roll() < SHARE else letter for letter in old)
        if new != old:
            yield new
    yield old.swapcase()
