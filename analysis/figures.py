"""From tidy tables to figures: each function returns a `Plot`, usable in a notebook and in the report."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.comparisons import Comparison
from analysis.pairing import KINDS, Metric, baselines, metric
from analysis.results import BadResults, Results
from analysis.style import Look, Plot, looks, style, width_in

PANEL_HEIGHT_IN = 1.65
MIN_PANEL_WIDTH_IN = 1.45


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
    that a bar which doesn't reach the tick means that the difference's interval excludes zero.
    """
    one = metric(metric_name)
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
            figure, panels, results, set(table["rewrites"]), f"{one.label}\n[{one.unit}]",
            line="baseline, all text", ticks="baseline, same text",
        )  # fmt: skip
    data = table.drop(columns=["panel", "position"])
    return Plot(
        figure=figure, data=data, alt=f"{one.label} over intensity, by rewrite. {KINDS[comparison.kind]}."
    )


def differences(
    results: Results, comparison: Comparison, metric_name: str, *, template: str = "acm", columns: str = "two"
) -> Plot:
    """The paired difference over intensity by rewrite with 95 % intervals; zero, no difference, as a line."""
    one = metric(metric_name)
    table = _rows(comparison.table, one, results)
    with style():
        figure, panels = _panels(results, table, template, columns)
        for ax, panel in panels:
            here = table[table["panel"] == panel]
            ax.axhline(0, color="#111111", lw=0.8, ls=(0, (6, 2)), zorder=1)
            _draw(ax, here, _seeds(comparison, one, results, panel), "difference", results)
        _finish(
            figure, panels, results, set(table["rewrites"]), f"Δ {one.label}\n[{one.unit}]", "no difference"
        )
    data = table.drop(columns=["panel", "position"])
    return Plot(figure=figure, data=data, alt=f"Paired difference in {one.label}: {KINDS[comparison.kind]}.")


def growth(results: Results, *, template: str = "acm", columns: str = "two") -> Plot:
    """How much the augmented data grew, and what share of the samples was thrown out, over intensity by
    rewrite.
    """
    table = growth_table(results)
    if table.empty:
        raise BadResults(f"{results.folder / 'variants.parquet'}: no rewritten cells, so nothing grew")
    marks = looks(list(dict.fromkeys(table["rewrites"])))
    positions = _positions(table, "intensity")
    columns_drawn = (("growth", "growth of the tokens [%]"), ("thrown_out", "samples thrown out [%]"))
    with style():
        figure = Figure(figsize=(width_in(template, columns), PANEL_HEIGHT_IN + 0.2))
        axes = figure.subplots(1, 2, squeeze=False)[0]
        for ax, (column, label) in zip(axes, columns_drawn, strict=True):
            for offset, rewrites in zip(_dodge(len(marks), positions), marks, strict=True):
                rows, look = table[table["rewrites"] == rewrites], marks[rewrites]
                mean = rows.groupby("intensity", sort=False)[column].mean()
                x = mean.index.map(positions).to_numpy(float) + offset
                ax.plot(
                    x,
                    100 * mean,
                    color=look.color,
                    marker=look.marker,
                    ls=look.dashes,
                    clip_on=False,
                    zorder=3,
                )
                x = rows["intensity"].map(positions) + offset + 0.055 * _gap(positions)
                ax.plot(x, 100 * rows[column], "o", color=look.color, ms=1.5, markeredgewidth=0)
            _intensity_axis(ax, positions, results)
            ax.set_ylabel(label)
            ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
        legend(figure, marks, seeds=True)
    return Plot(
        figure=figure, data=table, alt="Growth of the augmented data and samples thrown out, over intensity."
    )


