"""Where a change falls: the paired difference over scopes that are places on one axis."""

from textwrap import wrap

import numpy as np
import pandas as pd

from analysis.figures.panels import (
    PANEL_HEIGHT_IN,
    axis_label,
    dodge,
    lay_out,
    legend,
    marks_of,
    outer_labels,
    panels_across,
)
from analysis.figures.style import Plot, style, width_in
from analysis.results import BadResults, Results

AXIS_CHARS = 34  # of what stands below a panel


def axes_of(results: Results) -> list[str]:
    """What scopes of the task lie along, in their order."""
    return list(dict.fromkeys(one.along for one in results.task.scopes if one.along))


def along(
    results: Results,
    table: pd.DataFrame,
    axis: str,
    metric_name: str | None = None,
    *,
    template: str = "acm",
    columns: str = "two",
) -> Plot:
    """The paired difference at each place of an axis, a line per rewrite set, a panel per model and mix.

    `table`: what `comparing.where` found. Bars: 95 % intervals; grey: of these models alone, where nothing is
    claimed beyond them. A set without a unit at a place has no mark there. Raises `BadResults` where no set
    has units at two places.
    """
    one = results.metric(metric_name or results.task.leads[0])
    places = {scope.name: scope.at for scope in results.task.scopes if scope.along == axis}
    rows = table[(table["metric"] == one.name) & table["scope"].isin(list(places))]
    several = rows.groupby(list(results.groups), dropna=False)["scope"].transform("nunique") > 1
    rows = rows[several].copy()
    if rows.empty:
        raise BadResults(f"{results.folder}: no rewritten text has tokens at two places along {axis!r}")
    rows["at"] = rows["scope"].map(places)
    rows["panel"] = _titles(rows, results)
    marks = {level: look for level, look in marks_of(results).items() if level in set(rows["rewrites"])}
    positions = {name: float(number) for number, name in enumerate(places)}
    offsets = dict(zip(marks, dodge(len(marks), positions), strict=True))
    names = list(dict.fromkeys(rows["panel"]))
    with style():
        width = width_in(template, columns)
        across = panels_across(width, len(names), len(marks) * len(places))
        figure, panels = lay_out(names, width=width, across=across, height=PANEL_HEIGHT_IN, sharey=True)
        for ax, name in panels:
            ax.axhline(0, color="#111111", lw=0.8, ls=(0, (6, 2)), zorder=1)
            for rewrites, look in marks.items():
                mine = rows[(rows["panel"] == name) & (rows["rewrites"] == rewrites)]
                x = mine["scope"].map(positions).to_numpy() + offsets[rewrites]
                y = mine["difference"].to_numpy()
                unclaimed = mine["low"].isna().to_numpy()
                for low, high, color, chosen in (
                    ("low", "high", look.color, ~unclaimed),
                    ("low_models", "high_models", "#999999", unclaimed),
                ):
                    reach = np.nan_to_num(np.array([y - mine[low], mine[high] - y]))[:, chosen]
                    ax.errorbar(
                        x[chosen], y[chosen], yerr=np.maximum(reach, 0), fmt="none", ecolor=color,
                        elinewidth=0.8, zorder=2.5,
                    )  # fmt: skip
                ax.plot(
                    x, y, color=look.color, marker=look.marker, ls=look.dashes, lw=0.8,
                    ms=3.4 if len(marks) <= 6 else 2.4, markerfacecolor=look.face, markeredgecolor=look.edge,
                    markeredgewidth=0.4, zorder=3,
                )  # fmt: skip
            ax.set_xticks(list(positions.values()), list(places.values()))
            ax.grid(visible=False, axis="x")
            ax.set_xlabel("\n".join(wrap(axis, AXIS_CHARS)))
            ax.set_title(name)
        outer_labels([ax for ax, _ in panels], axis_label(one, "Δ "))
        note = "of these models" if rows["low"].isna().any() else ""
        legend(figure, marks, "no difference", note=note)
    alt = f"Paired difference in {one.label}, rewritten − original text, by {axis}."
    return Plot(figure=figure, data=rows.drop(columns="panel"), alt=alt)


def _titles(rows: pd.DataFrame, results: Results) -> "pd.Series[str]":
    """Model and mix, and further axes that differ."""
    heads = rows["model"].astype(str)
    if rows["train_on"].nunique() > 1:
        heads += ", trained on\n" + rows["train_on"].astype(str)
    for axis in results.groups:
        if axis not in ("rewrites", "intensity", "train_on", "model") and rows[axis].nunique() > 1:
            heads += f", {axis} " + rows[axis].astype(str)
    return heads
