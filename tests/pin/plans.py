"""Cells, graph and keys of a committed spec as lines.

Steps are named by kind and place (`train-3`), so that the graph is the same under other keys, and a diff of
the keys says which steps have others.
"""

from collections import Counter
from collections.abc import Iterator

from tests.pin import product
from tests.pin.product import Cell, Step

SPECS = ("quickstart", "lampion")
RAW_DIGEST = "raw data of the corpus"


def pins() -> Iterator[tuple[str, list[str]]]:
    """Name of a golden file, and its lines."""
    for spec in SPECS:
        cells, steps, versions = product.planned(spec, RAW_DIGEST)
        names = _names(steps)
        yield f"{spec}.cells", [_cell(cell) for cell in cells]
        yield f"{spec}.graph", [*_steps(steps, names), *(_behind(cell, names) for cell in cells)]
        keys = [f"version {kind} {version}" for kind, version in versions.items()]
        yield f"{spec}.keys", [*keys, *(f"{names[s.key]} ({s.about}) {s.key}" for s in steps)]


def _names(steps: list[Step]) -> dict[str, str]:
    seen: Counter[str] = Counter()
    names = {}
    for step in steps:
        names[step.key] = f"{step.kind}-{seen[step.kind]}"
        seen[step.kind] += 1
    return names


def _cell(cell: Cell) -> str:
    values = ", ".join(f"{axis} {text}" for axis, text in cell.values.items())
    return f"{cell.id}, baseline {cell.baseline}: {values}"


def _steps(steps: list[Step], names: dict[str, str]) -> Iterator[str]:
    first: dict[tuple[str, str], str] = {}
    for step in steps:
        group = first.setdefault((step.kind, step.group), names[step.key])
        needs = [f"{role} = {' '.join(names[key] for key in keys)}" for role, keys in step.needs.items()]
        yield f"{names[step.key]}: together with {group}; {'; '.join(needs) or 'needs nothing'}"


def _behind(cell: Cell, names: dict[str, str]) -> str:
    steps = [f"{role} = {' '.join(names[key] for key in keys)}" for role, keys in cell.steps.items()]
    return f"cell {cell.id}: {'; '.join(steps)}"
