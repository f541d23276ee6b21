"""Models that lose at one place alone, from their artifacts to the table of where a change falls."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from analysis.comparing.comparisons import compare
from analysis.comparing.pairing import pairs
from analysis.comparing.where import where
from analysis.results import Results
from tests.simulation import planted

Rows = dict[tuple[str, str], dict[str, dict[Any, Any]]]
"""By rewrite set and metric, then by scope."""
DISTANCES = ["behind:none", "behind:1", "behind:2", "behind:3-4", "behind:5-10", "behind:11-"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(planted.write(tmp_path_factory.mktemp("planted")))


@pytest.fixture(scope="module")
def found(results: Results) -> Rows:
    rows: Rows = {}
    for row in where(results).to_dict("records"):
        rows.setdefault((row["rewrites"], row["metric"]), {})[row["scope"]] = row
    return rows


def test_what_is_lost_at_the_first_token_behind_an_insertion_is_found_there(found: Rows) -> None:
    bits = found["parens", "entropy"]
    changed = {scope for scope, row in bits.items() if abs(row["difference"]) > 1e-6}
    assert changed == {"all", "behind:1", "renaming:never"}
    first = bits["behind:1"]
    assert first["difference"] == pytest.approx(planted.BEHIND)
    assert first["share_of_change"] == pytest.approx(1.0)
    assert first["share_of_units"] == pytest.approx(2 / 6)
    assert bits["context_alone"]["n_units"] > 0
    assert first["low"] <= planted.BEHIND <= first["high"]
    assert first["covers"] == "projects × seeds"
    right = found["parens", "accuracy_1"]["behind:1"]
    assert (right["reference"], right["value"], right["relative"]) == (1, 0, -1)


def test_what_renaming_costs_is_told_by_occurrence(found: Rows) -> None:
    bits = found["rename", "entropy"]
    assert bits["renaming:first"]["difference"] == pytest.approx(planted.AT_FIRST)
    assert bits["renaming:later"]["difference"] == pytest.approx(planted.LATER)
    assert bits["renaming:never"]["difference"] == pytest.approx(0)
    assert bits["renaming:any"]["n_units"] == len(planted.NAMES) * planted.LINES
    assert set(bits) & set(DISTANCES) == {"behind:none"}  # nothing was inserted
    by_byte = found["rename", "bits_per_byte"]["renaming:first"]
    assert by_byte["reference"] == pytest.approx(2.15)
    assert by_byte["value"] == pytest.approx((2.15 + planted.AT_FIRST) / 2)


def test_whole_texts_cost_what_was_inserted_too(found: Rows) -> None:
    whole, aligned = found["parens", "whole_entropy"]["all"], found["parens", "entropy"]["all"]
    assert whole["reference"] == pytest.approx(2.15)
    assert whole["value"] == pytest.approx(aligned["value"] + planted.INSERTED_BITS * 2 / 6)
    assert found["parens", "n_seen"]["all"]["difference"] == pytest.approx(0)


@pytest.mark.parametrize("parts", [DISTANCES, ["renaming:never", "renaming:first", "renaming:later"]])
def test_scopes_sum_up_to_the_whole_and_both_sides_hold_the_same(results: Results, parts: list[str]) -> None:
    whole = pairs(results, "robustness").set_index(["cell", "sample"]).sort_index()
    by_scope = [pairs(results, "robustness", scope=scope).set_index(["cell", "sample"]) for scope in parts]
    assert all((one["n_tokens_a"] == one["n_tokens_b"]).all() for one in by_scope)
    sums = ["n_tokens_a", "n_tokens_b", "nll_bits_a", "nll_bits_b", "accuracy_1_a", "n_bytes_b"]
    together = pd.concat(by_scope)[sums].groupby(level=[0, 1]).sum().sort_index()
    pd.testing.assert_frame_equal(together, whole[sums], check_dtype=False)
    assert ("parens1", planted.THROWN_OUT) not in whole.index
    assert ("rename1", planted.THROWN_OUT) in whole.index


def test_a_baseline_has_the_units_of_each_cell_that_it_is_compared_with(results: Results) -> None:
    found = compare(results, "baseline", scope="behind:1", metrics=["entropy"]).table
    assert found["rewrites"].tolist() == ["parens"]
    assert found["difference"].tolist() == pytest.approx([planted.BEHIND])
    assert len(compare(results, "clean", scope="behind:1", metrics=["entropy"]).table) == 0


def test_values_by_scope_stand_with_the_common_samples(results: Results) -> None:
    rows = results.metrics[
        (results.metrics["scope"] == "behind:1") & (results.metrics["metric"] == "entropy")
    ]
    assert set(rows["samples"]) == {"common"}
    values = {(row["cell"], row["test"]): row["value"] for row in rows.to_dict("records")}
    assert values["parens1", "augmented"] - values["parens1", "original"] == pytest.approx(planted.BEHIND)


def test_a_sum_that_one_of_two_scorings_lacks_is_told_of_neither(tmp_path: Path) -> None:
    results = Results(planted.write(tmp_path, older=True))
    rows = pq.read_table(results.folder / "samples.parquet").to_pandas()
    assert rows["n_seen"].isna().all()
    table = where(results)
    assert "n_seen" not in set(table["metric"])
    assert "whole_entropy" in set(table["metric"])
