"""What a grid can find, before it runs: detectable effects, from how much differences vary elsewhere.

accuracy_1: finds ≥ 0.0064 in a fall, ≥ 0.011 in a gain
  for 0.005 take, for a gain, 60 projects × 12 seeds
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.statistics.crossed import Layout
from analysis.statistics.estimates import FEWEST, effective_number
from analysis.statistics.planning import MOST_SEEDS, PROJECTS, Design, Spread, enough
from grid.cells.claims import SEEDS, can_be
from grid.plan import pilot
from grid.plan.opening import Grid
from grid.results.folder import read_json
from grid.store.finished import Store

WORDS = {
    "robustness": "a fall",
    "training": "a gain",
    "clean": "a change on ordinary code",
    "baseline": "a difference to the baseline",
}
"""What each comparison looks for; of the last the others are the parts, so it is told where it is named."""
CAVEAT = (
    "a pilot's models are hardly trained and few, and so are its projects: what they differ by is a first "
    "guess, and of a rewrite or an intensity that it leaves out nothing is known"
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a grid holds of one comparison: rows that are tested, and what is drawn in most of them.

    `single`: rows of one seed, of which nothing is claimed.
    """

    rows: int
    single: int
    seeds: int
    draws: int


@dataclass(frozen=True, kw_only=True)
class Known:
    """How much the differences of one comparison and metric vary, and where that comes from."""

    spread: Spread
    source: str


def lines(grid: Grid, root: Path) -> Iterator[str]:
    """What the grid can find, in words; nothing where it compares nothing."""
    every = {kind: asked(grid, kind) for kind in WORDS}
    metrics, kinds = _named(grid)
    kinds = [kind for kind in kinds if every[kind] is not None]
    if not kinds:
        return
    if not any(one.rows for one in every.values() if one is not None):
        yield (
            "what it can find: nothing beyond these models, since each has one seed; with `seed: [1, 2, 3]` "
            "it would be told here"
        )
        return
    sizes = sizes_of_tests(grid, Store(root / "store"))
    if sizes is None:
        yield (
            "what it can find: unknown before its test projects are; "
            f"`augrid corpus {grid.document.name}` builds the corpus"
        )
        return
    n = len(sizes)
    if n < FEWEST:
        yield (
            f"what it can find: nothing; the test split has {n} project{'s' * (n != 1)}, and below {FEWEST} "
            "no interval is claimed, however large an effect is"
        )
        return
    effective = effective_number(np.array(sizes, float))
    yield (
        f"what it can find (power 0.8, α 0.05), with {n} test projects that weigh as much as {effective:.1f} "
        "of equal size:"
    )
    sources = list(_sources(grid, root))
    found = {(metric, kind): known(grid, kind, metric, sources) for metric in metrics for kind in kinds}
    if not any(found.values()):
        yield (
            f"  unknown: how much differences vary stands in no finished grid of this task in {root}, in no "
            f"pilot (`augrid run {grid.document.name} --pilot` takes minutes) and in no claims.guess"
        )
        return
    for metric in metrics:
        of_metric = {kind: (every[kind], found[metric, kind]) for kind in kinds}
        yield from _told(grid, metric, effective, of_metric)
    used = dict.fromkeys(one.source for one in found.values() if one is not None)
    yield from (f"  by {source}" for source in used)


def asked(grid: Grid, kind: str) -> Asked | None:
    """What a grid holds of one comparison; None if nothing."""
    axes = grid.cells.axes
    cells = [dict(zip(axes, cell.values, strict=True)) for cell in grid.cells.cells if not cell.baseline]
    groups: dict[tuple[str, ...], list[tuple[str, str | None]]] = {}
    for cell in cells:
        if can_be(kind, cell, cells):
            rest = tuple(value.json for name, value in cell.items() if name not in SEEDS)
            draw = cell["rewriting_seed"].json if "rewriting_seed" in cell else None
            groups.setdefault(rest, []).append((cell["seed"].json, draw))
    if not groups:
        return None
    layouts = [_layout(drawn) for drawn in groups.values()]
    crossed = Counter((layout.seeds, layout.draws) for layout in layouts if layout.seeds > 1)
    seeds, draws = crossed.most_common(1)[0][0] if crossed else (1, 1)
    return Asked(rows=crossed.total(), single=len(layouts) - crossed.total(), seeds=seeds, draws=draws)


def _layout(drawn: Sequence[tuple[str, str | None]]) -> Layout:
    draws = [draw for _, draw in drawn if draw is not None]
    return Layout.of([seed for seed, _ in drawn], draws if len(draws) == len(drawn) else None)


def _named(grid: Grid) -> tuple[list[str], list[str]]:
    """The metrics and the comparisons that are told: those that lead, and what the claims name."""
    claims, description = grid.spec.claims, grid.plan.task.DESCRIPTION
    primary = claims.primary or {}
    guessed = [metric for metrics in claims.guess.values() for metric in metrics]
    metrics = [*description.leads, *claims.margin, *guessed, primary.get("metric")]
    kinds = [*list(WORDS)[:3], *claims.guess, primary.get("comparison")]
    return [m for m in dict.fromkeys(metrics) if m], [k for k in dict.fromkeys(kinds) if k]


