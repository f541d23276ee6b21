"""Original against rewritten text, sample by sample."""

from analysis.comparing.pairing import pairs
from analysis.figures.panels import lay_out, legend, marks_of
from analysis.figures.style import Plot, style, width_in
from analysis.results import BadResults, Results

MAX_POINTS = 20_000


def scatter(
    results: Results, metric_name: str | None = None, *, template: str = "acm", columns: str = "two"
) -> Plot:
    """Original against rewritten text: a point per sample and cell, a panel per model.

    Models trained on original text, highest intensity of each rewrite. Beyond 20,000 points a fixed random
    part of the samples is drawn; the CSV holds what is drawn.
    """
    one = results.metric(metric_name or results.task.leads[0])
    if one.by is not None or one.of_draws:
        raise BadResults(f"{one.name} is not made of sums by sample")
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
        original=one.of({name: points[f"{name}_b"].to_numpy() for name in one.sums}),
        rewritten=one.of({name: points[f"{name}_a"].to_numpy() for name in one.sums}),
    )
    models = list(dict.fromkeys(drawn["model"]))
    marks = {level: look for level, look in marks_of(results).items() if level in set(drawn["rewrites"])}
    width = width_in(template, columns)
    across = max(1, min(len(models), int(width // 1.6)))
    low, high = drawn[["original", "rewritten"]].min().min(), drawn[["original", "rewritten"]].max().max()
    with style():
        height = min(2.4, width / across - 0.25) + 0.35
        figure, panels = lay_out(
            models, width=width, across=across, height=height, more=0.1, sharex=True, sharey=True
        )
        for ax, model in panels:
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
        panels[0][0].set_ylabel(f"rewritten\n[{one.unit}]")
        legend(figure, marks, "no change", joined=False)
    return Plot(
        figure=figure, data=drawn, alt=f"{one.label} of each sample, original against rewritten text."
    )
