"""Differences over intensities, on samples that all of them kept: slopes, trends, and what can't be said."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.comparing.comparisons import compare
from analysis.comparing.dose_response import dose_response
from analysis.results import BadResults, Results


def test_a_linear_effect_is_its_slope(results: Results) -> None:
    for metric, sign in (("entropy", 1), ("accuracy_1", -1)):
        lines = dose_response(results, "robustness", metric).lines
        lines = lines.set_index(["rewrites", "train_on", "model"])
        rename = lines.T["rename", "original", "small"]
        assert rename["p_page_holm"] < 0.005
        assert sign * rename["slope"] > 0
        assert rename["p"] < 0.05
        assert lines["p_page_holm"]["parens", "original", "small"] > 0.05
        assert (lines["intensities"] == "0.25 0.5 1").all()
    entropy = dose_response(results, "robustness").lines.set_index(["rewrites", "train_on", "model"])
    rename = entropy.T["rename", "original", "small"]
    assert rename["low"] < 0.8 < rename["high"]
    assert rename["covers"] == "projects × seeds"


def test_points_are_of_the_samples_that_all_intensities_kept(results: Results) -> None:
    found = dose_response(results, "robustness")
    assert set(found.points["n_samples"]) == {58}  # 60 at 0.25, 59 at 0.5
    keys = list(results.groups)
    table = compare(results, "robustness", metrics=["entropy"], resamples=50).table.set_index(keys)
    points = found.points.set_index(keys).loc[table.index]
    own = table.index.get_level_values("intensity") == "1"
    for column in ("difference", "low", "high"):
        assert points[column][own].to_numpy() == pytest.approx(table[column][own].to_numpy())
    assert (points["difference"][~own] != table["difference"][~own]).any()


def test_the_slope_is_least_squares_by_hand(results: Results) -> None:
    found = dose_response(results, "training")
    line = found.lines.iloc[0]
    axes = [axis for axis in results.groups if axis != "intensity"]
    points = found.points.merge(line[axes].to_frame().T, on=axes)
    expected = np.polyfit(points["intensity"].astype(float), points["difference"].astype(float), 1)[0]
    assert line["slope"] == pytest.approx(expected)


def test_intensities_that_share_no_sample_have_no_line(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    samples, cells = pd.read_parquet(copy / "samples.parquet"), pd.read_parquet(copy / "cells.parquet")
    rate = samples["cell"].map(cells.set_index("cell")["intensity_value"])
    low = samples["project"].rank(method="dense") <= 6
    samples[rate.isna() | (low == (rate < 0.4))].to_parquet(copy / "samples.parquet")
    found = dose_response(Results(copy), "robustness")
    assert found.lines.empty
    assert found.points.empty


def test_two_intensities_have_a_slope_and_no_trend(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    cells = pd.read_parquet(copy / "cells.parquet")
    cells[cells["intensity"] != "0.5"].to_parquet(copy / "cells.parquet")
    lines = dose_response(Results(copy), "robustness").lines
    assert (lines["intensities"] == "0.25 1").all()
    assert np.isfinite(lines[["slope", "low", "p"]]).all(axis=None)
    assert lines["p_page"].isna().all()


def test_what_is_not_made_of_sums_by_sample_is_named(calibrated: Results) -> None:
    with pytest.raises(BadResults, match="ece is not made of sums by sample"):
        dose_response(calibrated, "robustness", "ece")
