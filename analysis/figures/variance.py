"""Where the variance of a difference comes from: seeds, draws, projects, and what they share."""

import numpy as np

from analysis.comparing.comparisons import Comparison
from analysis.comparing.pairing import KINDS
from analysis.figures.panels import heads, highest, lay_out, legend, outer_labels, title
from analysis.figures.style import Plot, looks, style, width_in
from analysis.results import BadResults, Results

SOURCES = ("seed", "draw", "project", "residual")
ROW_IN = 0.15


def variance(
    results: Results,
    comparison: Comparison,
    metric_name: str | None = None,
    *,
    template: str = "acm",
    columns: str = "two",
) -> Plot:
    """Shares of the variance of each set's difference at its highest intensity, a mark per source; a panel
    per model and training mix. A share can be negative: then it is small, and is drawn where it is; what
    could not be split has no mark.
    """
    one = results.metric(metric_name or results.task.leads[0])
    rows = comparison.table[comparison.table["metric"] == one.name]
    rows = rows[highest(rows, results)]
    sources = [source for source in SOURCES if (rows[f"variance_{source}"].fillna(0) != 0).any()]
    if len(sources) < 2:
        raise BadResults(f"{results.folder}: what was drawn is of one source; nothing to split")
    panel = heads(rows, [axis for axis in results.groups if axis not in ("rewrites", "intensity")])
    names, sets = list(dict.fromkeys(panel)), list(dict.fromkeys(rows["rewrites"]))
    marks = looks(sources)
    width = width_in(template, columns)
    names_in = 0.07 * max(len(str(name)) for name in sets)
    across = max(1, min(len(names), int((width - names_in) // 1.4)))
    with style():
        figure, panels = lay_out(
            names, width=width, across=across, height=0.8 + ROW_IN * len(sets), sharex=True, sharey=True
        )
        for ax, name in panels:
            ax.axvline(0, color="#111111", lw=0.8, zorder=1)
            mine = rows[panel == name]
            y = mine["rewrites"].map({level: i for i, level in enumerate(sets)})
            for source, look in marks.items():
                share = 100 * mine[f"variance_{source}"]
                ax.plot(share, y, ls="", marker=look.marker, color=look.color, ms=3.6)
            ax.set_yticks(np.arange(len(sets)), sets)
            ax.set_ylim(len(sets) - 0.5, -0.5)
            ax.set_xlabel("share of the\nvariance [%]")
            ax.tick_params(labelbottom=True)
            title(ax, name, (width - names_in) / across - 0.2)
        outer_labels([ax for ax, _ in panels], "")
        legend(figure, marks, joined=False)
    drawn = rows[[*results.groups, *(f"variance_{source}" for source in SOURCES)]]
    return Plot(figure=figure, data=drawn, alt=f"{one.label}: variance by source. {KINDS[comparison.kind]}.")
