"""Change of bits by rewrite × kind of token."""

import numpy as np
import seaborn as sns

from analysis.comparing.token_by_token import Scan, by_kind, codes_of
from analysis.figures.panels import lay_out
from analysis.figures.style import Plot, style, width_in
from analysis.results import BadResults, Results

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
    kinds = [kind for kind in codes_of(results).kinds if kind in set(table["kind"])]
    limit = float(table["change"].abs().max()) or 1.0
    width = width_in(template, columns)
    across = max(1, min(len(models), int(width // 3.3)))
    names_in = 0.07 * max(len(str(name)) for name in rewrites)
    label = _label if (width - names_in - 0.6) / across / len(kinds) >= LABEL_WIDTH_IN else _sign
    with style():
        height = 0.62 + 0.19 * len(rewrites)
        figure, panels = lay_out(models, width=width, across=across, height=height, more=0.75, sharey=True)
        for ax, model in panels:
            one = table[table["model"] == model]
            wide = one.pivot_table(index="rewrites", columns="kind", values="change", aggfunc="mean")
            wide = wide.reindex(index=rewrites, columns=kinds)
            sns.heatmap(
                wide,
                ax=ax, cmap="RdBu_r", vmin=-limit, vmax=limit, cbar=False, linewidths=0.4,
                annot=wide.map(label), fmt="", annot_kws={"size": 7},
            )  # fmt: skip
            ax.set(title=model, xlabel="", ylabel="")
            ax.set_xticks(ax.get_xticks(), kinds, rotation=40, ha="right", rotation_mode="anchor")
            ax.tick_params(axis="y", labelrotation=0)
        axes = [ax for ax, _ in panels]
        bar = figure.colorbar(axes[0].collections[0], ax=axes, aspect=30, pad=0.01, fraction=0.03)
        bar.set_label(f"Δ bits per {results.task.unit.singular}")
        bar.outline.set_visible(False)
    alt = (
        f"Change of bits per {results.task.unit.singular} by rewrite and kind of token, intensity {highest}, "
        f"trained on {train_on}."
    )
    return Plot(figure=figure, data=table, alt=alt)


def _label(change: float) -> str:
    if np.isnan(change) or abs(change) < 0.005:
        return "" if np.isnan(change) else "0.00"
    return f"{change:+.2f}".replace("-", "−")


def _sign(change: float) -> str:
    return "−" if change <= -0.005 else ""
