"""From tidy tables to figures: each function returns a `Plot`, usable in a notebook and in the report."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from analysis.comparing.comparisons import Comparison
from analysis.comparing.pairing import KINDS, baselines
from analysis.figures.panels import (
    CHAR_IN,
    OTHER_SAMPLES,
    PANEL_HEIGHT_IN,
    axis_label,
    dodge,
    gap,
    heads,
    in_order,
    intensity_axis,
    lay_out,
    legend,
    marks_of,
    outer_labels,
    panels_across,
    positions_of,
    title,
    unit_of,
)
from analysis.figures.style import Look, Plot, style, width_in
from analysis.results import BadResults, Results
from analysis.statistics.metrics import Metric


def curves(
    results: Results,
    comparison: Comparison,
    metric_name: str,
    *,
    template: str = "acm",
    columns: str = "two",
) -> Plot:
    """The metric over intensity by rewrite, one panel per training mix and model, the unaugmented baseline as
    a line.

    Line: mean over seeds; small points: the seeds; black tick: the reference on the same samples (those not
    thrown out); bar: 95 % interval of the paired difference to this reference, drawn around the value, so
    that a bar which doesn't reach the tick means that the difference's interval excludes zero. Thin bars hold
    together for all points. Grey bars: of these models alone, where nothing is claimed beyond them. A line is
    grey between points that aren't of as many samples, whose numbers stand below. Rates and counts have
    panels of their own.
    """
    one = results.metric(metric_name)
    table = _rows(comparison.table, one, results)
    lines = baselines(results, scope=comparison.scope, metrics=[one.name])
    with style():
        figure, panels = _panels(results, table, template, columns)
        for ax, panel in panels:
            here = table[table["panel"] == panel]
            _draw(ax, here, _seeds(comparison, one, results, panel), "value", results)
            for _, line in _own_baselines(results, here, lines).iterrows():
                ax.axhline(line["value"], color="#111111", lw=0.8, ls=(0, (6, 2)), zorder=1)
        _finish(
            figure, panels, results, table, axis_label(one),
            line="baseline, all text", ticks="baseline, same text",
        )  # fmt: skip
    data = table.drop(columns=["panel", "position"])
    return Plot(
        figure=figure, data=data, alt=f"{one.label} over intensity, by rewrite. {KINDS[comparison.kind]}."
    )


def differences(
    results: Results, comparison: Comparison, metric_name: str, *, template: str = "acm", columns: str = "two"
) -> Plot:
    """The paired difference over intensity by rewrite with 95 % intervals, as in `curves`; zero as a line."""
    one = results.metric(metric_name)
    table = _rows(comparison.table, one, results)
    with style():
        figure, panels = _panels(results, table, template, columns)
        for ax, panel in panels:
            here = table[table["panel"] == panel]
            ax.axhline(0, color="#111111", lw=0.8, ls=(0, (6, 2)), zorder=1)
            _draw(ax, here, _seeds(comparison, one, results, panel), "difference", results)
        _finish(figure, panels, results, table, axis_label(one, "Δ "), "no difference")
    data = table.drop(columns=["panel", "position"])
    return Plot(figure=figure, data=data, alt=f"Paired difference in {one.label}: {KINDS[comparison.kind]}.")


def _rows(table: pd.DataFrame, one: Metric, results: Results) -> pd.DataFrame:
    rows = table[table["metric"] == one.name].copy()
    if rows.empty:
        raise BadResults(f"{results.folder}: no finished cells to compare in {one.name}")
    rows = in_order(rows, results)
    rows["panel"] = _panels_of(rows, results)
    rows["position"] = rows["intensity"].map(positions_of(rows, "intensity"))
    return rows


def _panels_of(rows: pd.DataFrame, results: Results) -> "pd.Series[str]":
    """The title of the panel that each row belongs to: in what the panels differ."""
    others = [axis for axis in results.groups if axis not in ("rewrites", "intensity", "train_on", "model")]
    return heads(
        rows.assign(unit=unit_of(results, rows["intensity"])), ["model", "train_on", *others, "unit"]
    )


def _panels(
    results: Results, table: pd.DataFrame, template: str, columns: str
) -> tuple[Figure, list[tuple[Axes, str]]]:
    by_mix = table.drop_duplicates("panel")
    order = {
        axis: {level: i for i, level in enumerate(results.cells[axis].unique())}
        for axis in ("train_on", "model")
    }
    keys = pd.DataFrame({axis: by_mix[axis].map(order[axis]) for axis in order}, index=by_mix.index)
    names = list(by_mix.loc[keys.sort_values(list(order), kind="stable").index, "panel"])
    width = width_in(template, columns)
    points = table["rewrites"].nunique() * table["intensity"].nunique()
    fit = panels_across(width, len(names), points)
    models = by_mix["model"].nunique()
    across = models if 1 < models <= fit and len(names) % models == 0 else fit
    return lay_out(names, width=width, across=across, height=PANEL_HEIGHT_IN, sharey=True)


def _seeds(comparison: Comparison, one: Metric, results: Results, panel: str) -> pd.DataFrame:
    seeds = comparison.seeds[comparison.seeds["metric"] == one.name]
    return seeds[_panels_of(seeds, results).eq(panel)]


def _draw(ax: Axes, rows: pd.DataFrame, seeds: pd.DataFrame, y: str, results: Results) -> None:
    marks = marks_of(results)
    positions = dict(zip(rows["intensity"], rows["position"], strict=True))
    present = list(dict.fromkeys(rows["rewrites"]))
    offsets = dodge(len(present), positions)
    for offset, rewrites in zip(offsets, present, strict=True):
        mine = rows[rows["rewrites"] == rewrites]
        look = marks[rewrites]
        x = mine["position"].to_numpy() + offset
        value = mine[y].to_numpy()
        alone = mine[["low_models", "high_models"]].where(mine["low"].isna())
        reach = _reach(mine["difference"], alone["low_models"], alone["high_models"])
        ax.errorbar(x, value, yerr=reach, fmt="none", ecolor="#999999", elinewidth=0.9, zorder=2.9)
        below, above = _reach(mine["difference"], mine["low_joint"], mine["high_joint"])
        joint = np.stack([np.stack([x, value - below], axis=1), np.stack([x, value + above], axis=1)], axis=1)
        thin = LineCollection([*joint], colors=look.color, linewidths=0.4, zorder=2.9)
        ax.add_collection(
            thin, autolim=False
        )  # of two seeds they are so long that nothing else would be seen
        ax.errorbar(
            x, value, yerr=_reach(mine["difference"], mine["low"], mine["high"]),
            color=look.color, marker=look.marker, ls="",
            ms=3.6 if len(present) <= 6 else 2.4,
            elinewidth=0.9, capsize=1.6, capthick=0.7, zorder=3, markerfacecolor=look.face,
            markeredgecolor=look.edge, markeredgewidth=0.4,
        )  # fmt: skip
        _join(ax, x, value, mine["n_samples"].to_numpy(), look)
        if y == "value":
            ax.plot(
                x,
                mine["reference"],
                ls="",
                marker="_",
                ms=6,
                markeredgewidth=0.9,
                color="#111111",
                zorder=2.5,
            )
        points = seeds[seeds["rewrites"] == rewrites]
        beside = offset + 0.055 * gap(positions)
        ax.plot(
            points["intensity"].map(positions) + beside, points[y], ls="", marker="o", ms=1.5,
            color=look.color, zorder=4, markeredgewidth=0,
        )  # fmt: skip
    intensity_axis(ax, positions, results, str(unit_of(results, rows["intensity"]).iloc[0]))
    _tell_samples(ax, rows, positions)


def _join(ax: Axes, x: Any, y: Any, n: Any, look: Look) -> None:
    """A line through points, in grey where they aren't of as many samples."""
    for i in range(len(x) - 1):
        alike = n[i] == n[i + 1]
        color, dashes = (look.color, look.dashes) if alike else (OTHER_SAMPLES, "-")
        ax.plot(x[i : i + 2], y[i : i + 2], color=color, ls=dashes, lw=1.1 if alike else 0.7, zorder=2.8)