def growth_table(results: Results) -> pd.DataFrame:
    """Per rewrites × intensity × seed (all splits): growth of the kept samples' tokens, share thrown out,
    samples.
    """
    cells = results.cells[~results.cells["baseline"].astype(bool)]
    one = cells.drop_duplicates(["rewrites", "intensity", "seed"])
    rows = results.variants.merge(one[["cell", "rewrites", "intensity", "seed"]], on="cell")
    records = []
    for key, group in rows.groupby(["rewrites", "intensity", "seed"], sort=False):
        kept = group[group["outcome"] != "thrown_out"]
        before, samples = kept["n_tokens_original"].sum(), group["n_samples"].sum()
        records.append(
            dict(zip(("rewrites", "intensity", "seed"), key, strict=True))
            | {
                "n_samples": samples,
                "growth": kept["n_tokens"].sum() / before - 1 if before else np.nan,
                "thrown_out": 1 - kept["n_samples"].sum() / samples if samples else np.nan,
            }
        )
    table = pd.DataFrame(
        records, columns=["rewrites", "intensity", "seed", "n_samples", "growth", "thrown_out"]
    )
    return _in_order(table.dropna(), results)


def learning(results: Results, *, template: str = "acm", columns: str = "two") -> Plot:
    """Validation loss over training steps: one line per trained model, coloured by training mix, one panel
    per model.
    """
    trained = results.done.drop_duplicates("train_key")[
        ["cell", "model", "train_on", "seed", "rewrites", "intensity"]
    ]
    table = results.training.merge(trained, on="cell").dropna(subset=["valid_bits"])
    if table.empty:
        raise BadResults(f"{results.folder / 'training.parquet'}: no validation loss of any finished cell")
    models = list(dict.fromkeys(table["model"]))
    marks = looks(list(dict.fromkeys(table["train_on"])))
    with style():
        n_columns = max(1, min(len(models), int(width_in(template, columns) // MIN_PANEL_WIDTH_IN)))
        n_rows = -(-len(models) // n_columns)
        figure = Figure(figsize=(width_in(template, columns), n_rows * PANEL_HEIGHT_IN + 0.2))
        axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
        for ax, model in zip(axes, models, strict=False):
            for (train_on, _), rows in table[table["model"] == model].groupby(
                ["train_on", "cell"], sort=False
            ):
                look = marks[train_on]
                one = {"marker": look.marker} if len(rows) == 1 else {}
                ax.plot(
                    rows["step"],
                    rows["valid_bits"],
                    color=look.color,
                    ls=look.dashes,
                    lw=0.8,
                    alpha=0.7,
                    **one,
                )
            ax.set_title(model)
            ax.set_xlabel("training step")
        for ax in axes[len(models) :]:
            ax.remove()
        axes[0].set_ylabel("validation loss\n[bits per token]")
        legend(figure, marks, markers=False)
    return Plot(
        figure=figure, data=table, alt="Validation loss over training steps, by model and training mix."
    )


def _rows(table: pd.DataFrame, one: Metric, results: Results) -> pd.DataFrame:
    rows = table[table["metric"] == one.name].copy()
    if rows.empty:
        raise BadResults(f"{results.folder}: no finished cells to compare in {one.name}")
    rows = _in_order(rows, results)
    rows["panel"] = _panels_of(rows, results)
    rows["position"] = rows["intensity"].map(_positions(rows, "intensity"))
    return rows


def _panels_of(rows: pd.DataFrame, results: Results) -> "pd.Series[str]":
    """The title of the panel that each row belongs to: model, training mix and the further axes."""
    others = [axis for axis in results.groups if axis not in ("rewrites", "intensity", "train_on", "model")]
    heads = rows["model"].astype(str) + ", trained on\n" + rows["train_on"].astype(str)
    for axis in others:
        heads += f", {axis} " + rows[axis].astype(str)
    return heads


def _in_order(table: pd.DataFrame, results: Results) -> pd.DataFrame:
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


def _positions(table: pd.DataFrame, column: str) -> dict[Any, float]:
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
    fit = max(1, int(width // MIN_PANEL_WIDTH_IN))
    models = by_mix["model"].nunique()
    n_columns = models if models > 1 and models <= fit and len(names) % models == 0 else min(fit, len(names))
    n_rows = -(-len(names) // n_columns)
    figure = Figure(figsize=(width, n_rows * PANEL_HEIGHT_IN + 0.2))
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True)
    flat = axes.ravel()
    for ax in flat[len(names) :]:
        ax.remove()
    return figure, list(zip(flat, names, strict=False))


def _seeds(comparison: Comparison, one: Metric, results: Results, panel: str) -> pd.DataFrame:
    seeds = comparison.seeds[comparison.seeds["metric"] == one.name]
    return seeds[_panels_of(seeds, results).eq(panel)]


def _draw(ax: Axes, rows: pd.DataFrame, seeds: pd.DataFrame, y: str, results: Results) -> None:
    marks = marks_of(results)
    positions = dict(zip(rows["intensity"], rows["position"], strict=True))
    present = list(dict.fromkeys(rows["rewrites"]))
    offsets = _dodge(len(present), positions)
    for offset, rewrites in zip(offsets, present, strict=True):
        mine = rows[rows["rewrites"] == rewrites]
        look = marks[rewrites]
        x = mine["position"].to_numpy() + offset
        value = mine[y].to_numpy()
        below = np.clip(mine["difference"] - mine["low"], 0, None).fillna(0)
        above = np.clip(mine["high"] - mine["difference"], 0, None).fillna(0)
        ax.errorbar(
            x, value, yerr=[below, above], color=look.color, marker=look.marker, ls=look.dashes,
            ms=3.6 if len(present) <= 6 else 2.4,
            elinewidth=0.9, capsize=1.6, capthick=0.7, zorder=3, markeredgecolor="white", markeredgewidth=0.4,
        )  # fmt: skip
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
        beside = offset + 0.055 * _gap(positions)
        ax.plot(
            points["intensity"].map(positions) + beside, points[y], ls="", marker="o", ms=1.5,
            color=look.color, zorder=4, markeredgewidth=0,
        )  # fmt: skip
    _intensity_axis(ax, positions, results)


def marks_of(results: Results) -> dict[Any, Look]:
    """The look of every rewrite set, the same in all figures of one grid."""
    return looks(list(dict.fromkeys(results.cells.loc[~results.cells["baseline"].astype(bool), "rewrites"])))


def _dodge(n: int, positions: dict[Any, float]) -> npt.NDArray[np.float64]:
    return np.linspace(-0.5, 0.5, n) * min(0.6, 0.11 * n) * _gap(positions) if n > 1 else np.zeros(1)


def _gap(positions: dict[Any, float]) -> float:
    return float(min(np.diff(sorted(positions.values())), default=1.0))


def _intensity_axis(ax: Axes, positions: dict[Any, float], results: Results) -> None:
    ax.set_xticks(list(positions.values()), [_short(name) for name in positions])
    span = list(positions.values())
    ax.set_xlim(min(span) - 0.45, max(span) + 0.45)
    ax.grid(visible=False, axis="x")
    units = set(results.cells["intensity_unit"].dropna())
    ax.set_xlabel(
        {("rate",): "rate of sites", ("count",): "sites per sample"}.get(tuple(sorted(units)), "intensity")
    )


def _short(intensity: Any) -> str:
    text = str(intensity)
    return text.removeprefix("count ") if text.startswith("count ") else text


def _own_baselines(results: Results, rows: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """The baseline cells of the cells in these rows."""
    groups = list(results.groups)
    cells = results.cells.merge(rows[groups].drop_duplicates(), on=groups)
    return lines[lines["cell"].isin(cells["baseline_cell"])]


def _finish(
    figure: Figure,
    panels: Sequence[tuple[Axes, str]],
    results: Results,
    drawn: set[Any],
    label: str,
    line: str,
    ticks: str | None = None,
) -> None:
    for ax, panel in panels:
        ax.set_title(panel)
        ax.tick_params(labelbottom=True)
    _outer_labels([ax for ax, _ in panels], label)
    legend(
        figure,
        {level: look for level, look in marks_of(results).items() if level in drawn},
        line,
        ticks=ticks,
        seeds=True,
    )


def _outer_labels(axes: Sequence[Axes], label: str) -> None:
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
) -> None:
    """One legend below the panels, in as many columns as have room; the figure grows by its height.

    `line` names the dashed black line.
    """
    handles = [
        Line2D(
            [],
            [],
            color=look.color,
            marker=look.marker * markers,
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
    longest = max(len(str(handle.get_label())) for handle in handles)
    fit = max(1, int(figure.get_figwidth() / (0.42 + 0.062 * longest)))
    figure.set_figheight(figure.get_figheight() + 0.16 * -(-len(handles) // fit) + 0.1)
    figure.legend(handles=handles, loc="outside lower center", ncols=min(fit, len(handles)), frameon=False)
