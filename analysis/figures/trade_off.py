"""What training on rewritten text gives on rewritten text, against what it costs on ordinary code."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.comparing.comparisons import Comparison
from analysis.figures.panels import axis_label, heads, highest, lay_out, legend, marks_of, outer_labels, title
from analysis.figures.style import Look, Plot, style, width_in
from analysis.results import BadResults, Results

PANEL_IN = 1.75


def trade_off(
    results: Results,
    training: Comparison,
    clean: Comparison,
    metric_name: str | None = None,
    *,
    template: str = "acm",
    columns: str = "two",
) -> Plot:
    """A point per set of rewrites at its highest intensity, tested with what it was trained with; a panel per
    model and training mix.

    Upwards: the gain over the model trained on original text, on the same rewritten text. To the right: the
    cost on ordinary code. Both are signed by what is better, and have their 95 % intervals (grey: of these
    models alone), which are cut off at the border where they are much longer than most. Above the dashed line
    a training gives more than it costs.
    """
    one = results.metric(metric_name or results.task.leads[0])
    better = -1 if one.higher_is_better is False else 1
    drawn = _sides(training, results, one.name, better, "gain").merge(
        _sides(clean, results, one.name, -better, "cost"), on=list(results.groups)
    )
    drawn = drawn[highest(drawn, results) & _tested_on_its_own(drawn, results)]
    if drawn.empty:
        raise BadResults(f"{results.folder}: no training has both a gain and a cost in {one.name}")
    axes = [axis for axis in results.groups if axis not in ("rewrites", "intensity", "test_on")]
    panel = heads(drawn, axes)
    names = list(dict.fromkeys(panel))
    marks = {level: look for level, look in marks_of(results).items() if level in set(drawn["rewrites"])}
    width = width_in(template, columns)
    across = max(1, min(len(names), int(width // PANEL_IN)))
    with style():
        figure, panels = lay_out(
            names, width=width, across=across, height=min(PANEL_IN, width / across), sharex=True, sharey=True
        )
        for ax, name in panels:
            _draw(ax, drawn[panel == name], marks)
            title(ax, name, width / across - 0.4)
            ax.set_xlabel(f"cost on ordinary code\n[{one.unit}]")
            ax.tick_params(labelbottom=True)
        panels[0][0].set(xlim=_limits(drawn, "cost"), ylim=_limits(drawn, "gain"))
        for ax, _ in panels:
            low, high = max(ax.get_xlim()[0], ax.get_ylim()[0]), min(ax.get_xlim()[1], ax.get_ylim()[1])
            if low < high:
                ax.plot([low, high], [low, high], color="#111111", lw=0.7, ls=(0, (6, 2)), zorder=1)
        outer_labels([ax for ax, _ in panels], axis_label(one, "gain on rewritten text, "))
        legend(figure, marks, "as much gain as cost", joined=False)
    alt = f"{one.label}: gain on rewritten text against cost on ordinary code, by set of rewrites."
    return Plot(figure=figure, data=drawn, alt=alt)


def _sides(comparison: Comparison, results: Results, metric: str, sign: int, name: str) -> pd.DataFrame:
    """A comparison's differences and bounds, signed: columns `name`, name_low, name_high, name_why, …"""
    rows = comparison.table[comparison.table["metric"] == metric]
    told = rows[[*results.groups]].assign(**{name: sign * rows["difference"]})
    for of in ("", "_models"):
        low, high = (sign * rows[f"{side}{of}"] for side in ("low", "high")[::sign])
        told = told.assign(**{f"{name}_low{of}": low, f"{name}_high{of}": high})
    return told.assign(**{f"{name}_n_samples": rows["n_samples"], f"{name}_why": rows["why"]})


def _tested_on_its_own(rows: pd.DataFrame, results: Results) -> "pd.Series[bool]":
    """Whether a cell is tested with the set and intensity that it is trained with."""
    cells = results.cells[~results.cells["baseline"].astype(bool)].drop_duplicates(list(results.groups))
    own = cells["test_rewrites"].eq(cells["rewrites"]) & cells["test_intensity"].eq(cells["intensity"])
    told = rows[list(results.groups)].merge(cells.assign(own=own)[[*results.groups, "own"]], how="left")
    return pd.Series(told["own"].eq(True).to_numpy(), index=rows.index)


def _limits(rows: pd.DataFrame, name: str) -> tuple[float, float]:
    """Of an axis: all points and zero, and half as much again as the middle bar reaches."""
    reach = (rows[f"{name}_high"] - rows[f"{name}_low"]).fillna(
        rows[f"{name}_high_models"] - rows[f"{name}_low_models"]
    )
    low, high = min(rows[name].min(), 0.0), max(rows[name].max(), 0.0)
    beyond = 0.75 * reach.median() if reach.notna().any() else 0.1 * (high - low)
    return low - (beyond or 1.0), high + (beyond or 1.0)


def _draw(ax: Axes, rows: pd.DataFrame, marks: dict[Any, Look]) -> None:
    ax.axhline(0, color="#888888", lw=0.6, zorder=1)
    ax.axvline(0, color="#888888", lw=0.6, zorder=1)
    for _, row in rows.iterrows():
        look = marks[row["rewrites"]]
        for axis, name in (("y", "gain"), ("x", "cost")):
            claimed = pd.notna(row[f"{name}_low"])
            of = "" if claimed else "_models"
            reach = [row[name] - row[f"{name}_low{of}"], row[f"{name}_high{of}"] - row[name]]
            if pd.notna(reach[0]):
                bars: Any = {f"{axis}err": [[max(side, 0.0)] for side in reach]}
                ax.errorbar(
                    row["cost"], row["gain"], fmt="none", zorder=2, elinewidth=0.8,
                    ecolor=look.color if claimed else "#999999",
                    **bars,
                )  # fmt: skip
        ax.plot(
            row["cost"], row["gain"], ls="", marker=look.marker, ms=4.2, color=look.color, zorder=3,
            markerfacecolor=look.face, markeredgecolor=look.edge, markeredgewidth=0.5,
        )  # fmt: skip