def _tell_samples(ax: Axes, rows: pd.DataFrame, positions: dict[Any, float]) -> None:
    """How many samples the points are of: below each intensity while there is room, else in one line."""
    n = rows.groupby("intensity", sort=False)["n_samples"].agg(["min", "max"])
    told = {level: _between(*n.loc[level]) for level in positions}
    room = ax.bbox.width / rcParams["figure.dpi"] / len(positions) - 0.04
    if max(map(len, told.values())) * CHAR_IN <= room:
        labels = [tick.get_text() for tick in ax.get_xticklabels()]
        ax.set_xticks(
            list(positions.values()), [f"{a}\n{b}" for a, b in zip(labels, told.values(), strict=True)]
        )
    else:
        ax.set_xlabel(f"{ax.get_xlabel()}\n{_between(n['min'].min(), n['max'].max())} samples")


def _between(low: int, high: int) -> str:
    return f"n {low}" if low == high else f"n {low}–{high}"


def misleads(comparison: Comparison, metric_name: str) -> bool:
    """Whether lines over the intensity move more because of their samples than because of the rewriting.

    The reference on the same samples would be one number if all points were of the same.
    """
    rows = comparison.table[comparison.table["metric"] == metric_name]
    axes = list(comparison.table.columns[: list(comparison.table.columns).index("metric")])
    lines = rows.groupby([axis for axis in axes if axis != "intensity"], dropna=False)
    moves = {
        name: float((lines[name].max() - lines[name].min()).max()) for name in ("reference", "difference")
    }
    return moves["reference"] > moves["difference"]


