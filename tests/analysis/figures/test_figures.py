"""The shape of figures: panels, labels, order, units, sizes; what is drawn is what is written."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.comparing import token_by_token
from analysis.comparing.comparisons import Comparison, compare
from analysis.figures import cost, curves, growth, heat_map, learning, panels, scatter, style
from analysis.results import Results
from tests.analysis.figures.overlaps import overlapping, shown
from tests.simulation.folder import Simulation, write


@pytest.fixture(scope="module")
def against_baseline(results: Results) -> Comparison:
    return compare(results, "baseline", metrics=["entropy"], resamples=200)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in shown(figure)]


def test_one_panel_per_training_mix_and_model(results: Results, against_baseline: Comparison) -> None:
    figure = curves.curves(results, against_baseline, "entropy").figure
    assert [ax.get_title().replace("\n", " ") for ax in figure.axes] == [
        "small, trained on original",
        "ngram, trained on original",
        "small, trained on original+augmented",
        "ngram, trained on original+augmented",
    ]
    assert figure.axes[0].get_ylabel() == "Entropy\n[bits per token]"
    assert figure.axes[-1].get_xlabel() == "rate of sites"
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == [
        "0.25\nn 59", "0.5\nn 59", "1\nn 58",
    ]  # fmt: skip


def test_a_line_between_points_of_other_samples_is_grey(
    results: Results, against_baseline: Comparison
) -> None:
    figure = curves.curves(results, against_baseline, "entropy").figure
    joins = [line for line in figure.axes[0].lines if line.get_color() == panels.OTHER_SAMPLES]
    assert len(joins) == 3  # of each set from 0.5 to 1
    assert "other samples" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_values_mislead_where_samples_move_them_more_than_rewriting(against_baseline: Comparison) -> None:
    table = against_baseline.table
    moved = table.assign(reference=table["reference"] + 5 * table["intensity"].eq("1"))
    fields = {name: getattr(against_baseline, name) for name in ("kind", "scope", "seeds", "projects")}
    assert not curves.misleads(against_baseline, "entropy")
    assert curves.misleads(Comparison(table=moved, **fields), "entropy")


def test_the_baseline_is_a_line_for_each_seed(results: Results, against_baseline: Comparison) -> None:
    ax = curves.curves(results, against_baseline, "entropy").figure.axes[0]
    drawn = [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in ax.lines]
    flat = [y for x, y in drawn if len(set(y)) == 1 and list(x) == [0, 1]]
    assert len(flat) == 2


def test_seeds_are_drawn_as_points(results: Results, against_baseline: Comparison) -> None:
    ax = curves.curves(results, against_baseline, "entropy").figure.axes[0]
    dots = [line for line in ax.lines if line.get_linestyle() == "None" and line.get_markersize() == 1.5]
    assert [len(np.asarray(line.get_xdata())) for line in dots] == [
        6,
        6,
        6,
    ]  # 3 intensities × 2 seeds, for each rewrite


def test_bars_are_of_what_was_drawn_and_joint_ones_do_not_stretch_the_axis(
    results: Results, against_baseline: Comparison
) -> None:
    ax = curves.curves(results, against_baseline, "entropy").figure.axes[0]
    rows = against_baseline.table.query("model == 'small' and train_on == 'original'")
    low, high = ax.get_ylim()
    assert high - low < 4 * (rows["high"].max() - rows["low"].min()) + np.ptp(rows["value"])
    paths = [np.asarray(path.vertices) for group in ax.collections for path in group.get_paths()]
    segments = [path for path in paths if len(path)]
    lengths = sorted(np.ptp(segment[:, 1]) for segment in segments)
    bars = sorted([*(rows["high"] - rows["low"]), *(rows["high_joint"] - rows["low_joint"])])
    assert [length for length in lengths if length > 1e-12] == pytest.approx(bars)


@pytest.mark.parametrize(
    "simulation, note",
    [
        (Simulation(seeds=[1], models=["small"], projects=8), "these models alone"),
        (Simulation(models=["small"], projects=3), "no interval: 3 projects"),
    ],
)
def test_a_figure_says_where_nothing_is_claimed(tmp_path: Path, simulation: Simulation, note: str) -> None:
    results = Results(write(tmp_path / "small", simulation))
    comparison = compare(results, "baseline", metrics=["entropy"], resamples=50)
    figure = curves.curves(results, comparison, "entropy").figure
    assert note in [text.get_text() for text in figure.legends[0].get_texts()]


def test_what_is_drawn_is_written_beside_it(
    results: Results, against_baseline: Comparison, tmp_path: Path
) -> None:
    plot = curves.curves(results, against_baseline, "entropy")
    pdf, png, csv = plot.save(tmp_path, "curves")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert b"/Subtype /Image" not in pdf.read_bytes()
    assert matplotlib.image.imread(png).shape[1] == pytest.approx(7.0 * 300, abs=2)
    read = pd.read_csv(csv)
    assert len(read) == 36
    assert {"difference", "low", "high", "n_samples", "p_holm"} <= set(read.columns)


@pytest.mark.parametrize("template", style.SIZES_IN)
@pytest.mark.parametrize("columns", ["one", "two"])
def test_templates_give_the_width_and_no_text_is_below_seven_points(
    results: Results, against_baseline: Comparison, template: str, columns: str
) -> None:
    figure = curves.differences(
        results, against_baseline, "entropy", template=template, columns=columns
    ).figure
    assert figure.get_figwidth() == style.SIZES_IN[template][columns]
    assert min(float(text.get_fontsize()) for text in shown(figure)) >= 7


def test_an_unknown_template_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="acm, ieee, neurips"):
        style.width_in("nature", "one")


def test_growth_shows_every_rewrite(results: Results) -> None:
    plot = growth.growth(results)
    assert list(dict.fromkeys(plot.data["rewrites"])) == ["rename", "dead_code", "parens"]
    assert plot.figure.axes[0].get_ylabel() == "growth of the tokens [%]"
    assert plot.data["thrown_out"].between(0, 0.05).all()


def test_learning_curves_have_a_line_per_trained_model(results: Results) -> None:
    plot = learning.learning(results)
    assert [ax.get_title() for ax in plot.figure.axes] == ["small", "ngram"]
    assert len(plot.figure.axes[0].lines) == 2 + 18  # two seeds of the baseline; 3 × 3 × 2 augmented


def test_a_long_label_stands_in_lines_that_fit_beside_a_panel(results: Results) -> None:
    lines = panels.axis_label(results.metric("accuracy_1_top_50"), "Δ ").splitlines()
    assert lines[0].startswith("Δ Accuracy@1")
    assert lines[-1].endswith("]")
    assert max(map(len, lines)) <= panels.LABEL_CHARS


def test_twelve_looks_differ_in_two_ways_at_least() -> None:
    marks = list(style.looks(range(12)).values())
    for i, a in enumerate(marks):
        for b in marks[:i]:
            assert (a.color != b.color) + (a.marker != b.marker) + (str(a.dashes) != str(b.dashes)) >= 2


def test_rates_with_room_stand_at_their_value_and_crowded_ones_at_equal_distances() -> None:
    roomy = pd.DataFrame({"intensity": ["0.25", "0.5", "1"]})
    crowded = pd.DataFrame({"intensity": ["0.01", "0.02", "1"]})
    assert list(panels.positions_of(roomy, "intensity").values()) == pytest.approx([2 / 3, 4 / 3, 8 / 3])
    assert list(panels.positions_of(crowded, "intensity").values()) == [0, 1, 2]


def test_counts_and_one_intensity_can_be_drawn(tmp_path: Path) -> None:
    small = Simulation(rewrites=["rename"], intensities=[1.0], models=["small"], seeds=[1], projects=3)
    results = Results(write(tmp_path / "one", small))
    comparison = compare(results, "baseline", metrics=["entropy"], resamples=50)
    assert len(curves.curves(results, comparison, "entropy").data) == 2


def test_heat_map_has_rewrites_by_kinds_for_every_model(results: Results) -> None:
    plot = heat_map.heat_map(results, token_by_token.scan(results))
    ax = plot.figure.axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["rename", "dead_code", "parens"]
    assert [tick.get_text() for tick in ax.get_xticklabels()][:3] == ["name", "keyword", "operator"]
    assert set(plot.data["intensity"]) == {"1"}
    assert plot.data["n_tokens"].gt(0).all()


def test_scatter_has_a_point_per_sample_and_cell(results: Results) -> None:
    plot = scatter.scatter(results)
    assert len(plot.data) == 2 * 3 * 2 * 58  # models × rewrites × seeds × common samples
    assert plot.figure.axes[0].get_aspect() == 1
    assert set(plot.data["train_on"]) == {"original"}


def test_cost_has_a_point_per_model_mix_and_seed(results: Results, against_baseline: Comparison) -> None:
    plot = cost.cost(results, against_baseline)
    assert len(plot.data) == 2 * 2 * 2
    assert plot.figure.axes[0].get_xlabel() == "training time of one model [s]"
    table = cost.cost_table(results).set_index(["model", "train_on"])
    assert table.loc[("small", "original"), "trained"] == 2


def test_crowded_panels_are_wide_and_the_figure_fits_a_page() -> None:
    assert panels.panels_across(7.0, panels=8, points=12 * 6) == 2
    assert panels.panels_across(7.0, panels=8, points=3 * 3) == 4
    assert panels.panels_across(7.0, panels=12, points=12 * 6) == 3  # two beside one another were too high
    assert panels.panels_across(3.33, panels=1, points=9) == 1


@pytest.mark.parametrize("template", ["acm", "neurips"])
def test_no_labels_overlap_with_twelve_rewrites_six_intensities_and_four_models(
    crowded: Results, template: str
) -> None:
    comparison = compare(crowded, "baseline", metrics=["entropy"], resamples=20)
    for columns in ("one", "two"):
        for plot in (
            curves.curves(crowded, comparison, "entropy", template=template, columns=columns),
            growth.growth(crowded, template=template, columns=columns),
            scatter.scatter(crowded, template=template, columns=columns),
            cost.cost(crowded, comparison, template=template, columns=columns),
        ):
            assert overlapping(plot.figure) == []
            assert plot.figure.get_figheight() < 11


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Results:
    names = [f"{kind}_{what}" for kind in ("rename", "conditional", "redundant") for what in _WHAT]
    simulation = Simulation(
        rewrites=names,
        intensities=[0.05, 0.1, 0.25, 0.5, 0.75, 1.0],
        models=["gru", "gpt", "ngram", "closed_vocabulary"],
        train_on=["original"],
        seeds=[1],
        projects=3,
        samples_per_project=2,
        tokens_per_sample=20,
        with_tokens=False,
    )
    return Results(write(tmp_path_factory.mktemp("crowded") / "grid", simulation))


_WHAT = ("variable", "parameter", "identity", "branch")
