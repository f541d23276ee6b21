"""Calibration, the most confident, and other metrics that are made of strata, compared like the others."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.comparing.comparisons import compare
from analysis.comparing.pairing import KINDS
from analysis.results import BadResults, Results
from analysis.statistics.crossed import Layout
from analysis.statistics.estimates import estimate

ORDERED = ("ece", "accuracy_1_top_50", "accuracy_1_top_80")


@pytest.fixture(scope="module")
def by_kind(calibrated: Results) -> dict[str, pd.DataFrame]:
    metrics = [*ORDERED, "overconfidence", "f1_subtokens"]
    return {kind: compare(calibrated, kind, metrics=metrics, resamples=200).table for kind in KINDS}


def test_every_kind_of_comparison_has_a_row_per_group_and_metric(by_kind: dict[str, pd.DataFrame]) -> None:
    for kind, table in by_kind.items():
        assert set(table["metric"]) == {*ORDERED, "overconfidence", "f1_subtokens"}, kind
        assert (table.groupby("metric").size() == (6 if kind in ("training", "clean") else 12)).all()
        assert np.isfinite(table[["difference", "low", "high", "p", "p_holm"]].to_numpy()).all()
        ordered = table[table["metric"].isin(ORDERED)]
        assert set(ordered["covers"]) == {"projects × seeds"}
        assert (ordered["low"] < ordered["difference"]).all()
        assert ordered["delta"].isna().all()
        others = table[~table["metric"].isin(ORDERED)].drop_duplicates([*ordered.columns[:4]])
        same = ordered.merge(others, on=list(ordered.columns[:4]))
        assert (same["n_tokens_x"] == same["n_tokens_y"]).all()
        assert (same["n_samples_x"] == same["n_samples_y"]).all()


def test_values_are_the_metrics_of_the_same_samples(
    calibrated: Results, by_kind: dict[str, pd.DataFrame]
) -> None:
    seeds = compare(calibrated, "robustness", metrics=ORDERED, resamples=50).seeds
    written = calibrated.metrics.query("test == 'augmented' and samples == 'all' and scope == 'aligned'")
    both = seeds.merge(written, on=["cell", "metric"], suffixes=("", "_written"))
    assert len(both) == len(seeds)
    assert both["value"].to_numpy() == pytest.approx(both["value_written"].to_numpy())


def test_the_reference_is_that_of_the_common_samples(calibrated: Results) -> None:
    table = compare(calibrated, "baseline", metrics=["ece"], resamples=50).table
    original = calibrated.metrics.query("test == 'original' and samples == 'all' and scope == 'all'")
    of_all = original[original["metric"] == "ece"].set_index("cell")["value"]
    baseline = calibrated.cells[calibrated.cells["baseline"]]["cell"]
    unequal = table["reference"] - of_all[baseline].mean()
    thrown_out = table["intensity"].isin(["0.5", "1"])  # at 0.25 nothing grew too much
    assert (unequal[thrown_out].abs() > 1e-6).all()
    assert (unequal[~thrown_out].abs() < 1e-9).all()


def test_interval_is_of_the_projects_left_out_in_each_seed(calibrated: Results) -> None:
    """Without a project the metric is made of the strata that are left; by hand from the table."""
    metric, rows = calibrated.metric("ece"), pd.read_parquet(calibrated.folder / "strata.parquet")
    comparison = compare(calibrated, "training", metrics=["ece"], resamples=50)
    row = comparison.table.iloc[-1]
    cells = calibrated.cells.merge(row[list(calibrated.groups)].to_frame().T, on=list(calibrated.groups))
    shared = [axis for axis in calibrated.axes if axis != "train_on"]
    untrained = calibrated.cells[calibrated.cells["train_on"].eq("original")]
    others = cells.merge(untrained, on=shared, suffixes=("", "_untrained"))

    def gaps(rows: pd.DataFrame) -> list[float]:
        here = rows[(rows["test"] == "augmented") & (rows["scope"] == "aligned")]
        value = {
            cell: float(metric.of({name: own[name].to_numpy() for name in metric.sums}))
            for cell, own in here.groupby(["cell", "stratum"])[list(metric.sums)].sum().groupby("cell")
        }
        return [value[a] - value[b] for a, b in zip(others["cell"], others["cell_untrained"], strict=True)]

    projects = sorted(rows["project"].unique())
    without = np.array([gaps(rows[rows["project"] != gone]) for gone in projects])
    of_mine = rows[rows["cell"].isin(others["cell"]) & (rows["test"] == "augmented")]
    units = of_mine[of_mine["scope"] == "aligned"].groupby("project")["n_tokens"].sum().loc[projects]
    expected = estimate(np.array(gaps(rows)), without, Layout.of(others["seed"]), units.to_numpy())
    claim = expected.everything
    assert (row["low"], row["high"], row["p"]) == pytest.approx((claim.low, claim.high, claim.p))
    assert (row["low_models"], row["n_effective"]) == pytest.approx((expected.models.low, expected.effective))


def test_a_binned_error_says_what_it_would_be_by_chance(by_kind: dict[str, pd.DataFrame]) -> None:
    table = by_kind["robustness"]
    of_bins = table["metric"] == "ece"
    assert table.loc[of_bins, "by_chance"].between(0.001, 0.05).all()
    assert table.loc[~of_bins, "by_chance"].isna().all()


def test_overconfidence_is_confidence_minus_accuracy(calibrated: Results) -> None:
    names = ["overconfidence", "confidence", "accuracy_1"]
    table = compare(calibrated, "robustness", metrics=names, resamples=50).table
    wide = table.pivot(index=list(calibrated.groups), columns="metric", values="difference")
    assert wide["overconfidence"].to_numpy() == pytest.approx(
        (wide["confidence"] - wide["accuracy_1"]).to_numpy()
    )
    assert table.loc[table["metric"] == "overconfidence", "share_worse"].isna().all()  # neither way is better


def test_a_folder_without_strata_has_no_rows_of_them(calibrated_folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(calibrated_folder, tmp_path / "copy"))
    (copy / "strata.parquet").unlink()
    table = compare(Results(copy), "robustness", metrics=["ece", "f1_subtokens"], resamples=50).table
    assert set(table["metric"]) == {"f1_subtokens"}


def test_other_units_on_one_side_are_an_error(calibrated_folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(calibrated_folder, tmp_path / "copy"))
    rows = pd.read_parquet(copy / "strata.parquet")
    rows.loc[rows.index[rows["test"].eq("augmented")][:1], "n_tokens"] += 3
    rows.to_parquet(copy / "strata.parquet")
    with pytest.raises(
        BadResults, match=r"strata.parquet: the sides of .* don't hold the same tokens: \d+ and"
    ):
        compare(Results(copy), "robustness", metrics=["ece"], resamples=50)