def sizes_of_tests(grid: Grid, store: Store) -> list[int] | None:
    """Tokens (samples, for a task that scores none) of each test project; of several corpora that of the
    fewest effective projects. None where a corpus isn't built yet.
    """
    import pyarrow.parquet as pq

    every = []
    for key in {steps.corpus.keys[0] for steps in grid.plan.by_cell}:
        if not store.has("corpus", key):
            return None
        counts: Counter[str] = Counter()
        for shard in sorted(store.path("corpus", key).glob("shard-*.parquet")):
            table = pq.read_table(shard, columns=["project", "split", "n_tokens"])
            for row in table.to_pylist():
                if row["split"] == "test":
                    scores_tokens = grid.plan.task.DESCRIPTION.tokens is not None
                    counts[row["project"]] += row["n_tokens"] if scores_tokens else 1
        every.append(list(counts.values()))
    return min(every, key=lambda sizes: effective_number(np.array(sizes, float)))


def _sources(grid: Grid, root: Path) -> Iterator[tuple[Path, str]]:
    """Folders of results of the same task, the grid's own first, then its pilot's, then the newest."""
    task, name = grid.plan.task.DESCRIPTION.name, grid.spec.name
    others = []
    for file in root.glob("*/run.json"):
        about: Mapping[str, Any] = read_json(file) or {}
        if (about.get("task") or {}).get("name") == task:
            others.append((str(about.get("finished", "")), bool(about.get("pilot")), file.parent))
    for _, is_pilot, folder in sorted(others, reverse=True):
        if folder.name == name and not is_pilot:
            yield folder, f"what this grid itself has finished in {folder}"
    for _, is_pilot, folder in others:
        if folder.name == pilot.name_of(name) and is_pilot:
            yield folder, f"the pilot in {folder}; {CAVEAT}"
    for _, is_pilot, folder in sorted(others, reverse=True):
        if folder.name != name and not is_pilot:
            yield folder, f"the finished grid in {folder}, as far as it resembles this one"


def known(grid: Grid, kind: str, metric: str, sources: Sequence[tuple[Path, str]]) -> Known | None:
    """From what is guessed in the claims, or from the first of the folders that tells of seeds, or at all."""
    guess = grid.spec.claims.guess.get(kind, {}).get(metric)
    if guess is not None:
        variances = {name: value**2 for name, value in guess.model_dump().items()}
        return Known(spread=Spread(**variances), source="what is guessed in claims.guess")
    first = None
    for folder, source in sources:
        spread = Spread.of(_rows(folder / "figures" / f"table-{kind}-{metric}.csv"))
        if spread is not None and spread.seed is not None:
            return Known(spread=spread, source=source)
        if spread is not None and first is None:
            first = Known(spread=spread, source=source)
    return first


def _rows(file: Path) -> list[dict[str, float]]:
    """The numbers of a table of differences that say how much they vary; none from a table without them."""
    names = ["standard_error", "standard_error_models", "n_effective", "n_seeds", "n_draws"]
    names += [f"variance_{source}" for source in ("seed", "draw", "project", "residual")]
    try:
        with file.open(newline="", encoding="utf-8") as opened:
            return [{name: float(row[name] or "nan") for name in names} for row in csv.DictReader(opened)]
    except (OSError, KeyError, ValueError):
        return []


def _told(
    grid: Grid, metric: str, effective: float, by_kind: Mapping[str, tuple[Asked | None, Known | None]]
) -> Iterator[str]:
    margin = grid.spec.claims.margin.get(metric)
    finds, holm, shown, remarks = [], [], [], []
    for kind, (one, about) in by_kind.items():
        assert one is not None
        what = WORDS[kind]
        if one.single:
            remarks.append(
                f"{what}: {one.single} of {one.rows + one.single} rows are of one seed, which finds nothing "
                "beyond its models; from 2 on something is claimed, from 3 on it isn't rough"
            )
        if not one.rows:
            continue
        if about is None or about.spread.seed is None:
            why = "how much differences vary" if about is None else "how much training seeds differ"
            remarks.append(f"{what}: unknown, since {why} is; a pilot tells, or claims.guess.{kind}.{metric}")
            continue
        design = Design(projects=effective, seeds=one.seeds, draws=one.draws)
        finds.append(f"≥ {design.finds(about.spread):.2g} in {what}")
        holm.append(f"≥ {design.finds(about.spread, rows=one.rows):.2g} ({one.rows} rows)")
        if margin is not None:
            if design.finds(about.spread) > margin:
                remarks.append(f"for {margin:g} in {what} take {_advice(about.spread, margin, design)}")
            least = design.shows(about.spread)
            can = "can be shown" if least <= margin else f"can't be shown, but within {least:.2g}"
            shown.append(f"{what}: {can}")
    yield f"  {metric}: finds {', '.join(finds)}" if finds else f"  {metric}: finds nothing that is known"
    if finds:
        yield f"    after Holm's correction: {', '.join(holm)}"
    yield from (f"    {remark}" for remark in remarks)
    if shown:
        yield f"    that a difference of none lies within the margin of {margin:g}: {'; '.join(shown)}"


def _advice(spread: Spread, wanted: float, there: Design) -> str:
    design = enough(spread, wanted, there)
    if design is None:
        return f"more than {PROJECTS[-1]} projects × {MOST_SEEDS} seeds"
    same = design.projects == there.projects
    projects = "these projects" if same else f"{design.projects:.0f} projects of equal size"
    return f"{projects} × {design.seeds} seeds"
