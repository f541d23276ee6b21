"""Figures of what training gives, costs and is worth elsewhere, and of what each intensity does."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.comparing.comparisons import Comparison, compare
from analysis.figures import dose, trade_off, transfer
from analysis.report import sentences
from analysis.results import BadResults, Results
from tests.analysis.figures.overlaps import overlapping
from tests.simulation.folder import Simulation, write
from tests.simulation.transfer import cross_tested


def of(results: Results, kind: str) -> Comparison:
    return compare(results, kind, metrics=["entropy"], resamples=20)


@pytest.fixture(scope="module")
def cross(tmp_path_factory: pytest.TempPathFactory) -> Results:
    simulation = Simulation(
        intensities=[0.5, 1.0], models=["small"], thrown_out=0.0, projects=6, with_tokens=False
    )
    return Results(cross_tested(write(tmp_path_factory.mktemp("cross") / "grid", simulation)))


def test_gain_and_cost_are_signed_by_what_is_better(results: Results) -> None:
    training, clean = of(results, "training"), of(results, "clean")
    data = trade_off.trade_off(results, training, clean, "entropy").data.set_index(["model", "rewrites"])
    assert len(data) == 6  # the highest intensity alone
    keys = ["model", "rewrites"]
    gained = training.table.query("intensity == '1'").set_index(keys)
    cost = clean.table.query("intensity == '1'").set_index(keys)
    pd.testing.assert_series_equal(data["gain"], -gained["difference"], check_names=False)
    pd.testing.assert_series_equal(data["gain_low"], -gained["high"], check_names=False)
    pd.testing.assert_series_equal(data["cost_high"], cost["high"], check_names=False)
    assert data["gain"].max() > 0.2


def test_a_grid_without_training_has_neither_gain_nor_transfer(results: Results) -> None:
    training = of(results, "training")
    nothing = Comparison(
        kind="training", scope=training.scope, table=training.table[:0], seeds=training.seeds[:0],
        projects=training.projects[:0],
    )  # fmt: skip
    with pytest.raises(BadResults, match="both a gain and a cost"):
        trade_off.trade_off(results, nothing, of(results, "clean"), "entropy")
    with pytest.raises(BadResults, match="no set of rewrites was tested on another"):
        transfer.transfer(results, nothing, "entropy")


def test_the_matrix_has_trained_sets_by_tested_ones_and_leaves_empty_what_was_not_tested(
    cross: Results,
) -> None:
    training = of(cross, "training")
    plot = transfer.transfer(cross, training, "entropy")
    assert set(zip(plot.data["rewrites"], plot.data["test_rewrites"], strict=True)) == {
        *((name, name) for name in ("rename", "dead_code", "parens")),
        *[("rename", "dead_code"), ("dead_code", "parens"), ("parens", "rename")],
    }
    ax = plot.figure.axes[0]
    assert np.ma.masked_invalid(np.asarray(ax.collections[0].get_array())).count() == 6
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["rename", "dead_code", "parens"]
    assert len(ax.patches) == 3  # the frames of the diagonal


def test_a_gain_is_called_general_only_off_the_diagonal(cross: Results, results: Results) -> None:
    told = sentences.transferred(cross, of(cross, "training"))
    assert "of 3 trainings gain" in told
    assert "general only where it is one off the diagonal" in told
    with pytest.raises(BadResults, match="no set of rewrites was tested on another"):
        transfer.transfer(results, of(results, "training"), "entropy")
    assert "so no gain is called general" in sentences.transferred(results, of(results, "training"))


def test_the_dose_stands_beside_its_slope(results: Results) -> None:
    plot = dose.dose(results)
    points, slopes = plot.data[plot.data["what"] == "point"], plot.data[plot.data["what"] == "slope"]
    assert len(points) == 2 * 2 * 3 * 3
    assert len(slopes) == 2 * 2 * 3
    line = points.query("model == 'small' and train_on == 'original' and rewrites == 'rename'")
    assert line["n_samples"].nunique() == 1
    assert [ax.get_title() for ax in plot.figure.axes[:2]] == [
        "small, trained on original", "slope: Δ from none\nto all sites",
    ]  # fmt: skip


def test_rates_and_counts_have_panels_of_their_own(tmp_path: Path) -> None:
    simulation = Simulation(
        rewrites=["rename"], intensities=[0.25, 0.5, 0.75, 1.0], models=["small"], train_on=["original"],
        projects=5, with_tokens=False,
    )  # fmt: skip
    folder = write(tmp_path / "both", simulation)
    cells = pd.read_parquet(folder / "cells.parquet")
    counts = cells["intensity_value"].isin([0.75, 1.0])
    cells.loc[counts, "intensity_unit"] = "count"
    cells["intensity"] = cells["intensity"].replace({"0.75": "count 1", "1": "count 5"})
    cells["intensity_value"] = cells["intensity_value"].replace({0.75: 1.0, 1.0: 5.0})
    cells.to_parquet(folder / "cells.parquet")
    axes = dose.dose(Results(folder)).figure.axes
    assert [ax.get_xlabel() for ax in axes[::2]] == ["rate of sites", "sites per sample"]
    assert [[tick.get_text() for tick in ax.get_xticklabels()] for ax in axes[::2]] == [
        ["0.25", "0.5"], ["1", "5"],
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("columns", ["one", "two"])
def test_no_labels_overlap_with_twelve_sets_six_intensities_and_four_models(
    crowds: dict[str, Results], columns: str
) -> None:
    grid, across = crowds["grid"], crowds["cross"]
    for plot in (
        trade_off.trade_off(grid, of(grid, "training"), of(grid, "clean"), "entropy", columns=columns),
        dose.dose(grid, columns=columns),
        transfer.transfer(across, of(across, "training"), "entropy", columns=columns),
    ):
        assert overlapping(plot.figure) == []
        assert plot.figure.get_figheight() < 11


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    folder = tmp_path_factory.mktemp("crowds")
    sets = [
        f"{kind}_{what}"
        for kind in ("rename", "conditional", "redundant")
        for what in ("variable", "parameter", "identity", "branch")
    ]
    found = {}
    for name in ("grid", "cross"):
        simulation = Simulation(
            rewrites=sets,
            intensities=[0.05, 0.1, 0.25, 0.5, 0.75, 1.0],
            models=["gru", "gpt", "ngram", "closed_vocabulary"],
            projects=5,
            samples_per_project=1,
            tokens_per_sample=20,
            thrown_out=0.0,
            with_tokens=False,
        )
        written = write(folder / name, simulation)
        found[name] = Results(cross_tested(written) if name == "cross" else written)
    return found
