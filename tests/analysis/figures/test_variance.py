"""Variance by source: every share that is in the table, negative ones too."""

import numpy as np
import pytest

from analysis.comparing.comparisons import compare
from analysis.figures.variance import variance
from analysis.results import BadResults, Results
from tests.analysis.figures.overlaps import overlapping


@pytest.mark.parametrize("columns", ["one", "two"])
def test_each_set_has_a_mark_for_each_source(results: Results, columns: str) -> None:
    found = compare(results, "robustness", metrics=["entropy"], resamples=20)
    plot = variance(results, found, columns=columns)
    assert len(plot.data) == 3 * 2 * 2
    ax = plot.figure.axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["rename", "dead_code", "parens"]
    lines = [line for one in plot.figure.axes for line in one.lines if len(np.asarray(line.get_xdata())) == 3]
    drawn = np.concatenate([np.asarray(line.get_xdata(), float) for line in lines])
    assert np.nanmin(drawn) < 0
    shares = plot.data[["variance_seed", "variance_project", "variance_residual"]].to_numpy(float)
    assert np.sort(drawn) == pytest.approx(np.sort(100 * shares.ravel()), nan_ok=True)
    assert overlapping(plot.figure) == []


def test_without_variances_there_is_nothing_to_draw(results: Results) -> None:
    found = compare(results, "robustness", metrics=["entropy"], resamples=20)
    found.table.loc[:, ["variance_seed", "variance_draw", "variance_project", "variance_residual"]] = np.nan
    with pytest.raises(BadResults, match="nothing to split"):
        variance(results, found)
