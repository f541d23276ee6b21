"""The figure of where a change falls."""

from pathlib import Path

import numpy as np
import pytest

from analysis.comparing.where import where
from analysis.figures.along import along, axes_of
from analysis.figures.panels import marks_of
from analysis.results import BadResults, Results
from tests.simulation import planted


def test_a_line_per_set_over_the_places_of_an_axis(tmp_path: Path) -> None:
    results = Results(planted.write(tmp_path))
    table = where(results)
    behind, renaming = axes_of(results)
    plot = along(results, table, behind)
    [ax] = plot.figure.axes
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "3–4", "5–10", "> 10", "none"]
    assert ax.get_xlabel().split() == behind.split()
    assert set(plot.data["rewrites"]) == {"parens"}  # nothing was inserted by the other: no second place
    [line] = [line for line in ax.get_lines() if line.get_marker() == marks_of(results)["parens"].marker]
    assert np.max(np.asarray(line.get_ydata())) == pytest.approx(planted.BEHIND)
    assert set(along(results, table, renaming).data["rewrites"]) == {"rename"}
    with pytest.raises(BadResults, match="two places along"):
        along(results, table[table["rewrites"] == "rename"], behind)