def _reach(middle: "pd.Series[float]", low: "pd.Series[float]", high: "pd.Series[float]") -> list[Any]:
    """How far bars reach below and above; nowhere where there is no interval."""
    return [side.clip(lower=0).fillna(0).to_numpy() for side in (middle - low, high - middle)]


def _own_baselines(results: Results, rows: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """The baseline cells of the cells in these rows."""
    groups = list(results.groups)
    cells = results.cells.merge(rows[groups].drop_duplicates(), on=groups)
    return lines[lines["cell"].isin(cells["baseline_cell"])]


def _finish(
    figure: Figure,
    panels: Sequence[tuple[Axes, str]],
    results: Results,
    rows: pd.DataFrame,
    label: str,
    line: str,
    ticks: str | None = None,
) -> None:
    for ax, panel in panels:
        spec = ax.get_subplotspec()
        across = 1 if spec is None else spec.get_gridspec().ncols
        title(ax, panel, figure.get_figwidth() / across - 0.4)
        ax.tick_params(labelbottom=True)
    outer_labels([ax for ax, _ in panels], label)
    legend(
        figure,
        {level: look for level, look in marks_of(results).items() if level in set(rows["rewrites"])},
        line,
        ticks=ticks,
        seeds=True,
        note=_unclaimed(rows),
        others=_changes(rows),
    )


def _changes(rows: pd.DataFrame) -> bool:
    """Whether any line joins points that aren't of as many samples."""
    return bool((rows.groupby(["panel", "rewrites"])["n_samples"].nunique() > 1).any())


def _unclaimed(rows: pd.DataFrame) -> str:
    """What the legend says of points without an interval, and of grey ones."""
    bare = rows[rows["low"].isna()]
    if bare["low_models"].notna().any():
        return "these models alone"
    return f"no interval: {' or '.join(bare['why'].unique())}" if len(bare) else ""
