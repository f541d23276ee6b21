"""Tests and effect sizes against SciPy, statsmodels and hand computation."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis import statistics

values = st.lists(st.integers(-5, 5), min_size=1, max_size=12).map(lambda xs: np.array(xs, dtype=float))


def test_wilcoxon_is_exact_for_few_pairs_without_ties() -> None:
    d = np.array([1.5, -0.3, 2.2, 0.7, 3.1])  # W- = 1: 2 of 32 patterns reach it on either side
    assert statistics.wilcoxon(d) == pytest.approx(4 / 32)


def test_wilcoxon_with_zeros_and_ties_is_scipys_with_pratts_rule() -> None:
    d = np.array([0, 0, 1, 1, -1, 2, 3, 3, -2, 4, 5, 0], dtype=float)
    expected = stats.wilcoxon(d, zero_method="pratt", method="asymptotic").pvalue
    assert statistics.wilcoxon(d) == pytest.approx(expected)


def test_no_difference_at_all_is_p_one() -> None:
    assert statistics.wilcoxon(np.zeros(8)) == 1.0
    assert statistics.wilcoxon_clustered(np.zeros(8), np.arange(8)) == 1.0


def test_clusters_of_one_give_the_exact_signed_rank_test() -> None:
    d = np.array([1.5, -0.3, 2.2, 0.7, 3.1, -1.1, 0.9])
    assert statistics.wilcoxon_clustered(d, np.arange(7)) == pytest.approx(statistics.wilcoxon(d))


def test_clustered_signed_rank_by_hand() -> None:
    # ranks 1..4, signed sums of the clusters a: +1+2 = 3, b: -3+4 = 1; |±3 ± 1| >= 4 in 2 of 4 patterns
    p = statistics.wilcoxon_clustered(np.array([0.1, 0.2, -0.3, 0.4]), ["a", "a", "b", "b"])
    assert p == pytest.approx(0.5)


def test_many_clusters_agree_with_the_normal_approximation() -> None:
    rng = np.random.default_rng(1)
    d = rng.normal(0.12, 1, size=400)
    clusters = np.repeat(np.arange(80), 5)
    signed = np.sign(d) * stats.rankdata(np.abs(d))
    sums = np.bincount(clusters, weights=signed)
    z = sums.sum() / np.sqrt((sums**2).sum())
    assert statistics.wilcoxon_clustered(d, clusters) == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.01)


@given(values, values)
def test_cliffs_delta_is_the_count_over_all_pairs(x: np.ndarray, y: np.ndarray) -> None:
    signs = [np.sign(a - b) for a, b in itertools.product(x, y)]
    assert statistics.cliffs_delta(x, y) == pytest.approx(np.mean(signs))


@given(values, values)
def test_a12_is_the_mann_whitney_share(x: np.ndarray, y: np.ndarray) -> None:
    u = stats.mannwhitneyu(x, y).statistic
    assert statistics.a12(x, y) == pytest.approx(u / (len(x) * len(y)))


def test_cliffs_delta_with_interval_agrees_with_the_plain_one() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(0.5, size=60), rng.normal(size=60)
    found = statistics.cliffs_delta_interval(x, y, np.repeat(np.arange(12), 5))
    assert found.delta == pytest.approx(statistics.cliffs_delta(x, y))
    assert found.interval.low < found.delta < found.interval.high


def test_a_small_shift_everywhere_lies_inside_its_own_interval() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=60)
    found = statistics.cliffs_delta_interval(y + 0.05, y, np.repeat(np.arange(12), 5))
    assert found.interval.low <= found.delta <= found.interval.high


def test_cliffs_delta_of_one_cluster_has_no_interval() -> None:
    found = statistics.cliffs_delta_interval(np.array([1.0, 2.0]), np.array([0.0, 0.0]), ["a", "a"])
    assert (found.delta, found.interval.method) == (1.0, "none")


@pytest.mark.parametrize(
    "delta, word",
    [
        (0.0, "negligible"),
        (0.12, "small"),
        (-0.28, "medium"),
        (0.42, "large"),
        (-1.0, "large"),
        (0.11, "negligible"),
    ],
)
def test_magnitudes_begin_at_the_published_bounds(delta: float, word: str) -> None:
    assert statistics.magnitude(delta) == word


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_statsmodels_holm(p: list[float]) -> None:
    expected = multipletests(p, method="holm")[1]
    assert statistics.holm(np.array(p)) == pytest.approx(expected)
