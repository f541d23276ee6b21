"""Units in the order of a value between 0 and 1, counted so that memory does not grow with them.

    value 0.93, 0.12, 0.55, …   ->   cells of 1/16384   ->   strata of equally many units: how many, sums

From these come the metrics that are made of strata: by bin, or of the most confident. Units whose values
share a cell count as equals: they are shared out where a border falls among them. Needs NumPy alone.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from analysis.statistics.metrics import Floats

CELLS = 1 << 14
STRATA = 30
"""Strata that are kept: 15 bins, and coverages of whole tenths, begin and end at their borders."""

Codes = npt.NDArray[np.int64]


class Ordered:
    """Counts units by cell: sums by name, of all units and of each group of units.

    The first name is the count: 1 for each unit.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._totals = np.zeros((len(names), CELLS + 1))
        self._parts: list[tuple[Codes, Floats]] = []  # places (n,): group and cell in one, sums (K, n)

    def add(self, values: Floats, sums: Mapping[str, Floats], groups: Codes | None = None) -> None:
        """More units: values (n,) in [0, 1], sums (n,) of all names but the first, codes (n,) of their
        groups."""
        cells = (values * CELLS).astype(np.int64)
        weights = [None, *(sums[name] for name in self.names[1:])]
        for total, weight in zip(self._totals, weights, strict=True):
            total += np.bincount(cells, weight, CELLS + 1)
        if groups is not None and len(values):
            places, at = np.unique(groups * (CELLS + 1) + cells, return_inverse=True)
            self._parts.append(
                (places, np.array([np.bincount(at, weight) for weight in weights], np.float64))
            )

    def totals(self) -> dict[str, Floats]:
        """(CELLS + 1,) each, of all units: what a metric that is made of strata takes."""
        return dict(zip(self.names, self._totals, strict=True))

    def strata(self, strata: int = STRATA) -> Iterator[tuple[int, Floats]]:
        """Of each group its code and its sums (K, strata); strata hold equally many units of all groups
        together."""
        if not self._parts:
            return
        n = np.cumsum(np.insert(self._totals[0], 0, 0.0))
        borders = np.linspace(0.0, n[-1], strata + 1)
        places, at = np.unique(np.concatenate([places for places, _ in self._parts]), return_inverse=True)
        sums = [np.bincount(at, row) for row in np.concatenate([found for _, found in self._parts], axis=1)]
        groups, cells = np.divmod(places, CELLS + 1)
        for group in np.unique(groups).tolist():
            own = groups == group
            below = np.zeros((len(self.names), CELLS + 2))
            below[:, 1 + cells[own]] = [row[own] for row in sums]
            below = np.cumsum(below, axis=1)
            yield group, np.diff([np.interp(borders, n, row) for row in below])
