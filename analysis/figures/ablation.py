"""Δ over any axis of the grid: numbers, on a logarithmic scale where they span decades, or names."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.comparing.comparisons import Comparison
from analysis.comparing.pairing import KINDS
from analysis.figures.panels import (
    PANEL_HEIGHT_IN,
    axis_label,
    heads,
    highest,
    lay_out,
    legend,
    outer_labels,
    panels_across,
    title,
    unit_of,
)
from analysis.figures.style import Plot, looks, style, width_in
from analysis.results import BadResults, Results

USUAL = ("rewrites", "intensity", "train_on", "model", "test_on")
DECADES = 30
"""From this ratio of the largest to the smallest value on, an axis is logarithmic."""


def further_axes(results: Results) -> list[str]:
    """The axes beyond those of every grid that have more than one level."""
    cells = results.cells[~results.cells["baseline"].astype(bool)]
    return [axis for axis in results.groups if axis not in USUAL and cells[axis].nunique() > 1]


def ablation(
    results: Results,
    comparison: Comparison,
    x: str,
    metric_name: str | None = None,
    *,
    color: str = "rewrites",
    template: str = "acm",
    columns: str = "two",
) -> Plot:
    """The paired difference with 95 % intervals (grey: of these models alone) over the axis `x`, a line per
    level of `color`, a panel for each combination of the axes that are left; intensities other than the
    highest of a set are left out unless `x` or `color` is the intensity.

    A baseline belongs to each level of x: differences to it can be compared, values can't.
    """
    one = results.metric(metric_name or results.task.leads[0])
    for axis in (x, color):
        if axis not in results.groups:
            raise BadResults(f"no axis {axis!r} to draw over; there are {', '.join(results.groups)}")
    rows = comparison.table[comparison.table["metric"] == one.name]
    if "intensity" not in (x, color):
        rows = rows[highest(rows, results)]
    if rows[x].nunique() < 2:
        raise BadResults(f"{results.folder}: {x} has one level in what was compared")
    rows = rows.assign(unit=unit_of(results, rows["intensity"]))
    panel = heads(rows, [*(axis for axis in results.groups if axis not in (x, color)), "unit"])
    names, marks = list(dict.fromkeys(panel)), looks(list(dict.fromkeys(rows[color])))
    numbers = _numbers(rows[x])
    decades = bool(numbers.min() > 0 and numbers.max() / numbers.min() >= DECADES)
    values = np.unique(numbers)
    step = np.diff(np.log(values) if decades else values).min() if len(marks) > 1 else 0.0
    offsets = np.linspace(-0.5, 0.5, len(marks)) * min(0.6, 0.06 * len(marks)) * step
    width = width_in(template, columns)
    across = panels_across(width, len(names), len(marks) * rows[x].nunique())
    with style():
        figure, panels = lay_out(names, width=width, across=across, height=PANEL_HEIGHT_IN, sharey=True)
        for ax, name in panels:
            ax.axhline(0, color="#111111", lw=0.8, ls=(0, (6, 2)), zorder=1)
            for beside, (level, look) in zip(offsets, marks.items(), strict=True):
                mine = rows[(panel == name) & (rows[color] == level)]
                mine = mine.iloc[np.argsort(numbers[rows.index.get_indexer(mine.index)], kind="stable")]
                place = numbers[rows.index.get_indexer(mine.index)]
                place = place * np.exp(beside) if decades else place + beside
                ax.errorbar(
                    place, mine["difference"], yerr=_reach(mine, "_models"), fmt="none", ecolor="#999999",
                    elinewidth=0.8,
                )  # fmt: skip
                ax.errorbar(
                    place, mine["difference"], yerr=_reach(mine, ""), color=look.color, marker=look.marker,
                    ls=look.dashes, ms=3.2, elinewidth=0.8, markerfacecolor=look.face,
                    markeredgecolor=look.edge, markeredgewidth=0.4,
                )  # fmt: skip
            levels = dict(zip(numbers, rows[x].astype(str), strict=True))
            if decades:
                ax.set_xscale("log")
                ax.minorticks_off()
            ax.set_xticks(list(levels), list(levels.values()))
            ax.tick_params(labelbottom=True)
            ax.set_xlabel(x)
            title(ax, name, width / across - 0.4)
        outer_labels([ax for ax, _ in panels], axis_label(one, "Δ "))
        legend(figure, marks, "no difference")
    alt = f"Paired difference in {one.label} over {x}: {KINDS[comparison.kind]}."
    return Plot(figure=figure, data=rows.drop(columns=["unit"]), alt=alt)


def _numbers(levels: "pd.Series[Any]") -> npt.NDArray[np.float64]:
    """Where each row stands: at its number; names, and numbers that crowd, at equal distances."""
    found = pd.to_numeric(levels, errors="coerce").to_numpy(float)
    if np.isfinite(found).all():
        values = np.unique(found)
        ratio = values[-1] / values[0] if values[0] > 0 else 1.0
        spread = np.log(values) if ratio >= DECADES else values
        if np.diff(spread).min() >= 0.12 * np.ptp(spread):
            return found
        return np.searchsorted(values, found).astype(float)
    return pd.factorize(levels)[0].astype(float)


def _reach(rows: pd.DataFrame, of: str) -> list[Any]:
    """How far bars reach; those of these models where nothing is claimed beyond."""
    told = rows["low"].notna() if of == "" else rows["low"].isna()
    sides = (rows["difference"] - rows[f"low{of}"], rows[f"high{of}"] - rows["difference"])
    return [side.where(told).clip(lower=0).fillna(0).to_numpy(float) for side in sides]
