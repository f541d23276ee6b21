"""Tests and effect sizes against SciPy, statsmodels and hand computation."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as sm_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from analysis.statistics import effects, significance

values = st.lists(st.integers(-5, 5), min_size=1, max_size=12).map(lambda xs: np.array(xs, dtype=float))


def test_wilcoxon_is_exact_for_few_pairs_without_ties() -> None:
    d = np.array([1.5, -0.3, 2.2, 0.7, 3.1])  # W- = 1: 2 of 32 patterns reach it on either side
    assert significance.wilcoxon(d) == pytest.approx(4 / 32)


def test_wilcoxon_with_zeros_and_ties_is_scipys_with_pratts_rule() -> None:
    d = np.array([0, 0, 1, 1, -1, 2, 3, 3, -2, 4, 5, 0], dtype=float)
    expected = stats.wilcoxon(d, zero_method="pratt", method="asymptotic").pvalue
    assert significance.wilcoxon(d) == pytest.approx(expected)


def test_no_difference_at_all_is_p_one() -> None:
    assert significance.wilcoxon(np.zeros(8)) == 1.0
    assert significance.wilcoxon_clustered(np.zeros(8), np.arange(8)).p == 1.0


def test_clusters_of_one_give_the_exact_signed_rank_test() -> None:
    d = np.array([1.5, -0.3, 2.2, 0.7, 3.1, -1.1, 0.9])
    assert significance.wilcoxon_clustered(d, np.arange(7)).p == pytest.approx(significance.wilcoxon(d))


def test_clustered_signed_rank_by_hand() -> None:
    # ranks 1..4, signed sums of the clusters a: +1+2 = 3, b: -3+4 = 1; |±3 ± 1| >= 4 in 2 of 4 patterns
    p = significance.wilcoxon_clustered(np.array([0.1, 0.2, -0.3, 0.4]), ["a", "a", "b", "b"]).p
    assert p == pytest.approx(0.5)


def test_many_clusters_agree_with_the_normal_approximation() -> None:
    rng = np.random.default_rng(1)
    d = rng.normal(0.12, 1, size=400)
    clusters = np.repeat(np.arange(80), 5)
    signed = np.sign(d) * stats.rankdata(np.abs(d))
    sums = np.bincount(clusters, weights=signed)
    z = sums.sum() / np.sqrt((sums**2).sum())
    found = significance.wilcoxon_clustered(d, clusters)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.01)


@given(values, values)
def test_cliffs_delta_is_the_count_over_all_pairs(x: np.ndarray, y: np.ndarray) -> None:
    signs = [np.sign(a - b) for a, b in itertools.product(x, y)]
    assert effects.cliffs_delta(x, y) == pytest.approx(np.mean(signs))


@given(values, values)
def test_a12_is_the_mann_whitney_share(x: np.ndarray, y: np.ndarray) -> None:
    u = stats.mannwhitneyu(x, y).statistic
    assert effects.a12(x, y) == pytest.approx(u / (len(x) * len(y)))


def test_cliffs_delta_with_interval_agrees_with_the_plain_one() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(0.5, size=60), rng.normal(size=60)
    found = effects.cliffs_delta_interval(x, y, np.repeat(np.arange(12), 5))
    assert found.delta == pytest.approx(effects.cliffs_delta(x, y))
    assert found.interval.low < found.delta < found.interval.high


def test_a_small_shift_everywhere_lies_inside_its_own_interval() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=60)
    found = effects.cliffs_delta_interval(y + 0.05, y, np.repeat(np.arange(12), 5))
    assert found.interval.low <= found.delta <= found.interval.high


def test_cliffs_delta_of_one_cluster_has_no_interval() -> None:
    found = effects.cliffs_delta_interval(np.array([1.0, 2.0]), np.array([0.0, 0.0]), ["a", "a"])
    assert (found.delta, found.interval.method) == (1.0, "none")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(deadline=None, max_examples=40)
def test_holm_is_statsmodels_holm(p: list[float]) -> None:
    expected = multipletests(p, method="holm")[1]
    assert significance.holm(np.array(p)) == pytest.approx(expected)


@pytest.mark.parametrize("lost, gained", [(0, 0), (5, 0), (12, 7), (3, 20), (59, 6)])
def test_mcnemar_is_statsmodels_exact_test(lost: int, gained: int) -> None:
    expected = 1.0 if lost + gained == 0 else sm_mcnemar([[10, lost], [gained, 10]], exact=True).pvalue
    assert significance.mcnemar(lost, gained) == pytest.approx(expected)


def test_clustered_mcnemar_by_hand() -> None:
    # sums 3, 2, -1: |±3 ± 2 ± 1| >= 4 in 4 of 8 patterns
    assert significance.mcnemar_clustered([4, 2, 0], [1, 0, 1]).p == pytest.approx(4 / 8)


def test_flips_of_one_project_can_not_convince_the_clustered_test() -> None:
    assert significance.mcnemar(1000, 0) < 1e-100
    assert significance.mcnemar_clustered([1000, 0, 0, 0], [0, 0, 0, 0]).p == 1.0


def test_tost_is_statsmodels_paired_tost() -> None:
    rng = np.random.default_rng(2)
    d = rng.normal(0.05, 1, size=40)
    expected = ttost_paired(d, np.zeros(40), -0.4, 0.4)[0]
    error = d.std(ddof=1) / np.sqrt(40)
    assert significance.tost(d.mean(), error, 0.4, 39) == pytest.approx(expected)


def test_a_difference_without_any_error_is_what_it_is() -> None:
    assert significance.tost(0.0, 0.0, 0.1, 5) == 0.0
    assert significance.tost(-0.2, 0.0, 0.1, 5) == 1.0


def test_without_an_error_nothing_is_shown_and_a_margin_must_be_positive() -> None:
    assert np.isnan(significance.tost(0.0, float("nan"), 0.1, 5))
    with pytest.raises(ValueError, match="must be positive, not 0"):
        significance.tost(0.0, 0.1, 0, 5)


def test_minimum_detectable_effect_has_the_power_it_says() -> None:
    effect = significance.minimum_detectable_effect(1 / np.sqrt(25), 24, alpha=0.05, power=0.8)
    assert TTestPower().power(effect, nobs=25, alpha=0.05) == pytest.approx(0.8, abs=0.01)


def test_page_trend_on_the_example_of_scipys_manual() -> None:
    # students rate tutorial < lecture < seminar (from the manual of scipy.stats.page_trend_test)
    ratings = [
        [3, 4, 3],
        [2, 2, 4],
        [3, 3, 5],
        [1, 3, 2],
        [2, 3, 2],
        [2, 4, 5],
        [1, 2, 4],
        [3, 4, 4],
        [2, 4, 5],
    ]
    table = np.array([*ratings, [1, 3, 4]], dtype=float)
    found = significance.page_trend(table)
    assert (found.statistic, found.p) == pytest.approx((133.5, 0.0018191161948127822))
    assert (found.blocks, found.levels) == (10, 3)


def test_pages_l_by_hand() -> None:
    # both blocks rise: L = 2 (1·1 + 2·2 + 3·3) = 28, reached by 1 of 36 orders
    found = significance.page_trend(np.array([[0.1, 0.2, 0.3], [1.0, 5.0, 9.0]]))
    assert found.statistic == 28
    assert found.p == pytest.approx(1 / 36)


def test_a_trend_needs_three_levels() -> None:
    with pytest.raises(ValueError, match="there are 2"):
        significance.page_trend(np.ones((5, 2)))


@given(st.integers(1, 13), st.integers(0, 10_000))
@settings(deadline=None, max_examples=60)
def test_sign_flips_are_exact_whichever_way_they_are_counted(clusters: int, seed: int) -> None:
    steps = np.random.default_rng(seed).integers(1, 30, size=clusters)
    signs = np.random.default_rng(seed + 1).choice([-1, 1], size=clusters)
    observed = abs(int((steps * signs).sum()))
    every = np.array(list(itertools.product([-1, 1], repeat=clusters))) @ steps
    expected = float((np.abs(every) >= observed).mean())
    assert significance._convolved(steps, observed) == pytest.approx(expected)
    assert significance.sign_flip(steps * signs / 2).p == pytest.approx(expected)


def test_many_clusters_are_exact_and_have_no_floor_from_draws() -> None:
    found = significance.sign_flip(np.arange(1.0, 41.0))
    assert found == significance.SignFlip(p=2.0**-39, how="exact")
    mixed = np.where(np.arange(40) % 3 == 0, -1, 1) * np.arange(1.0, 41.0)
    exact = significance.sign_flip(mixed)
    expected = stats.wilcoxon(mixed, method="exact").pvalue  # ranks of one cluster each
    assert exact.p == pytest.approx(expected)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.5, 1.0, 2.0])
def test_the_saddlepoint_is_near_the_exact_p(shift: float) -> None:
    """Of sums with as many half-steps as are still exact, and of the same sums moved by a little."""
    sums = np.round(200 * np.random.default_rng(1).normal(shift, 1, size=30)) / 2
    exact, near = significance.sign_flip(sums), significance.sign_flip(sums * (1 + 1e-9))
    assert (exact.how, near.how) == ("exact", "saddlepoint")
    assert near.p == pytest.approx(exact.p, rel=0.03 if exact.p > 1e-6 else 0.3)


def test_large_sums_are_left_to_the_saddlepoint() -> None:
    rng = np.random.default_rng(2)
    found = significance.wilcoxon_clustered(rng.normal(1, 1, 2000), np.repeat(np.arange(20), 100))
    assert found.how == "saddlepoint"
    few = significance.wilcoxon_clustered(rng.normal(0.1, 1, 300), np.repeat(np.arange(20), 15))
    assert few.how == "exact"


def test_families_leave_out_what_has_no_p() -> None:
    p = np.array([0.01, np.nan, 0.04])
    assert significance.holm(p)[[0, 2]] == pytest.approx([0.02, 0.04])
    assert significance.false_discovery(p)[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan([significance.holm(p)[1], significance.false_discovery(p)[1]]).all()
    assert np.isnan(significance.holm(np.array([np.nan]))).all()


@given(values, st.integers(0, 1000))
def test_paired_dominance_is_deltas_two_parts(x: np.ndarray, seed: int) -> None:
    y = np.random.default_rng(seed).integers(-5, 5, size=len(x)).astype(float)
    found, n = effects.paired_dominance(x, y), len(x)
    assert found.within == pytest.approx(np.mean(np.sign(x - y)))
    if n > 1:
        between = [np.sign(x[i] - y[j]) for i in range(n) for j in range(n) if i != j]
        assert found.between == pytest.approx(np.mean(between))
        assert effects.cliffs_delta(x, y) == pytest.approx((found.within + (n - 1) * found.between) / n)
