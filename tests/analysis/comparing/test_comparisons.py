"""Paired comparisons: which cells stand on either side, on which samples; known effects are found."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.comparing.comparisons import compare
from analysis.comparing.pairing import KINDS, baselines, pairs
from analysis.results import BadResults, Results


@pytest.fixture(scope="module")
def robustness(results: Results) -> pd.DataFrame:
    return compare(results, "robustness", metrics=["entropy", "accuracy_1"], resamples=2000).table


def row(table: pd.DataFrame, rewrites: str, intensity: str, train_on: str = "original") -> pd.Series:
    chosen = table[(table["rewrites"] == rewrites) & (table["intensity"] == intensity)]
    chosen = chosen[(chosen["train_on"] == train_on) & (chosen["model"] == "small")]
    return chosen[chosen["metric"] == "entropy"].iloc[0]


def test_the_simulated_effects_are_found(robustness: pd.DataFrame) -> None:
    for intensity in (0.25, 0.5, 1.0):
        found = row(robustness, "rename", f"{intensity:g}")
        assert found["low"] < 0.8 * intensity < found["high"]
        assert found["p_holm"] < 0.05
        assert found["share_worse"] > 0.95
    nothing = row(robustness, "parens", "0.25")
    assert nothing["low"] < 0 < nothing["high"]


def test_every_row_names_its_n(robustness: pd.DataFrame) -> None:
    found = row(robustness, "rename", "1")
    assert (found["n_seeds"], found["n_samples"], found["n_projects"]) == (2, 58, 12)  # 2 of 60 thrown out


def test_difference_is_value_minus_reference_and_the_mean_over_seeds(results: Results) -> None:
    found = compare(results, "baseline", metrics=["mrr_10"], resamples=50)
    table = found.table.set_index(list(results.groups))
    assert table["difference"].to_numpy() == pytest.approx((table["value"] - table["reference"]).to_numpy())
    means = found.seeds.groupby(list(results.groups), sort=False)["difference"].mean()
    assert means.loc[table.index].to_numpy() == pytest.approx(table["difference"].to_numpy())


def test_sides_hold_the_same_tokens(results: Results) -> None:
    for kind in KINDS:
        for scope in ("all", "identifier"):
            both = pairs(results, kind, scope=scope)
            assert (both["n_tokens_a"] == both["n_tokens_b"]).all()


def test_the_values_are_the_metrics_on_common_samples(results: Results) -> None:
    by_sample = [one.name for one in results.task.metrics if one.by is None and one.differences != "never"]
    found = compare(results, "robustness", metrics=by_sample, resamples=50).seeds
    expected = results.metrics.query("test == 'augmented' and samples == 'common' and scope == 'aligned'")
    both = found.merge(expected, on=["cell", "metric"], suffixes=("", "_expected"))
    assert len(both) == len(found)
    assert both["value"].to_numpy() == pytest.approx(both["value_expected"].to_numpy())


def test_clean_code_is_compared_for_models_trained_on_something_else_alone(results: Results) -> None:
    assert set(compare(results, "clean", metrics=["entropy"], resamples=50).table["train_on"]) == {
        "original+augmented"
    }


def test_training_pairs_models_on_the_same_rewritten_text(results: Results) -> None:
    found = row(
        compare(results, "training", metrics=["entropy"], resamples=500).table,
        "rename",
        "1",
        "original+augmented",
    )
    assert found["difference"] == pytest.approx(-0.35, abs=0.12)  # half of 0.8, less 0.05 on clean code


def test_thrown_out_samples_are_left_out_of_the_baseline_too(results: Results) -> None:
    found = row(compare(results, "baseline", metrics=["entropy"], resamples=50).table, "rename", "1")
    on_all = baselines(results).query("model == 'small'")["value"].mean()
    assert found["reference"] != pytest.approx(on_all, abs=1e-9)


def test_a_grid_that_tests_on_rewritten_text_alone_is_compared_with_its_baselines(
    folder: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    samples = pd.read_parquet(copy / "samples.parquet")
    cells = pd.read_parquet(copy / "cells.parquet")
    unaugmented = samples["cell"].isin(cells.loc[cells["baseline"], "cell"])
    samples[unaugmented | (samples["test"] == "augmented")].to_parquet(copy / "samples.parquet")
    rows = {kind: compare(Results(copy), kind, metrics=["entropy"], resamples=50).table for kind in KINDS}
    assert {kind for kind, table in rows.items() if len(table)} == {"baseline", "training"}


def test_a_grid_that_trains_and_tests_on_one_text_alone_has_nothing_to_compare_training_with(
    folder: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    cells = pd.read_parquet(copy / "cells.parquet")
    cells[cells["baseline"] | (cells["train_on"] != "original")].to_parquet(copy / "cells.parquet")
    samples = pd.read_parquet(copy / "samples.parquet")
    samples[samples["test"] == "original"].to_parquet(copy / "samples.parquet")
    rows = {kind: compare(Results(copy), kind, metrics=["entropy"], resamples=50).table for kind in KINDS}
    assert {kind for kind, table in rows.items() if len(table)} == {"clean"}


def test_cells_of_a_failed_baseline_are_in_no_comparison_with_it(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    cells = pd.read_parquet(copy / "cells.parquet")
    cells["status"] = np.where(cells["baseline"] & (cells["model"] == "small"), "failed", "done")
    cells.to_parquet(copy / "cells.parquet")
    found = compare(Results(copy), "baseline", metrics=["entropy"], resamples=50).table
    assert set(found["model"]) == {"ngram"}


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_nothing_is_relative_to_a_metric_that_is_zero(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    samples = pd.read_parquet(copy / "samples.parquet")
    samples.loc[samples["test"] == "original", "accuracy_1"] = 0
    samples[samples["project"] == samples["project"].iloc[0]].to_parquet(copy / "samples.parquet")
    found = compare(Results(copy), "robustness", metrics=["entropy", "accuracy_1"], resamples=50).table
    zero = found["metric"] == "accuracy_1"
    assert (found["reference"][zero] == 0).all()
    assert (found["difference"][zero] > 0).all()
    assert found["relative"][zero].isna().all()
    assert np.isfinite(found["relative"][~zero]).all()


def test_other_tokens_on_one_side_are_an_error(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    samples = pd.read_parquet(copy / "samples.parquet")
    first = samples.index[(samples["scope"] == "aligned")][0]
    samples.loc[first, "n_tokens"] += 1
    samples.to_parquet(copy / "samples.parquet")
    with pytest.raises(BadResults, match=f"same tokens, the first is sample {samples.loc[first, 'sample']}"):
        compare(Results(copy), "robustness", metrics=["entropy"], resamples=50)


def test_a_sample_without_partner_is_an_error(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    samples = pd.read_parquet(copy / "samples.parquet")
    gone = samples["scope"].eq("all") & samples["test"].eq("original") & samples["common"]
    samples.drop(samples.index[gone][-1]).to_parquet(copy / "samples.parquet")
    with pytest.raises(BadResults, match="no partner"):
        compare(Results(copy), "robustness", metrics=["entropy"], resamples=50)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda r: compare(r, "clean", metrics=["bleu"]), "no metric 'bleu'; there are entropy, accuracy_1"),
        (lambda r: compare(r, "clean", metrics=["perplexity"]), "perplexity is a number of each cell alone"),
        (lambda r: pairs(r, "robust"), "no comparison 'robust'; there are robustness, baseline"),
        (lambda r: pairs(r, "clean", scope="names"), "no scope 'names'"),
    ],
)
def test_wrong_names_are_answered_with_the_right_ones(results: Results, call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(BadResults, match=message):
        call(results)
