"""Growth of the data, and what was thrown out, over intensity."""

import numpy as np
import pandas as pd

from analysis.figures.panels import (
    PANEL_HEIGHT_IN,
    dodge,
    gap,
    in_order,
    intensity_axis,
    lay_out,
    legend,
    positions_of,
)
from analysis.figures.style import Plot, looks, style, width_in
from analysis.results import BadResults, Results

NATURALNESS = (
    "inserted_bits",
    "renamed_bits",
    "replaced_bits",
    "original_bits",
    "auc",
    "auc_low",
    "auc_high",
)


def growth(results: Results, *, template: str = "acm", columns: str = "two") -> Plot:
    """How much the augmented data grew, and what share of the samples was thrown out, over intensity by
    rewrite.
    """
    table = growth_table(results)
    if table.empty:
        raise BadResults(f"{results.folder / 'variants.parquet'}: no rewritten cells, so nothing grew")
    marks = looks(list(dict.fromkeys(table["rewrites"])))
    positions = positions_of(table, "intensity")
    drawn = {"growth": "growth of the tokens [%]", "thrown_out": "samples thrown out [%]"}
    with style():
        width = width_in(template, columns)
        figure, panels = lay_out(list(drawn), width=width, across=2, height=PANEL_HEIGHT_IN)
        for ax, column in panels:
            for offset, (rewrites, look) in zip(dodge(len(marks), positions), marks.items(), strict=True):
                rows = table[table["rewrites"] == rewrites]
                mean = 100 * rows.groupby("intensity", sort=False)[column].mean()
                x = mean.index.map(positions).to_numpy(float) + offset
                ax.plot(
                    x, mean, color=look.color, ls=look.dashes, marker=look.marker, markerfacecolor=look.face,
                    clip_on=False, zorder=3,
                )  # fmt: skip
                x = rows["intensity"].map(positions) + offset + 0.055 * gap(positions)
                ax.plot(x, 100 * rows[column], "o", color=look.color, ms=1.5, markeredgewidth=0)
            intensity_axis(ax, positions, results)
            ax.set_ylabel(drawn[column])
            ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
        legend(figure, marks, seeds=True)
    return Plot(
        figure=figure, data=table, alt="Growth of the augmented data and samples thrown out, over intensity."
    )


def growth_table(results: Results) -> pd.DataFrame:
    """Per rewrites × intensity × seed (all splits): growth of the kept samples' tokens, share thrown out,
    samples, and how natural they are, where that was measured.
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
    drawn = ["rewrites", "intensity", "seed", "n_samples", "growth", "thrown_out"]
    table = pd.DataFrame(records, columns=drawn).dropna()
    if len(results.naturalness):
        measured = one[["cell", "rewrites", "intensity", "seed"]].merge(results.naturalness, on="cell")
        table = table.merge(
            measured[["rewrites", "intensity", "seed", *NATURALNESS]],
            "left",
            ["rewrites", "intensity", "seed"],
        )
    return in_order(table, results)
