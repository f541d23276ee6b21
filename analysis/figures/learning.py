"""Validation loss over training."""

import seaborn as sns

from analysis.figures.panels import MIN_PANEL_WIDTH_IN, PANEL_HEIGHT_IN, lay_out, legend
from analysis.figures.style import Plot, looks, seaborn_looks, style, width_in
from analysis.results import BadResults, Results


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
    width = width_in(template, columns)
    across = max(1, min(len(models), int(width // MIN_PANEL_WIDTH_IN)))
    points = table.groupby("cell")["step"].transform("size") == 1  # a line needs two
    with style():
        figure, panels = lay_out(models, width=width, across=across, height=PANEL_HEIGHT_IN)
        for ax, model in panels:
            own = {"x": "step", "y": "valid_bits", "hue": "train_on", "legend": False, "ax": ax, "alpha": 0.7}
            looks_of = seaborn_looks(marks)
            lines, dots = (table[(table["model"] == model) & (points == alone)] for alone in (False, True))
            sns.lineplot(lines, style="train_on", units="cell", estimator=None, lw=0.8, **looks_of, **own)
            if len(dots):
                sns.scatterplot(dots, palette=looks_of["palette"], **own)
            ax.set(title=model, xlabel="training step", ylabel="")
        panels[0][0].set_ylabel(f"validation loss\n[{results.task.validation}]")
        legend(figure, marks, markers=False)
    return Plot(
        figure=figure, data=table, alt="Validation loss over training steps, by model and training mix."
    )
