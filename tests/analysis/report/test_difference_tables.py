"""Tables of differences: marks, captions, escapes."""

import pytest

from analysis.comparing.comparisons import Comparison, compare
from analysis.report import difference_tables
from analysis.results import Results


@pytest.fixture(scope="module")
def comparison(results: Results) -> Comparison:
    return compare(results, "robustness", metrics=["entropy"], resamples=500)


def test_markdown_marks_what_is_clear_and_says_what_the_marks_mean(
    results: Results, comparison: Comparison
) -> None:
    lines = difference_tables.markdown(results, comparison, "entropy").splitlines()
    assert lines[0].startswith(
        "| Rewrites | Intensity | Trained on | Model | n (projects) | effective | Reference | Value | Δ |"
    )
    strong = next(line for line in lines if line.startswith("| rename | 1 | original | small"))
    assert "**+0.8" in strong
    assert "58 (12)" in strong
    weak = next(line for line in lines if line.startswith("| parens | 0.25 | original | small"))
    assert "**" not in weak
    assert "Bold: the 95 % interval excludes zero" in lines[-1]
    assert "of projects × seeds" in lines[-1]
    assert "which weigh as much as 11.6 to 11.7 of equal size" in lines[-1]
    assert "of 12 projects" in lines[-1]


def test_the_best_value_of_the_same_text_is_marked(results: Results, comparison: Comparison) -> None:
    table = difference_tables.differences(results, comparison, "entropy")
    for _, rivals in table.groupby(["rewrites", "intensity"]):
        assert rivals.loc[rivals["best"], "value"].tolist() == [rivals["value"].min()]
    assert difference_tables.markdown(results, comparison, "entropy").count("‡ |") == 9


def test_cut_off_searches_stand_beside_every_metric_of_ranks(results: Results) -> None:
    found = compare(results, "robustness", metrics=["entropy", "mrr_10"], resamples=50)
    n = 40 * len(results.scorings)
    told = f"Searches for ranks that were cut off, and count as wrong: 0 of {n:,} in all scorings."
    assert told in difference_tables.caption(results, found, "mrr_10")
    assert "Searches" not in difference_tables.caption(results, found, "entropy")


@pytest.mark.parametrize("p, text", [(0.0004, "< 0.001"), (0.02, "0.020"), (1.0, "1.000")])
def test_p_values(p: float, text: str) -> None:
    assert difference_tables.p_value(p) == text


def test_axes_that_never_vary_are_left_out(results: Results, comparison: Comparison) -> None:
    one_model = Comparison(
        kind=comparison.kind,
        scope="all",
        table=comparison.table.query("model == 'small'"),
        seeds=comparison.seeds.query("model == 'small'"),
        projects=comparison.projects,
    )
    assert difference_tables.cells(results, one_model, "entropy")[0][:4] == [
        "Rewrites",
        "Intensity",
        "Trained on",
        "n (projects)",
    ]
