"""Figures beside the curves: heat map by kind of token, original against augmented, cost."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from analysis.comparisons import Comparison
from analysis.pairing import metric, pairs
from analysis.panels import PANEL_HEIGHT_IN, legend, marks_of
from analysis.results import BadResults, Results
from analysis.robustness import KINDS, Scan, by_kind
from analysis.style import Plot, looks, style, width_in

MAX_POINTS = 20_000
LABEL_WIDTH_IN = 0.28  # of "+0.00" at 7 pt, with some air


def heat_map(
    results: Results, found: Scan, *, train_on: str = "original", template: str = "acm", columns: str = "two"
) -> Plot:
    """Change of bits per token by rewrite × kind of token at the highest intensity, one panel per model.

    Means over seeds; a kind without tokens stays empty. Red is worse, blue is better, white no change; where
    the numbers have no room, what is better has a minus sign, so that it can be told in grey.
    """
    table = by_kind(results, found)
    table = table[table["train_on"] == train_on]
    if table.empty:
        raise BadResults(f"{results.folder / 'tokens'}: no token tables of models trained on {train_on}")
    cells = results.cells.drop_duplicates("intensity").set_index("intensity")["intensity_value"]
    highest = max(table["intensity"].unique(), key=lambda level: float(cells[level]))
    table = table[table["intensity"] == highest]
    models = list(dict.fromkeys(table["model"]))
    rewrites = list(dict.fromkeys(table["rewrites"]))
    kinds = [kind for kind in KINDS if kind in set(table["kind"])]
    limit = float(table["change"].abs().max()) or 1.0
    width = width_in(template, columns)
    across = max(1, min(len(models), int(width // 3.3)))
    down = -(-len(models) // across)
    names_in = 0.07 * max(len(str(name)) for name in rewrites)
    room = (width - names_in - 0.6) / across / len(kinds)
    with style():
        figure = Figure(figsize=(width, down * (0.62 + 0.19 * len(rewrites)) + 0.75))
        axes = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
        for ax, model in zip(axes, models, strict=False):
            one = table[table["model"] == model]
            wide = one.pivot_table(index="rewrites", columns="kind", values="change", aggfunc="mean")
            wide = wide.reindex(index=rewrites, columns=kinds)
            labels = wide.map(_label if room >= LABEL_WIDTH_IN else _sign)
            sns.heatmap(
                wide,
                ax=ax, cmap="RdBu_r", vmin=-limit, vmax=limit, cbar=False, linewidths=0.4,
                annot=labels, fmt="", annot_kws={"size": 7},
            )  # fmt: skip
            ax.set(title=model, xlabel="", ylabel="")
            ax.set_xticks(ax.get_xticks(), kinds, rotation=40, ha="right", rotation_mode="anchor")
            ax.tick_params(axis="y", labelrotation=0)
        for ax in axes[len(models) :]:
            ax.remove()
        bar = figure.colorbar(
            axes[0].collections[0], ax=list(axes[: len(models)]), aspect=30, pad=0.01, fraction=0.03
        )
        bar.set_label("Δ bits per token")
        bar.outline.set_visible(False)
    alt = (
        f"Change of bits per token by rewrite and kind of token, intensity {highest}, trained on {train_on}."
    )
    return Plot(figure=figure, data=table, alt=alt)


def _label(change: float) -> str:
    if np.isnan(change) or abs(change) < 0.005:
        return "" if np.isnan(change) else "0.00"
    return f"{change:+.2f}".replace("-", "−")


def _sign(change: float) -> str:
    return "−" if change <= -0.005 else ""


def scatter(
    results: Results, metric_name: str = "entropy", *, template: str = "acm", columns: str = "two"
) -> Plot:
    """Original against rewritten text: a point per sample and cell, a panel per model.

    Models trained on original text, highest intensity of each rewrite. Beyond 20,000 points a fixed random
    part of the samples is drawn; the CSV holds what is drawn.
    """
    one = metric(metric_name)
    points = pairs(results, "robustness").merge(
        results.cells[["cell", *results.axes, "intensity_value"]], on="cell"
    )
    points = points[points["train_on"] == "original"]
    points = points[
        points["intensity_value"] == points.groupby("rewrites")["intensity_value"].transform("max")
    ]
    if points.empty:
        raise BadResults(
            f"{results.folder}: no rewritten test text was scored by a model trained on original text"
        )
    if len(points) > MAX_POINTS:
        points = points.sample(MAX_POINTS, random_state=0)
    drawn = points[["cell", *results.axes, "sample", "project"]].assign(
        original=points[f"{one.numerator}_b"] / points[f"{one.denominator}_b"],
        rewritten=points[f"{one.numerator}_a"] / points[f"{one.denominator}_a"],
    )
    models = list(dict.fromkeys(drawn["model"]))
    marks = {level: look for level, look in marks_of(results).items() if level in set(drawn["rewrites"])}
    width = width_in(template, columns)
    across = max(1, min(len(models), int(width // 1.6)))
    down = -(-len(models) // across)
    low, high = drawn[["original", "rewritten"]].min().min(), drawn[["original", "rewritten"]].max().max()
    with style():
        side = min(2.4, width / across - 0.25)
        figure = Figure(figsize=(width, down * (side + 0.35) + 0.1))
        axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
        for ax, model in zip(axes, models, strict=False):
            ax.plot([low, high], [low, high], color="#111111", lw=0.7, ls=(0, (6, 2)), zorder=1)
            for rewrites, look in marks.items():
                mine = drawn[(drawn["model"] == model) & (drawn["rewrites"] == rewrites)]
                ax.plot(
                    mine["original"], mine["rewritten"], ls="", marker=look.marker, ms=2.2, color=look.color,
                    markerfacecolor=look.face, alpha=0.55,
                    markeredgewidth=0.5 if look.hollow else 0, rasterized=len(drawn) > 5000,
                )  # fmt: skip
            ax.set_aspect("equal")
            ax.set(title=model, xlabel="original")
        for ax in axes[len(models) :]:
            ax.remove()
        axes[0].set_ylabel(f"rewritten\n[{one.unit}]")
        legend(figure, marks, "no change", joined=False)
    return Plot(
        figure=figure, data=drawn, alt=f"{one.label} of each sample, original against rewritten text."
    )


def cost(
    results: Results,
    comparison: Comparison,
    metric_name: str = "entropy",
    *,
    template: str = "acm",
    columns: str = "two",
) -> Plot:
    """What a model costs and gives: training seconds against the metric on rewritten text."""
    one = metric(metric_name)
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
        ax.set(xlabel="training time of one model [s]", ylabel=f"{one.label} on rewritten text\n[{one.unit}]")
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
            total_s=("train_seconds", "sum"),
        )
        .reset_index()
    )
