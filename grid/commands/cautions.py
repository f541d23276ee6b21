"""What limits a grid, as far as it is known before it runs: few test projects, much that is thrown out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from grid.plan.opening import Grid
from grid.store.finished import Store
from preprocessing.corpus.building import CorpusConfig

FEWEST = 5
"""Projects in a test split below which no interval is claimed."""
MUCH = 0.1
"""Of the test samples, thrown out of a variant."""


def cautions(grid: Grid, store: Store) -> Iterator[str]:
    """A line for each, from what is finished in the store, and from what a source lists."""
    told: set[str] = set()
    for spec, steps in zip(grid.specs(), grid.plan.by_cell, strict=True):
        if steps.corpus.name not in told:
            told.add(steps.corpus.name)
            yield from few_projects(spec.corpus, _facts(store, "corpus", steps.corpus.keys[0]))
        if steps.tested is not None and steps.tested.name not in told:
            told.add(steps.tested.name)
            share = _thrown_out([_facts(store, "variant", key) for key in steps.tested.keys])
            if share > MUCH:
                rewriting = spec.testing
                assert rewriting is not None
                names = ", ".join(name for name, _ in rewriting.rewrites)
                (unit, amount), *_ = rewriting.intensity.items()
                yield (
                    f"{share:.0%} of the test samples are thrown out of {names} at {unit} {amount:g}: "
                    "what is told holds for the others, which are those that grow least"
                )


def _facts(store: Store, kind: str, key: str) -> Mapping[str, Any] | None:
    manifest = store.manifest(kind, key)
    return None if manifest is None else manifest["facts"]


def few_projects(corpus: CorpusConfig, facts: Mapping[str, Any] | None) -> Iterator[str]:
    """What is said of a test split of few projects; facts: of the corpus, if it is built."""
    split = corpus.split
    if split.by != "project":
        return
    known = _listed(corpus)
    if facts is not None:
        n, about = int(facts["splits"]["test"]["projects"]), ""
    elif known is not None:
        n, about = round(known * split.test), "about "
    else:
        return
    if n < FEWEST:
        more = math.ceil((FEWEST - n) / split.test)
        projects = f"{about}{n} project{'' if n == 1 else 's'}"
        yield (
            f"the test split has {projects}; below {FEWEST} no interval is claimed: {more} more would do, "
            "or corpus.split: {by: file}, which tells of these projects only"
        )


def _listed(corpus: CorpusConfig) -> int | None:
    """How many projects a source names; None where only reading it can tell."""
    names = getattr(corpus.source, "packages", ()) or getattr(corpus.source, "repositories", ())
    return len(names) or None


def _thrown_out(shards: list[Mapping[str, Any] | None]) -> float:
    """Share of the test samples; 0 where it isn't known yet."""
    counts: Counter[bool] = Counter()
    for facts in shards:
        for group in facts["groups"] if facts is not None else ():
            if group["split"] == "test":
                counts[group["outcome"] == "thrown_out"] += group["n_samples"]
    return counts[True] / max(1, counts.total())
