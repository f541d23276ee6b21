"""Which sites a variant takes: to find the one to blame when a proof fails."""

from collections.abc import Sequence

from transformers_py.engine import Request, select
from transformers_py.source import Source


def selected(
    source: Source,
    rewrites: Sequence[Request],
    *,
    rate: float | None = None,
    count: int | None = None,
    seed: int,
    key: str = "",
) -> list[tuple[str, int]]:
    """(rewrite, offset) of the sites that `emit` takes with the same arguments.

    They stand in the order in which greater counts add them; each rate takes a first part of the sites of
    each rewrite.
    """
    plan, _, chosen = select(source, rewrites, rate, count, seed, key)
    owner = {
        part.first + i: (part.name, site.start) for part in plan.parts for i, site in enumerate(part.sites)
    }
    return [owner[number] for number in chosen]
