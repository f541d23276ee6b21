"""The forms of metrics by hand, and against scikit-learn's bins."""

import numpy as np
import pytest

from analysis.statistics.metrics import (
    ByBin,
    Difference,
    Form,
    Metric,
    MostConfident,
    PowerOfTwo,
    Ratio,
    Worst,
)

SUMS = {
    name: np.array(values, dtype=float) for name, values in {"a": [6, 1], "b": [3, 5], "n": [4, 2]}.items()
}


def ece(confidence: list[float], right: list[bool], bins: int) -> float:
    order = np.argsort(confidence, kind="stable")
    sums = {
        "confidence": np.array(confidence)[order],
        "right": np.array(right, dtype=float)[order],
        "n": np.ones(len(order)),
    }
    return float(ByBin(first="confidence", second="right", count="n", by="confidence", bins=bins).of(sums))


@pytest.mark.parametrize(
    "form, expected",
    [
        (Ratio(numerator="a", denominator="n"), [1.5, 0.5]),
        (Ratio(numerator="a", denominator="n", factor=2), [3.0, 1.0]),
        (Difference(plus="a", minus="b", denominator="n"), [0.75, -2.0]),
        (PowerOfTwo(numerator="a", denominator="n"), [2**1.5, 2**0.5]),
        (Worst(numerator="a", denominator="n"), [1.5, 0.5]),
    ],
)
def test_values_of_sums(form: Form, expected: list[float]) -> None:
    assert form.of(SUMS).tolist() == expected
    assert set(form.sums) <= set(SUMS)


def test_without_units_there_is_no_value() -> None:
    nothing = {name: np.zeros(2) for name in SUMS}
    assert not np.isfinite(Ratio(numerator="a", denominator="n").of(nothing)).any()
    assert not np.isfinite(PowerOfTwo(numerator="a", denominator="n").of(nothing)).any()
    assert np.isnan(ByBin(first="a", second="b", count="n", by="a", bins=3).of(nothing))
    assert np.isnan(MostConfident(numerator="a", count="n", by="a", coverage=0.5).of(nothing))


def test_calibration_error_by_hand() -> None:
    confidence, right = [0.25, 0.5, 0.75, 1.0], [False, True, True, True]
    assert ece(confidence, right, 1) == pytest.approx(0.75 - 0.625)
    assert ece(confidence, right, 2) == pytest.approx((abs(1 - 0.75) + abs(2 - 1.75)) / 4)
    assert ece(confidence, right, 4) == pytest.approx((0.25 + 0.5 + 0.25 + 0) / 4)
    assert ece([1.0] * 7, [True] * 7, 15) == pytest.approx(0.0)


def test_calibration_error_equals_the_bins_of_scikit_learn() -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.02, 1.0, size=15 * 200)
    right = rng.uniform(size=len(confidence)) < confidence**2
    accuracies, confidences = calibration.calibration_curve(right, confidence, n_bins=15, strategy="quantile")
    assert ece(confidence.tolist(), right.tolist(), 15) == pytest.approx(
        np.abs(accuracies - confidences).mean()
    )


def test_of_the_most_confident_by_hand() -> None:
    form = MostConfident(numerator="right", count="n", by="confidence", coverage=0.5)
    sums = {"right": np.array([0.0, 1.0, 0.0, 3.0]), "n": np.array([2.0, 2.0, 1.0, 3.0])}  # strata of 8 units
    assert float(form.of(sums)) == 3 / 4  # the last 3, and the one before them
    half = {"right": np.array([1.0, 3.0]), "n": np.array([2.0, 6.0])}  # the border falls among the last 6
    assert float(form.of(half)) == 2 / 4


def test_strata_of_several_sets_at_once() -> None:
    form = ByBin(first="a", second="b", count="n", by="a", bins=2)
    rng = np.random.default_rng(1)
    sums = {name: rng.uniform(1, 2, size=(3, 2, 10)) for name in "abn"}
    found = form.of(sums)
    assert found.shape == (3, 2)
    assert found[2, 1] == form.of({name: values[2, 1] for name, values in sums.items()})


def test_calibration_by_chance_is_about_what_a_calibrated_model_has() -> None:
    form, rng = ByBin(first="c", second="r", count="n", by="c", bins=15), np.random.default_rng(2)
    for n, runs in ((500, 200), (10_000, 100)):
        found, told = [], []
        for _ in range(runs):
            confidence = np.sort(rng.uniform(0, 1, size=n))
            right = (rng.uniform(size=n) < confidence).astype(float)
            sums = {"c": confidence, "r": right, "n": np.ones(n)}
            found.append(float(form.of(sums)))
            told.append(float(form.by_chance(sums)))
        assert np.mean(told) == pytest.approx(np.mean(found), rel=0.12)


def test_without_each_cluster_by_hand() -> None:
    mean = Metric(name="m", label="", unit="", form=Ratio(numerator="x", denominator="n"))
    x = np.array([1.0, 4.0, 2.0, 8.0, 5.0])
    assert mean.without_each({"x": x, "n": np.ones(5)}) == pytest.approx((x.sum() - x) / 4)
    form = ByBin(first="a", second="b", count="n", by="a", bins=2)
    ece = Metric(name="e", label="", unit="", form=form)
    rng = np.random.default_rng(0)
    sums = {name: rng.uniform(1, 2, size=(4, 3, 6)) for name in "abn"}  # clusters, seeds, strata
    without = ece.without_each(sums)
    assert without.shape == (4, 3)
    rest = {name: values[[0, 1, 3], 2].sum(axis=0) for name, values in sums.items()}
    assert without[2, 2] == pytest.approx(float(ece.of(rest)))


@pytest.mark.parametrize("higher, expected", [(True, [0, 0, 1]), (False, [1, 0, 1]), (None, [0, 0, 1])])
def test_the_worst_of_several_draws(higher: bool | None, expected: list[int]) -> None:
    form = Worst(numerator="a", denominator="n")
    metric = Metric(name="worst", label="", unit="", form=form, higher_is_better=higher)
    assert metric.of_draws
    assert metric.worst(np.array([[1, 0, 1], [0, 0, 1]])).tolist() == expected
