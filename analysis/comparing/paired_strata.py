"""The two sides of a comparison as sums of strata, for metrics by bin and of the most confident units."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.comparing.pairing import scope_of, sides_of, tests_of
from analysis.results import BadResults, Results, StrataTable
from analysis.statistics.metrics import Floats, Metric

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class PairedStrata:
    """A group of S cells: sums of P projects, S cells, both sides and B strata, (P, S, 2, B) each."""

    cells: list[str]
    projects: list[str]
    sums: dict[str, Floats]


def paired_strata(
    results: Results, kind: str, metric: Metric, *, scope: str | None = None
) -> dict[int, PairedStrata]:
    """What a metric that is made of strata needs, by the number of the group (as in `pairing.pairs`).

    Cells that weren't scored for it are left out. Raises `BadResults` where two sides don't hold as many
    units.
    """
    scope, table = scope_of(results, scope), results.strata
    if table is None:
        return {}
    found = {}
    every = sides_of(results, kind)
    for group in every["group"].unique().tolist():
        rows, sides = {}, every[every["group"] == group]
        for a, b in zip(sides["a_cell"], sides["b_cell"], strict=True):
            both = [
                _rows(results, table, metric, scope, cell, test, common_to=a)
                for cell, test in zip((a, b), tests_of(kind), strict=True)
            ]
            if all(map(len, both)):
                rows[a] = both
        if rows:
            found[group] = _paired(rows, table, [results.task.unit.count, *metric.sums])
            _check(found[group], results, kind)
    return found


def _rows(
    results: Results, table: StrataTable, metric: Metric, scope: str, cell: str, test: str, common_to: str
) -> Rows:
    """Rows of one side; of an original text of the samples that are common to a cell, where it lacks any."""
    if test != "original":
        return table.rows.get(
            (metric.by, cell, test, "all", results.task.comparable[scope]), np.empty(0, int)
        )
    common = table.rows.get((metric.by, cell, test, common_to, scope))
    return (
        common
        if common is not None
        else table.rows.get((metric.by, cell, test, "all", scope), np.empty(0, int))
    )


def _paired(rows: dict[str, list[Rows]], table: StrataTable, names: list[str]) -> PairedStrata:
    taken = np.unique(table.project[np.concatenate([own for both in rows.values() for own in both])])
    shape = (len(taken), len(rows), 2, int(table.stratum.max()) + 1)
    sums = {name: np.zeros(shape) for name in names}
    for cell, both in enumerate(rows.values()):
        for side, own in enumerate(both):
            place = (np.searchsorted(taken, table.project[own]), cell, side, table.stratum[own])
            for name, values in sums.items():
                values[place] = table.sums[name][own]
    return PairedStrata(cells=list(rows), projects=list(table.projects[taken]), sums=sums)


def _check(group: PairedStrata, results: Results, kind: str) -> None:
    unit = results.task.unit
    counts = group.sums[unit.count].sum(axis=-1)  # (P, S, 2)
    uneven = np.argwhere(np.abs(counts[..., 0] - counts[..., 1]) > 1e-6 * counts.max())
    if len(uneven):
        project, cell = uneven[0]
        a, b = counts[project, cell]
        raise BadResults(
            f"{results.folder / 'strata.parquet'}: the sides of the comparison {kind!r} don't hold the same "
            f"{unit.plural}: {a:.0f} and {b:.0f} of project {group.projects[project]}, "
            f"cell {group.cells[cell]}"
        )
