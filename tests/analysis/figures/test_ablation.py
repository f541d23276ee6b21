"""Any axis can be the x axis: numbers at their value or on a logarithmic scale, names at equal steps."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.comparing.comparisons import compare
from analysis.figures.ablation import ablation, further_axes
from analysis.results import BadResults, Results
from tests.analysis.figures.overlaps import overlapping
from tests.simulation.folder import Simulation, write


@pytest.mark.parametrize(
    "levels, scale, places",
    [
        (["0.0001", "0.001", "0.01"], "log", [0.0001, 0.001, 0.01]),
        (["2", "4", "8"], "linear", [2, 4, 8]),
        (["relu", "gelu", "silu"], "linear", [0, 1, 2]),
    ],
)
def test_a_further_axis_is_drawn_by_what_its_levels_are(
    tmp_path: Path, levels: list[str], scale: str, places: list[float]
) -> None:
    simulation = Simulation(models=["a", "b", "c"], intensities=[1.0], projects=5, with_tokens=False)
    folder = write(tmp_path / "grid", simulation)
    cells = pd.read_parquet(folder / "cells.parquet")
    cells.insert(7, "models.what", cells["model"].map(dict(zip("abc", levels, strict=True))))
    cells.assign(model="net").to_parquet(folder / "cells.parquet")
    results = Results(folder)
    assert further_axes(results) == ["models.what"]
    plot = ablation(results, compare(results, "robustness", metrics=["entropy"], resamples=20), "models.what")
    ax = plot.figure.axes[0]
    assert ax.get_xscale() == scale
    assert sorted(ax.get_xticks()) == pytest.approx(places)
    titles = [one.get_title().replace("\n", " ") for one in plot.figure.axes]
    assert titles == ["trained on original", "trained on original+augmented"]
    assert len(plot.data) == 3 * 3 * 2
    assert overlapping(plot.figure) == []


def test_an_axis_that_is_not_there_is_answered_with_those_that_are(results: Results) -> None:
    assert further_axes(results) == []
    found = compare(results, "robustness", metrics=["entropy"], resamples=20)
    with pytest.raises(BadResults, match="no axis 'layers' to draw over; there are rewrites"):
        ablation(results, found, "layers")
