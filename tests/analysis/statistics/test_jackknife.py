"""The jackknife over clusters: of means it is the usual t interval, of any metric it is by hand."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics import jackknife
from analysis.statistics.metrics import ByBin, Metric, Ratio


def metric(form: Ratio | ByBin) -> Metric:
    return Metric(name="m", label="", unit="", form=form)


MEAN = metric(Ratio(numerator="x", denominator="n"))


def test_of_a_mean_it_is_the_t_interval_and_the_t_test() -> None:
    x = np.array([1.0, 4.0, 2.0, 8.0, 5.0])
    without = jackknife.leave_one_out(MEAN, {"x": x, "n": np.ones(5)})
    assert without == pytest.approx((x.sum() - x) / 4)
    assert jackknife.standard_error(without) == pytest.approx(x.std(ddof=1) / np.sqrt(5))
    found, expected = jackknife.interval(x.mean(), without), stats.ttest_1samp(x, 0)
    low, high = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.method == "jackknife"
    assert jackknife.p_value(x.mean(), without) == pytest.approx(expected.pvalue)


def test_of_strata_without_each_cluster_by_hand() -> None:
    ece = metric(ByBin(first="a", second="b", count="n", by="a", bins=2))
    rng = np.random.default_rng(0)
    sums = {name: rng.uniform(1, 2, size=(4, 3, 6)) for name in "abn"}  # clusters, seeds, strata
    without = jackknife.leave_one_out(ece, sums)
    assert without.shape == (4, 3)
    rest = {name: values[[0, 1, 3], 2].sum(axis=0) for name, values in sums.items()}
    assert without[2, 2] == pytest.approx(float(ece.of(rest)))


def test_fewer_than_two_clusters_say_nothing() -> None:
    nothing = jackknife.leave_one_out(MEAN, {"x": np.ones(1), "n": np.ones(1)})
    assert np.isnan(nothing).all()  # without the only one there is no mean
    assert jackknife.interval(1.0, nothing).method == "none"
    assert jackknife.p_value(1.0, nothing) == 1.0


def test_no_difference_and_no_spread() -> None:
    same = np.full(4, 0.5)
    assert jackknife.p_value(0.0, np.zeros(4)) == 1.0
    assert jackknife.p_value(0.5, same) == 0.0
    assert jackknife.interval(0.5, same).low == 0.5
