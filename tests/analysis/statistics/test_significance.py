"""Tests and effect sizes against SciPy, statsmodels and hand computation."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
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
    assert significance.wilcoxon_clustered(np.zeros(8), np.arange(8)) == 1.0


def test_clusters_of_one_give_the_exact_signed_rank_test() -> None:
    d = np.array([1.5, -0.3, 2.2, 0.7, 3.1, -1.1, 0.9])
    assert significance.wilcoxon_clustered(d, np.arange(7)) == pytest.approx(significance.wilcoxon(d))


def test_clustered_signed_rank_by_hand() -> None:
    # ranks 1..4, signed sums of the clusters a: +1+2 = 3, b: -3+4 = 1; |±3 ± 1| >= 4 in 2 of 4 patterns
    p = significance.wilcoxon_clustered(np.array([0.1, 0.2, -0.3, 0.4]), ["a", "a", "b", "b"])
    assert p == pytest.approx(0.5)


def test_many_clusters_agree_with_the_normal_approximation() -> None:
    rng = np.random.default_rng(1)
    d = rng.normal(0.12, 1, size=400)
    clusters = np.repeat(np.arange(80), 5)
    signed = np.sign(d) * stats.rankdata(np.abs(d))
    sums = np.bincount(clusters, weights=signed)
    z = sums.sum() / np.sqrt((sums**2).sum())
    assert significance.wilcoxon_clustered(d, clusters) == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.01)


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
    assert significance.mcnemar_clustered([4, 2, 0], [1, 0, 1]) == pytest.approx(4 / 8)


def test_flips_of_one_project_can_not_convince_the_clustered_test() -> None:
    assert significance.mcnemar(1000, 0) < 1e-100
    assert significance.mcnemar_clustered([1000, 0, 0, 0], [0, 0, 0, 0]) == 1.0


def test_tost_is_statsmodels_paired_tost() -> None:
    rng = np.random.default_rng(2)
    d = rng.normal(0.05, 1, size=40)
    expected = ttost_paired(d, np.zeros(40), -0.4, 0.4)[0]
    error = d.std(ddof=1) / np.sqrt(40)
    assert significance.tost(d.mean(), error, 0.4, 39) == pytest.approx(expected)


def test_without_an_error_nothing_is_equivalent_and_a_margin_must_be_positive() -> None:
    assert significance.tost(0.0, float("nan"), 0.1, 5) == 1.0
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


def test_variance_split_is_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(4)
    table = rng.normal(size=(4, 1)) * 2 + rng.normal(size=(1, 9)) + rng.normal(size=(4, 9)) * 0.5
    long = pd.DataFrame(
        [(s, p, table[s, p]) for s in range(4) for p in range(9)], columns=["seed", "project", "y"]
    )
    anova = anova_lm(ols("y ~ C(seed) + C(project)", long).fit())
    ms = anova["sum_sq"] / anova["df"]
    split = significance.variance_split(table)
    assert split.residual == pytest.approx(ms["Residual"])
    assert split.seed == pytest.approx((ms["C(seed)"] - ms["Residual"]) / 9)
    assert split.project == pytest.approx((ms["C(project)"] - ms["Residual"]) / 4)
    assert sum(split.shares) == pytest.approx(1)


def test_variance_split_needs_two_of_each() -> None:
    with pytest.raises(ValueError, match="not 1 and 5"):
        significance.variance_split(np.ones((1, 5)))
    assert np.isnan(significance.variance_split(np.ones((2, 5))).shares).all()
