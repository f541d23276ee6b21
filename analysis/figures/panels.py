"""How panels are laid out: positions on the axis of intensity, the look of each rewrite set, the legend."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.style import Look, looks
from analysis.results import Results
from analysis.statistics.metrics import Metric

PANEL_HEIGHT_IN = 1.65
MIN_PANEL_WIDTH_IN = 1.45
POINT_WIDTH_IN = 0.045
"""Room for one rewrite set at one intensity, where panels can be made wide enough."""
OTHER_SAMPLES = "#aaaaaa"
CHAR_IN = 0.062  # of a letter of a title
LABEL_CHARS = 26  # so many fit beside a panel
MAX_HEIGHT_IN = 8.6  # of what fits on a page, above the legend


def marks_of(results: Results) -> dict[Any, Look]:
    """The look of every rewrite set, the same in all figures of one grid."""
    return looks(list(dict.fromkeys(results.cells.loc[~results.cells["baseline"].astype(bool), "rewrites"])))


def in_order(table: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Rows in the order of intensity (rates, then counts, by value), the rest as it was."""
    cells = (
        results.cells[~results.cells["baseline"].astype(bool)]
        .drop_duplicates("intensity")
        .set_index("intensity")
    )
    unit = table["intensity"].map(cells["intensity_unit"].eq("count"))
    value = table["intensity"].map(cells["intensity_value"])
    order = pd.DataFrame({"unit": unit, "value": value, "was": np.arange(len(table))}, index=table.index)
    return table.loc[order.sort_values(["unit", "value", "was"]).index]


def positions_of(table: pd.DataFrame, column: str) -> dict[Any, float]:
    """Rates stand at their value while their labels have room; otherwise, and counts always, at equal
    distances.
    """
    levels = list(dict.fromkeys(table[column]))
    try:
        values = np.array([float(level) for level in levels])
    except (TypeError, ValueError):
        values = np.array([])
    if len(values) > 1 and np.diff(values).min() >= 0.15 * (values[-1] - values[0]):
        return dict(
            zip(levels, (values / (values[-1] - values[0]) * (len(values) - 1)).tolist(), strict=True)
        )
    return {level: float(i) for i, level in enumerate(levels)}


def dodge(n: int, positions: dict[Any, float]) -> npt.NDArray[np.float64]:
    """Offsets of n levels around a position, so that their marks don't cover one another."""
    return np.linspace(-0.5, 0.5, n) * min(0.6, 0.11 * n) * gap(positions) if n > 1 else np.zeros(1)


def gap(positions: dict[Any, float]) -> float:
    """The smallest distance between two positions."""
    return float(min(np.diff(sorted(positions.values())), default=1.0))


def intensity_axis(ax: Axes, positions: dict[Any, float], results: Results, unit: str | None = None) -> None:
    """Ticks and label of the axis of intensity; without a unit that of all cells."""
    ax.set_xticks(list(positions.values()), [_short(name) for name in positions])
    span = list(positions.values())
    ax.set_xlim(min(span) - 0.45, max(span) + 0.45)
    ax.grid(visible=False, axis="x")
    units = {unit} if unit else set(results.cells["intensity_unit"].dropna())
    ax.set_xlabel(_UNITS[units.pop()] if len(units) == 1 else "intensity")


def heads(rows: pd.DataFrame, axes: Sequence[str]) -> "pd.Series[str]":
    """The title of the panel that each row belongs to: of these axes those in which the rows differ."""
    varied = [axis for axis in axes if rows[axis].nunique(dropna=False) > 1] or [*axes[:1]]
    varied.sort(key=lambda axis: axis != "model")
    told = pd.Series("", index=rows.index, dtype=str)
    for axis in varied:
        level = rows[axis].map(lambda value: "none" if pd.isna(value) else str(value)).astype(str)
        told += ", " * (axis != varied[0]) + _IN_WORDS.get(axis, f"{axis} ") + level
    return told


def title(ax: Axes, text: str, width: float) -> None:
    """A title in as many lines as it needs in a panel of this width, in inches."""
    ax.set_title("\n".join(wrap(text, max(12, int(width / CHAR_IN)))))


_UNITS = {"rate": "rate of sites", "count": "sites per sample"}
_IN_WORDS = {"model": "", "rewrites": "", "train_on": "trained on ", "test_on": "tested on "}


def unit_of(results: Results, levels: "pd.Series[Any]") -> "pd.Series[str]":
    """Of each intensity whether it is a rate or a count: the two never share an axis."""
    known = results.cells.dropna(subset=["intensity_unit"]).drop_duplicates("intensity")
    return levels.map(known.set_index("intensity")["intensity_unit"])


