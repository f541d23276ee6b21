"""The cluster bootstrap against SciPy's, and its behaviour at the edges."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from analysis.statistics.bootstrap import Interval, interval, resample

Floats = npt.NDArray[np.float64]


def of_mean(x: Floats, resamples: int, seed: int = 0) -> Interval:
    """The interval of a mean of clusters of one."""
    without = (x.sum() - x) / (len(x) - 1)
    return interval(x.mean(), resample(x[:, None], resamples, seed)[:, 0] / len(x), without)


def test_resampling_by_counts_draws_as_many_clusters_as_there_are() -> None:
    counts = resample(np.eye(7), resamples=500, seed=3)
    assert (counts.sum(axis=1) == 7).all()
    assert counts.mean(axis=0) == pytest.approx(np.ones(7), abs=0.2)


def test_many_clusters_take_another_road_to_the_same_kind_of_resample() -> None:
    sums = np.ones((5000, 2))
    assert (resample(sums, resamples=1700, seed=1) == 5000).all()


def test_bca_equals_scipys_but_for_the_stated_widening() -> None:
    rng = np.random.default_rng(5)
    x = rng.gamma(2, size=400)
    ours = of_mean(x, 40_000, seed=2)
    theirs = stats.bootstrap((x,), np.mean, n_resamples=40_000, method="BCa", rng=rng).confidence_interval
    assert ours.method == "BCa"
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.012)


def test_few_clusters_widen_the_interval_towards_students() -> None:
    x = np.array([0.2, 0.5, 0.9, 1.1, 1.4, 1.9])
    ours = of_mean(x, 40_000)
    plain = stats.bootstrap((x,), np.mean, n_resamples=40_000, method="BCa", rng=1).confidence_interval
    assert ours.high - ours.low > plain.high - plain.low


def test_one_cluster_has_no_interval() -> None:
    none = interval(0.75, np.full(100, 0.75), np.array([np.nan]))
    assert none.method == "none"
    assert np.isnan(none.low)


def test_clusters_without_spread_fall_back_to_the_percentile_interval_and_say_so() -> None:
    flat = of_mean(np.ones(6), 200)
    assert flat.method == "percentile"
    assert flat.low == flat.high == 1.0


def test_all_replicates_on_one_side_fall_back_to_the_percentile_interval() -> None:
    found = interval(0.0, np.linspace(1, 2, 100), np.array([0.1, 0.2, 0.4]))
    assert found.method == "percentile"


def test_same_seed_same_interval() -> None:
    x = np.random.default_rng(0).gamma(2, size=9)
    assert of_mean(x, 1000, seed=4) == of_mean(x, 1000, seed=4)
