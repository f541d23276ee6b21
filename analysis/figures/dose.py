"""Differences over the intensity on the samples that all intensities kept, with the slope of each set."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.comparing.dose_response import dose_response
from analysis.comparing.pairing import KINDS
from analysis.figures.panels import (
    MAX_HEIGHT_IN,
    axis_label,
    dodge,
    gap,
    heads,
    in_order,
    intensity_axis,
    lay_out,
    legend,
    marks_of,
    positions_of,
    title,
    unit_of,
)
from analysis.figures.style import Look, Plot, style, width_in
from analysis.results import BadResults, Results

PAIR_IN = 3.3  # of a panel over the intensity and the slopes beside it
ROW_IN = 1.7


def dose(
    results: Results,
    kind: str = "robustness",
    metric_name: str | None = None,
    *,
    template: str = "acm",
    columns: str = "two",
) -> Plot:
    """Left the difference over the intensity on common samples, right the slope of each line, with 95 %
    intervals; such a pair of panels per model and training mix, rates and counts apart.

    All points of a line are of the same samples, so that it bends for no other reason than the intensity.
    """
    one = results.metric(metric_name or results.task.leads[0])
    found = dose_response(results, kind, one.name)
    if found.points.empty:
        raise BadResults(f"{results.folder}: no two intensities of a rewrite share a sample")
    points = in_order(found.points, results)
    points = points.assign(unit=unit_of(results, points["intensity"]))
    lines = found.lines.assign(unit=unit_of(results, found.lines["intensities"].map(_first(points))))
    axes = [axis for axis in results.groups if axis not in ("rewrites", "intensity")]
    of_points = heads(points, [*axes, "unit"])
    of_lines = heads(lines, [*axes, "unit"])
    names = list(dict.fromkeys(of_points))
    marks = {level: look for level, look in marks_of(results).items() if level in set(points["rewrites"])}
    width = width_in(template, columns)
    pairs = max(1, min(len(names), int(width // PAIR_IN)))
    while pairs < len(names) and -(-len(names) // pairs) * ROW_IN > MAX_HEIGHT_IN and width / pairs > 2.3:
        pairs += 1
    row = max(1.1, min(ROW_IN, MAX_HEIGHT_IN / -(-len(names) // pairs)))
    with style():
        figure, panels = lay_out(
            [(name, side) for name in names for side in ("points", "slopes")],
            width=width, across=2 * pairs, height=row, gridspec_kw={"width_ratios": [3, 2] * pairs},
        )  # fmt: skip
        for number, (ax, (name, side)) in enumerate(panels):
            ax.axhline(0, color="#111111", lw=0.8, ls=(0, (6, 2)), zorder=1)
            if side == "points":
                here = points[of_points == name]
                _draw_points(ax, here, marks)
                unit = str(here["unit"].iloc[0])
                intensity_axis(ax, positions_of(here, "intensity"), results, unit)
                title(ax, name, width / pairs * 0.6 - 0.3)
                if number % (2 * pairs) == 0:
                    ax.set_ylabel(axis_label(one, "Δ "))
            else:
                here = lines[of_lines == name]
                _draw_slopes(ax, here, marks)
                per = {"rate": "from none\nto all sites", "count": "per\nsite"}
                ax.set_title(f"slope: Δ {per[str(here['unit'].iloc[0])]}")
        legend(figure, marks, "no difference")
    lines = lines.drop(columns=["unit"]).rename(columns={"intensities": "intensity"})
    drawn = pd.concat([points.drop(columns=["unit"]).assign(what="point"), lines.assign(what="slope")])
    alt = f"{one.label} over the intensity on the samples that all intensities kept: {KINDS[kind]}."
    return Plot(figure=figure, data=drawn, alt=alt)


def _first(points: pd.DataFrame) -> Any:
    """From the intensities of a line, joined by blanks, to the first of them; counts have a blank inside."""
    known = sorted(set(points["intensity"].astype(str)), key=len, reverse=True)
    return lambda told: next((level for level in known if told.startswith(f"{level} ")), told)


def _draw_points(ax: Axes, rows: pd.DataFrame, marks: dict[Any, Look]) -> None:
    positions = positions_of(rows, "intensity")
    present = list(dict.fromkeys(rows["rewrites"]))
    for offset, rewrites in zip(dodge(len(present), positions), present, strict=True):
        mine, look = rows[rows["rewrites"] == rewrites], marks[rewrites]
        ax.errorbar(
            mine["intensity"].map(positions) + offset, mine["difference"], yerr=_reach(mine, "difference"),
            color=look.color, marker=look.marker, ls=look.dashes, ms=3.2 if len(present) <= 6 else 2.4,
            elinewidth=0.8, zorder=3, markerfacecolor=look.face, markeredgecolor=look.edge,
            markeredgewidth=0.4,
        )  # fmt: skip
    ax.margins(x=gap(positions) * 0.1)


def _draw_slopes(ax: Axes, rows: pd.DataFrame, marks: dict[Any, Look]) -> None:
    x = np.arange(len(rows))
    for place, (_, row) in zip(x, rows.iterrows(), strict=True):
        look = marks[row["rewrites"]]
        ax.errorbar(
            [place], [row["slope"]], yerr=_reach(row.to_frame().T, "slope"), color=look.color,
            marker=look.marker, ms=3.2, elinewidth=0.8, markerfacecolor=look.face,
            markeredgecolor=look.edge, markeredgewidth=0.4,
        )  # fmt: skip
    ax.set_xticks([])
    ax.set_xlim(-0.7, len(rows) - 0.3)


def _reach(rows: pd.DataFrame, middle: str) -> Sequence[Any]:
    """How far bars reach; nowhere where nothing is claimed."""
    sides = (rows[middle] - rows["low"], rows["high"] - rows[middle])
    return [side.astype(float).clip(lower=0).fillna(0).to_numpy() for side in sides]