def highest(rows: pd.DataFrame, results: Results, before: str = "") -> "pd.Series[bool]":
    """Which rows have the highest intensity of their set; `before`: "test_" for the set that is tested."""
    known = results.cells.dropna(subset=["intensity_value"])
    top = known.groupby("rewrites")["intensity_value"].max()
    value = rows[f"{before}intensity"].map(
        known.drop_duplicates("intensity").set_index("intensity")["intensity_value"]
    )
    return value.eq(rows[f"{before}rewrites"].map(top))


def lay_out(
    names: Sequence[Any], *, width: float, across: int, height: float, more: float = 0.2, **sharing: Any
) -> tuple[Figure, list[tuple[Axes, Any]]]:
    """A figure with a panel for each name, so many beside one another; `more`: inches besides the panels'
    heights."""
    down = -(-len(names) // across)
    figure = Figure(figsize=(width, down * height + more))
    axes = figure.subplots(down, across, squeeze=False, **sharing).ravel()
    for ax in axes[len(names) :]:
        ax.remove()
    return figure, list(zip(axes, names, strict=False))


def panels_across(width: float, panels: int, points: int) -> int:
    """How many panels stand beside one another: as few as the points in each ask for, as many as the page's
    height and the smallest width allow.
    """
    most = max(1, int(width // MIN_PANEL_WIDTH_IN))
    across = max(1, int(width // max(MIN_PANEL_WIDTH_IN, POINT_WIDTH_IN * points)))
    while across < most and -(-panels // across) * PANEL_HEIGHT_IN > MAX_HEIGHT_IN:
        across += 1
    return min(across, panels)


def axis_label(metric: Metric, before: str = "", after: str = "") -> str:
    """A metric and its unit in lines that are no longer than a panel is high."""
    lines = [*wrap(f"{before}{metric.label}{after}", LABEL_CHARS), *wrap(f"[{metric.unit}]", LABEL_CHARS)]
    return "\n".join(lines)


def outer_labels(axes: Sequence[Axes], label: str) -> None:
    """The label of y at the first panel of each row, the label of x at the last panel of each column."""
    specs = [ax.get_subplotspec() for ax in axes]
    places = [(spec.rowspan.start, spec.colspan.start) for spec in specs if spec is not None]
    lowest = {column: max(row for row, other in places if other == column) for _, column in places}
    for ax, (row, column) in zip(axes, places, strict=True):
        if column == 0:
            ax.set_ylabel(label)
        if row != lowest[column]:
            ax.set_xlabel("")


def legend(
    figure: Figure,
    marks: dict[Any, Look],
    line: str | None = None,
    *,
    markers: bool = True,
    joined: bool = True,
    ticks: str | None = None,
    seeds: bool = False,
    note: str = "",
    others: bool = False,
) -> None:
    """One legend below the panels, in as many columns as have room; the figure grows by its height.

    `line` names the dashed black line; `note` stands beside a grey bar; `others`: a line between points of
    other samples is grey.
    """
    handles = [
        Line2D(
            [],
            [],
            color=look.color,
            marker=look.marker * markers,
            markerfacecolor=look.face,
            ls=look.dashes if joined else "",
            label=str(level),
        )
        for level, look in marks.items()
    ]
    if line:
        handles.append(Line2D([], [], color="#111111", lw=0.8, ls=(0, (6, 2)), label=line))
    if ticks:
        handles.append(Line2D([], [], color="#111111", ls="", marker="_", ms=6, label=ticks))
    if seeds:
        handles.append(Line2D([], [], color="#666666", ls="", marker="o", ms=1.8, label="one seed"))
    if note:
        handles.append(Line2D([], [], color="#999999", ls="", marker="|", ms=6, label=note))
    if others:
        handles.append(Line2D([], [], color=OTHER_SAMPLES, lw=0.7, label="other samples"))
    longest = max(len(str(handle.get_label())) for handle in handles)
    fit = max(1, int(figure.get_figwidth() / (0.42 + 0.062 * longest)))
    figure.set_figheight(figure.get_figheight() + 0.16 * -(-len(handles) // fit) + 0.1)
    figure.legend(handles=handles, loc="outside lower center", ncols=min(fit, len(handles)), frameon=False)


def _short(intensity: Any) -> str:
    text = str(intensity)
    return text.removeprefix("count ") if text.startswith("count ") else text
