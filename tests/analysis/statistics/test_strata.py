"""Units in order: pieces, groups and strata add up, and borders are shared out."""

import numpy as np
import pytest

from analysis.statistics.metrics import ByBin, MostConfident
from analysis.statistics.strata import CELLS, Ordered

ECE = ByBin(first="confidence", second="right", count="n", by="confidence", bins=15)
TOP = MostConfident(numerator="right", count="n", by="confidence", coverage=0.5)


def counted(confidence: np.ndarray, right: np.ndarray, groups: np.ndarray | None = None) -> Ordered:
    ordered = Ordered(("n", "confidence", "right"))
    for rows in np.array_split(np.arange(len(right)), 7):  # in pieces
        own = {"confidence": confidence[rows], "right": right[rows].astype(float)}
        ordered.add(confidence[rows], own, None if groups is None else groups[rows])
    return ordered


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    confidence = rng.beta(0.6, 0.6, size=5000)  # most are near 0 or 1
    return confidence, rng.uniform(size=5000) < confidence**2, rng.integers(0, 6, size=5000) * 2


def test_equals_a_sort_of_all_units(drawn: tuple[np.ndarray, ...]) -> None:
    confidence, right, _ = drawn
    order = np.argsort(confidence)
    exact = {"confidence": confidence[order], "right": right[order].astype(float), "n": np.ones(len(order))}
    totals = counted(confidence, right).totals()
    assert float(ECE.of(totals)) == pytest.approx(float(ECE.of(exact)), abs=1e-4)
    assert float(TOP.of(totals)) == pytest.approx(right[order][2500:].mean(), abs=1e-3)


def test_strata_of_groups_add_up_to_those_of_all(drawn: tuple[np.ndarray, ...]) -> None:
    confidence, right, groups = drawn
    ordered = counted(confidence, right, groups)
    found = dict(ordered.strata(30))
    assert list(found) == [0, 2, 4, 6, 8, 10]
    sums = dict(zip(("n", "confidence", "right"), np.sum(list(found.values()), axis=0), strict=True))
    assert sums["n"] == pytest.approx(np.full(30, 5000 / 30))
    assert float(ECE.of(sums)) == pytest.approx(float(ECE.of(ordered.totals())), abs=1e-12)
    assert float(TOP.of(sums)) == pytest.approx(float(TOP.of(ordered.totals())), abs=1e-12)
    assert found[4].sum(axis=1) == pytest.approx(
        [(groups == 4).sum(), confidence[groups == 4].sum(), right[groups == 4].sum()]
    )


def test_equal_units_are_shared_out() -> None:
    ordered = counted(
        np.full(7, 1.0), np.array([True, False, True, True, False, True, True]), np.zeros(7, int)
    )
    ((_, sums),) = ordered.strata(2)
    assert sums == pytest.approx(np.array([[3.5, 3.5], [3.5, 3.5], [2.5, 2.5]]))
    assert float(ordered.totals()["n"][CELLS]) == 7


def test_no_units_no_strata() -> None:
    assert list(counted(np.zeros(0), np.zeros(0, bool), np.zeros(0, int)).strata()) == []
    assert np.isnan(ECE.of(Ordered(("n", "confidence", "right")).totals()))
