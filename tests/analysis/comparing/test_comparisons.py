"""Paired comparisons: which cells stand on either side, on which samples; known effects are found."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.comparing.comparisons import compare
from analysis.comparing.pairing import KINDS, baselines, pairs
from analysis.report import sentences
from analysis.report.difference_tables import unclaimed
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
        assert found["p"] < 0.05
        assert found["p_models_holm"] < 0.05
        assert found["share_worse"] > 0.95
    nothing = row(robustness, "parens", "0.25")
    assert nothing["low"] < 0 < nothing["high"]


def test_every_row_names_its_n(robustness: pd.DataFrame) -> None:
    found = row(robustness, "rename", "1")
    assert (found["n_seeds"], found["n_samples"], found["n_projects"]) == (2, 58, 12)  # 2 of 60 thrown out
    assert found["n_effective"] == pytest.approx(11.6, abs=0.1)


def test_an_interval_is_of_everything_that_was_drawn_and_another_of_these_models(
    robustness: pd.DataFrame,
) -> None:
    assert set(robustness["covers"]) == {"projects × seeds"}
    assert (robustness["why"] == "").all()
    joint = robustness["high_joint"] - robustness["low_joint"]
    assert (joint > robustness["high"] - robustness["low"]).all()
    assert (robustness["standard_error"] >= robustness["standard_error_models"] - 1e-12).all()
    sure = (robustness["low"] > 0) | (robustness["high"] < 0)
    assert (sure == (robustness["p"] < 0.05)).all()
    assert (robustness["detectable_holm"] > robustness["detectable"]).all()


def test_means_of_samples_and_of_projects_stand_beside_that_of_tokens(results: Results) -> None:
    comparison = compare(results, "robustness", metrics=["entropy"], resamples=50)
    found = row(comparison.table, "rename", "1")
    mine = comparison.projects.merge(found[list(results.groups)].to_frame().T, on=list(results.groups))
    assert found["by_projects"] == pytest.approx(mine["difference"].mean())
    paired = pairs(results, "robustness")
    cells = results.cells.merge(found[list(results.groups)].to_frame().T, on=list(results.groups))["cell"]
    paired = paired[paired["cell"].isin(cells)]
    gaps = paired["nll_bits_a"] / paired["n_tokens_a"] - paired["nll_bits_b"] / paired["n_tokens_b"]
    assert found["by_samples"] == pytest.approx(gaps.groupby(paired["sample"]).mean().mean())
    n = found["n_samples"]
    parts = (found["delta_within"] + (n - 1) * found["delta_between"]) / n
    assert found["delta"] == pytest.approx(parts)


def test_equivalence_is_tested_against_the_margin_that_the_claims_name_and_no_other(
    results: Results, folder: Path, tmp_path: Path
) -> None:
    without = compare(results, "robustness", metrics=["entropy"], resamples=50).table
    assert without[["margin", "p_equivalence"]].isna().all(axis=None)
    copy = claiming(folder, tmp_path, {"margin": {"entropy": 0.15}})
    table = compare(Results(copy), "robustness", metrics=["entropy", "accuracy_1"], resamples=50).table
    assert row(table, "parens", "0.25")["p_equivalence"] < 0.01
    assert row(table, "rename", "1")["p_equivalence"] > 0.99
    assert set(table["margin"].dropna()) == {0.15}
    assert table.loc[table["metric"] == "accuracy_1", "p_equivalence"].isna().all()


@pytest.mark.parametrize("margin", [{"bleu": 0.1}, {"entropy": -1}, {"entropy": "small"}])
def test_a_margin_that_can_not_be_one_is_named(
    folder: Path, tmp_path: Path, margin: dict[str, object]
) -> None:
    copy = claiming(folder, tmp_path, {"margin": margin})
    with pytest.raises(BadResults, match=rf"run.json: claims.margin.{next(iter(margin))}: .* one of entropy"):
        compare(Results(copy), "robustness", metrics=["entropy"], resamples=50)


def claiming(folder: Path, tmp_path: Path, claims: dict[str, object]) -> Path:
    """A copy of the folder whose run says what was claimed before it."""
    copy = Path(shutil.copytree(folder, tmp_path / "claiming"))
    run = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(run | {"claims": claims}))
    return copy


def test_draws_of_the_rewriting_are_a_source_of_their_own(folder: Path, tmp_path: Path) -> None:
    """Each model is scored on two draws, of which the second is worse by half a bit."""
    copy = Path(shutil.copytree(folder, tmp_path / "drawn"))
    cells, samples = (pd.read_parquet(copy / f"{name}.parquet") for name in ("cells", "samples"))
    own = ~cells["baseline"]
    second = cells[own].assign(rewriting_seed=2, cell=cells.loc[own, "cell"] + "b")
    pd.concat([cells.assign(rewriting_seed=np.where(own, 1, np.nan)), second]).to_parquet(
        copy / "cells.parquet"
    )
    again = samples[samples["cell"].isin(cells.loc[own, "cell"])].copy()
    again["cell"] += "b"
    again.loc[again["test"] == "augmented", "nll_bits"] += 0.5 * again["n_tokens"]
    pd.concat([samples, again]).to_parquet(copy / "samples.parquet")
    results = Results(copy)
    assert results.groups == ("rewrites", "intensity", "train_on", "model")
    table = compare(results, "robustness", metrics=["entropy"], resamples=50).table
    assert set(table["covers"]) == {"projects × seeds × draws"}
    assert set(zip(table["n_seeds"], table["n_draws"], strict=True)) == {(2, 2)}
    before = compare(Results(folder), "robustness", metrics=["entropy"], resamples=50).table
    assert table["difference"].to_numpy() == pytest.approx(before["difference"].to_numpy() + 0.25)
    assert (table["variance_draw"] > 0.8).all()
    assert (table["standard_error"] >= 0.25 - 1e-9).all()  # of two draws that are half a bit apart
    assert (table["standard_error_models"] > 0.2).all()


def test_one_seed_claims_nothing_beyond_these_models(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "one"))
    cells = pd.read_parquet(copy / "cells.parquet")
    cells[cells["seed"] == 1].to_parquet(copy / "cells.parquet")
    table = compare(Results(copy), "robustness", metrics=["entropy"], resamples=50).table
    assert set(table["why"]) == {"one seed"}
    assert table[["low", "high", "p", "p_holm", "detectable"]].isna().all(axis=None)
    assert np.isfinite(table[["low_models", "high_models", "p_models", "p_models_holm"]]).all(axis=None)


def test_an_invisible_rewrite_is_neither_robust_nor_equivalent(folder: Path, tmp_path: Path) -> None:
    """The rewritten text is the original, so its sums are the same."""
    primary = {"comparison": "robustness", "metric": "entropy", "rewrites": "rename", "intensity": "1"}
    copy = claiming(folder, tmp_path, {"margin": {"entropy": 5.0}, "primary": primary})
    cells, samples = (pd.read_parquet(copy / f"{name}.parquet") for name in ("cells", "samples"))
    unseen = cells["rewrites"] == "rename"
    cells.assign(invisible=unseen.where(~cells["baseline"])).to_parquet(copy / "cells.parquet")
    of_tests = samples["cell"].isin(cells.loc[unseen, "cell"])
    before = samples[of_tests & (samples["test"] == "original") & samples["common"]]
    kept = samples[~(of_tests & (samples["test"] == "augmented"))]
    scopes = {"all": "aligned", "identifiers": "identifiers_aligned"}
    after = before.assign(test="augmented", scope=before["scope"].map(scopes).fillna(before["scope"]))
    pd.concat([kept, after]).to_parquet(copy / "samples.parquet")
    comparison = compare(Results(copy), "robustness", metrics=["entropy"], resamples=50)
    told = sentences.sentences(Results(copy), {"robustness": comparison})
    assert "says nothing: the rewrite is invisible to the model" in told[0]
    assert "shown to be smaller" not in told[0]
    table = comparison.table
    rename = table[table["rewrites"] == "rename"]
    assert set(rename["why"]) == {"invisible"}
    assert (rename["difference"] == 0).all()
    claims = ["low", "high", "low_joint", "low_models", "p", "p_holm", "p_models", "detectable"]
    claims.append("p_equivalence")
    assert rename[claims].isna().all(axis=None)
    others = table[table["rewrites"] != "rename"]
    assert np.isfinite(others[claims]).all(axis=None)
    assert (others["p_equivalence"] < 0.05).any()
    training = compare(Results(copy), "training", metrics=["entropy"], resamples=50).table
    training = training[training["rewrites"] == "rename"]
    assert training["p_equivalence"].isna().all()
    assert np.isfinite(training["low"]).all()  # of two models, which do differ
    assert "invisible: " in unclaimed(table)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_cells_that_share_no_sample_are_compared_each_on_its_own(folder: Path, tmp_path: Path) -> None:
    """Of seed 1 the first half of the projects survived, of seed 2 the other half."""
    copy = Path(shutil.copytree(folder, tmp_path / "disjoint"))
    samples = pd.read_parquet(copy / "samples.parquet")
    cells = pd.read_parquet(copy / "cells.parquet").set_index("cell")
    first = samples["project"].rank(method="dense") <= 6
    kept = first == samples["cell"].map(cells["seed"]).eq(1)
    samples[kept].to_parquet(copy / "samples.parquet")
    table = compare(Results(copy), "robustness", metrics=["entropy"], resamples=50).table
    assert set(table["n_projects"]) == {12}
    assert np.isfinite(table[["difference", "low", "high", "p"]]).all(axis=None)


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
    assert set(found["why"]) == {"1 project"}
    assert found[["low", "high", "low_models", "p"]].isna().all(axis=None)


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
