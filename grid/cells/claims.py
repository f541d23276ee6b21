"""What a spec claims before the run: a primary comparison, which must be in the grid, and which effects
matter at all. What is only guessed (how much differences vary) is checked too, and no claim.

primary: {comparison: training, metric: accuracy_1, rewrites: parens, intensity: 1.0}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.statistics.descriptions import Description
from grid.cells.axes import ORIGINAL, Collector, Names, Value, normalise, tested_variant
from grid.cells.expansion import Cells
from grid.spec.schema import COMPARISONS, Claims
from preprocessing.errors import suggest

SEEDS = ("seed", "rewriting_seed")
AT = ("claims", "primary")


def check(
    claims: Claims, cells: Cells, names: Names, description: Description, findings: Collector
) -> dict[str, Any]:
    """The claims as run.json holds them: levels of axes as tables show them.

    Notes a metric that doesn't exist or is never compared, and a primary comparison that isn't in the grid.
    """
    metrics = [one.name for one in description.metrics if one.differences != "never"]
    for metric in claims.margin:
        if metric not in metrics:
            findings.add(
                ("claims", "margin", metric), f"no metric that is compared{suggest(metric, metrics)}"
            )
    for kind, guesses in claims.guess.items():
        if kind not in COMPARISONS:
            findings.add(("claims", "guess", kind), f"no comparison{suggest(kind, list(COMPARISONS))}")
        for metric in guesses:
            if metric not in metrics:
                at = ("claims", "guess", kind, metric)
                findings.add(at, f"no metric that is compared{suggest(metric, metrics)}")
    primary = claims.primary
    if primary is None:
        return {"primary": {}, "margin": claims.margin}
    found = {name: primary[name] for name in ("comparison", "metric") if name in primary}
    for name, valid in (("comparison", list(COMPARISONS)), ("metric", metrics)):
        if name not in found:
            findings.add(AT, f"{name} is missing{suggest('', valid)}")
        elif found[name] not in valid:
            findings.add((*AT, name), f"no {name} {found[name]!r}{suggest(found[name], valid)}")
    levels = _levels(primary, cells, names, findings)
    return {"primary": {**found, **levels}, "margin": claims.margin}


def _levels(primary: Mapping[str, Any], cells: Cells, names: Names, findings: Collector) -> dict[str, str]:
    """The text of each level that is named, as long as some cells have all of them."""
    axes = [name for name in cells.axes if name not in SEEDS]
    kind = primary.get("comparison")
    left = [dict(zip(cells.axes, cell.values, strict=True)) for cell in cells.cells if not cell.baseline]
    whole = [cell for cell in left if can_be(kind, cell, left)]
    if left and not whole:
        findings.add(
            (*AT, "comparison"), f"no cells of the grid can be compared like that: {COMPARISONS[kind]}"
        )
    levels: dict[str, str] = {}
    for name, raw in primary.items():
        if name in ("comparison", "metric") or not whole:
            continue
        if name not in axes:
            why = (
                "a comparison is over all seeds"
                if name in SEEDS
                else f"no axis '{name}'{suggest(name, axes)}"
            )
            findings.add((*AT, name), why)
            continue
        there = {cell[name].text: None for cell in whole}
        try:
            value = normalise(name, raw, names)
        except ValueError as error:
            findings.add((*AT, name), str(error))
            continue
        whole = [cell for cell in whole if cell[name] == value]
        if not whole:
            of_kind = f"no cell of a {kind} comparison that fits the rest has {name} {value.text}"
            findings.add((*AT, name), f"{of_kind}{suggest(value.text, list(there))}")
        levels[name] = value.text
    return levels


def can_be(kind: Any, cell: Mapping[str, Value], cells: list[dict[str, Value]]) -> bool:
    """Whether a cell can stand in a comparison; one of no known kind is none that this could tell."""
    if kind in ("robustness", "baseline"):
        return tested_variant(cell) is not None
    if kind == "clean":
        return cell["train_on"] != ORIGINAL
    if kind == "training":
        own = cell["train_on"] != ORIGINAL and tested_variant(cell) is not None
        return own and any(other["train_on"] == ORIGINAL for other in cells)
    return True
