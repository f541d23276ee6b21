"""What a model costs to train, and what it gives."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from analysis.comparing.comparisons import Comparison
from analysis.figures.panels import PANEL_HEIGHT_IN, axis_label
from analysis.figures.style import Plot, looks, style, width_in
from analysis.results import BadResults, Results


def cost(
    results: Results,
    comparison: Comparison,
    metric_name: str | None = None,
    *,
    template: str = "acm",
    columns: str = "two",
) -> Plot:
    """What a model costs and gives: training seconds against the metric on rewritten text."""
    one = results.metric(metric_name or results.task.leads[0])
    seconds = results.training.groupby("cell")["seconds"].max()
    cells = comparison.seeds[comparison.seeds["metric"] == one.name].copy()
    key = results.cells.set_index("cell")["train_key"]
    by_key = seconds.groupby(seconds.index.map(key.to_dict())).max()
    cells["train_seconds"] = cells["cell"].map(key).map(by_key).astype(float)
    cells = cells.dropna(subset=["train_seconds"])
    if cells.empty:
        raise BadResults(f"{results.folder / 'training.parquet'}: no training times of finished cells")
    drawn = (
        cells.groupby(["model", "train_on", "seed"], sort=False)[["train_seconds", "value"]]
        .mean()
        .reset_index()
    )
    models, mixes = list(dict.fromkeys(drawn["model"])), list(dict.fromkeys(drawn["train_on"]))
    marks = looks(models)
    fills = {mix: ("full", "none", "left", "bottom")[i % 4] for i, mix in enumerate(mixes)}
    with style():
        width = width_in(template, columns)
        beside, entries = width > 5, drawn.groupby(["model", "train_on"]).ngroups
        height = PANEL_HEIGHT_IN + (1.0 if beside else 0.4 + 0.16 * entries)
        figure = Figure(figsize=(width, height))
        ax = figure.subplots()
        for (model, mix), rows in drawn.groupby(["model", "train_on"], sort=False):
            look = marks[model]
            ax.plot(
                rows["train_seconds"], rows["value"], ls="", marker=look.marker, color=look.color, ms=5,
                fillstyle=fills[mix], label=f"{model}, {mix}",
            )  # fmt: skip
        if drawn["train_seconds"].max() > 10 * drawn["train_seconds"].min() > 0:
            ax.set_xscale("log")
            ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
            ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set(xlabel="training time of one model [s]", ylabel=axis_label(one, after=" on rewritten text"))
        figure.legend(loc="outside right upper" if beside else "outside lower center", frameon=False)
    return Plot(
        figure=figure, data=drawn, alt=f"{one.label} on rewritten text against training time, by model."
    )


def cost_table(results: Results) -> pd.DataFrame:
    """Per model × training mix: how many were trained, and training seconds (median, longest, all)."""
    trained = results.done.drop_duplicates("train_key")
    seconds = results.training.groupby("cell")["seconds"].max().rename("train_seconds")
    rows = trained.merge(seconds, left_on="cell", right_index=True, how="left")
    return (
        rows.groupby(["model", "train_on"], sort=False)
        .agg(
            trained=("train_key", "size"),
            median_s=("train_seconds", "median"),
            longest_s=("train_seconds", "max"),
            total_s=("train_seconds", lambda seconds: seconds.sum(min_count=1)),
        )
        .reset_index()
    )
