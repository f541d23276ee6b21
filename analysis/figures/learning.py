"""Validation loss over training."""

from matplotlib.figure import Figure

from analysis.figures.panels import MIN_PANEL_WIDTH_IN, PANEL_HEIGHT_IN, legend
from analysis.figures.style import Plot, looks, style, width_in
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
        axes[0].set_ylabel(f"validation loss\n[{results.task.validation}]")
        legend(figure, marks, markers=False)
    return Plot(
        figure=figure, data=table, alt="Validation loss over training steps, by model and training mix."
    )
