"""Trained on one set of rewrites, tested on another: what a gain is worth beyond its own generator."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.comparing.comparisons import Comparison
from analysis.figures.panels import MAX_HEIGHT_IN, heads, highest, lay_out, title
from analysis.figures.style import Plot, style, width_in
from analysis.results import BadResults, Results
from analysis.statistics.metrics import Metric

NUMBER_IN = 0.34  # of "+0.000" at 7 pt
NARROW_IN = 0.15  # a column in which no name stands upright beside the next


def matrix(results: Results, comparison: Comparison, metric_name: str) -> pd.DataFrame:
    """The rows of a comparison at the highest intensity of the trained and of the tested set, with
    `test_rewrites` and `test_intensity`; empty where no set was tested on another.
    """
    cells = results.cells[~results.cells["baseline"].astype(bool)].drop_duplicates(list(results.groups))
    about = [*results.groups, "test_rewrites", "test_intensity"]
    rows = comparison.table[comparison.table["metric"] == metric_name].merge(cells[about])
    rows = rows[highest(rows, results) & highest(rows, results, "test_")]
    return rows if (rows["rewrites"] != rows["test_rewrites"]).any() else rows[:0]


def transfer(
    results: Results,
    training: Comparison,
    metric_name: str | None = None,
    *,
    template: str = "acm",
    columns: str = "two",
) -> Plot:
    """The paired difference to the model trained on original text, a row per trained and a column per tested
    set, a panel per model and training mix; both sets at their highest intensity.

    Where columns are too narrow for names they have numbers, which stand beside the rows' names, too.
    Framed: the diagonal, where the same generator made both. Underlined: the 95 % interval excludes zero.
    Red is worse, blue is better; what was not tested stays empty.
    """
    one = results.metric(metric_name or results.task.leads[0])
    table = matrix(results, training, one.name)
    if table.empty:
        raise BadResults(f"{results.folder}: no set of rewrites was tested on another one")
    axes = [axis for axis in results.groups if axis not in ("rewrites", "intensity", "test_on")]
    panel = heads(table, axes)
    names = list(dict.fromkeys(panel))
    trained, tested = (_in_order(table, results, column) for column in ("rewrites", "test_rewrites"))
    limit = float(table["difference"].abs().max()) or 1.0
    width = width_in(template, columns)
    names_in = 0.07 * max(len(name) for name in trained)
    across = max(1, min(len(names), int((width - names_in - 0.6) // (NUMBER_IN * max(len(tested), 4)))))
    row = 0.19
    most = min(len(names), max(1, int((width - names_in - 0.6) // (NARROW_IN * len(tested)))))
    while across < most and -(-len(names) // across) * (0.3 + row * len(trained)) > MAX_HEIGHT_IN - 1:
        across, row = across + 1, 0.14
    cell = (width - names_in - 0.6) / across / len(tested)
    told = cell >= NUMBER_IN
    row = row if told else 0.14
    numbered = cell < NARROW_IN
    shown = [f"{number}" for number in range(1, len(tested) + 1)] if numbered else tested
    slanted: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    turned = slanted if cell >= 0.3 else {"rotation": 90}
    with style():
        height = 0.2 + row * len(trained)
        below = 0.055 * max(len(name) for name in shown)
        down = -(-len(names) // across)
        figure, panels = lay_out(
            names, width=width, across=across, height=height + 0.15, more=below + 0.3 + 0.1 * down,
            sharex=True, sharey=True,
        )  # fmt: skip
        for ax, name in panels:
            _draw(ax, table[panel == name], trained, tested, limit, one, told)
            title(ax, name, (width - names_in - 0.6) / across)
        for ax, _ in panels[-across:]:
            ax.tick_params(labelbottom=True)
            ax.set_xticks(np.arange(len(tested)) + 0.5, shown, **turned)
        figure.supxlabel("tested on", fontsize=7.5)
        figure.supylabel("trained on", fontsize=7.5)
        if numbered:
            places = [*tested, *(name for name in trained if name not in tested)]
            labels = [f"{name}  {places.index(name) + 1}" for name in trained]
            for ax, _ in panels[::across]:
                ax.set_yticks(np.arange(len(trained)) + 0.5, labels)
        drawn = [ax for ax, _ in panels]
        bar = figure.colorbar(drawn[0].collections[0], ax=drawn, aspect=30, pad=0.01, fraction=0.03)
        bar.set_label(f"Δ {one.label}\n[{one.unit}]")
        bar.outline.set_visible(False)
    alt = f"Difference in {one.label} to the model trained on original text, by trained and tested set."
    return Plot(figure=figure, data=table, alt=alt)


def _in_order(table: pd.DataFrame, results: Results, column: str) -> list[str]:
    every = dict.fromkeys([*results.cells["rewrites"].dropna(), *results.cells["test_rewrites"].dropna()])
    return [str(name) for name in every if name in set(table[column])]


def _draw(
    ax: Axes, rows: pd.DataFrame, trained: list[str], tested: list[str], limit: float, one: Metric, told: bool
) -> None:
    wide = rows.pivot_table(index="rewrites", columns="test_rewrites", values="difference", aggfunc="mean")
    wide = wide.reindex(index=trained, columns=tested)
    colours = "RdBu_r" if one.higher_is_better is False else "RdBu"
    sns.heatmap(
        wide, ax=ax, cmap=colours, vmin=-limit, vmax=limit, cbar=False, linewidths=0.4, yticklabels=True
    )
    ax.set(xlabel="", ylabel="")
    ax.grid(visible=False)
    ax.tick_params(axis="y", labelrotation=0)
    values = wide.to_numpy(float)
    clear = set(
        rows.loc[(rows["low"] > 0) | (rows["high"] < 0), ["rewrites", "test_rewrites"]].itertuples(
            index=False, name=None
        )
    )
    for y, one_set in enumerate(trained):
        for x, other in enumerate(tested):
            value = values[y, x]
            if one_set == other:
                ax.add_patch(Rectangle((x, y), 1, 1, fill=False, ec="#111111", lw=1.0, zorder=4))
            if np.isnan(value):
                continue
            ink = "white" if abs(value) > 0.65 * limit else "#111111"
            if told:
                number = f"{value:+z.{one.digits}f}".replace("-", "−")
                ax.text(x + 0.5, y + 0.47, number, ha="center", va="center", fontsize=7, color=ink)
            if (one_set, other) in clear:
                ax.plot([x + 0.25, x + 0.75], [y + 0.88, y + 0.88], color=ink, lw=0.8)
