"""Flips and the literature's measures on token tables small enough to count by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.comparing import token_by_token
from analysis.comparing.comparisons import compare
from analysis.comparing.flips import flips, flips_by
from analysis.comparing.renamed_tokens import by_renaming
from analysis.results import BadResults, Results
from tests.simulation.folder import Simulation, write


@pytest.fixture(scope="module")
def found(results: Results) -> token_by_token.Scan:
    return token_by_token.scan(results)


def tokens(samples: list[str], **columns: list[int]) -> pa.Table:
    n = len(samples)
    one = {
        "kind": [0] * n,
        "change": [0] * n,
        "n_subwords": [1] * n,
        "n_bytes": [1] * n,
        "nll_bits": [1.0] * n,
    }
    names = list(dict.fromkeys(samples))
    codes = pa.DictionaryArray.from_arrays(pa.array([names.index(s) for s in samples], pa.int32()), names)
    return pa.table({"sample": codes, **one, **columns})


@pytest.fixture
def by_hand(tmp_path: Path) -> Results:
    """One model under two rewrites: four tokens of one sample, right before: 1 1 1 0."""
    simulation = Simulation(
        rewrites=["rename", "parens"],
        intensities=[1.0],
        train_on=["original"],
        models=["small"],
        seeds=[1],
        projects=2,
    )
    results = Results(write(tmp_path / "hand", simulation))
    sample = str(results.samples(["all"])["sample"].iloc[0])
    after = {"rename": [1, 3, 1, 1], "parens": [1, 1, 0, 2]}
    for row in results.cells.to_dict("records"):
        before = tokens([sample] * 4, token=[0, 1, 2, 3], origin=[0, 1, 2, 3], rank=[1, 1, 1, 2])
        pq.write_table(before, results.folder / "tokens" / f"{row['cell']}-original.parquet")
        if not row["baseline"]:
            ranks = after[row["rewrites"]]
            rewritten = tokens(
                [sample] * 5, token=[0, 1, 2, 3, 4], origin=[0, 1, -1, 2, 3], rank=[*ranks[:2], 1, *ranks[2:]]
            )
            pq.write_table(rewritten, results.folder / "tokens" / f"{row['cell']}-augmented.parquet")
    return results


def test_flips_by_hand(by_hand: Results) -> None:
    table = flips(by_hand, token_by_token.scan(by_hand)).set_index("rewrites")
    rename = table.loc["rename"]
    assert (rename["n_tokens"], rename["accuracy_before"], rename["accuracy_after"]) == (4, 0.75, 0.75)
    assert (rename["lost"], rename["gained"], rename["robust_relative"]) == (0.25, 0.25, 0.5)
    assert rename["robust_drop"] == 0
    assert table.loc["parens", "robust_drop"] == pytest.approx(1 / 3)
    assert table.loc["parens", "consistency"] == 0.75


def test_worst_of_two_variants_by_hand(by_hand: Results) -> None:
    (worst,) = token_by_token.scan(by_hand).worst.to_dict("records")
    assert worst["over"] == "sets"
    assert np.isnan(worst["low"])  # of one project
    assert (worst["s"], worst["n_tokens"], worst["original"]) == (2, 4, 0.75)
    assert worst["worst"] == 0.25  # the first token alone is right under both
    assert worst["robust_drop"] == pytest.approx((0.75 - 0.25) / 0.75)
    assert worst["robust_relative"] == 0.75


def test_test_sets_that_differ_in_their_draw_alone_are_draws_of_one_rewriting(by_hand: Results) -> None:
    file = by_hand.folder / "cells.parquet"
    cells = pd.read_parquet(file)
    own = ~cells["baseline"]
    cells["test_on"] = "same"
    for name, value in {"test_rewrites": "rename", "test_intensity": "1", "test_rewriting_seed": 1}.items():
        cells[name] = pd.Series(value, cells.index).where(own)
    second = cells["rewrites"] == "parens"
    cells["rewrites"] = cells["rewrites"].mask(second, "rename")
    cells["test_on"] = cells["test_on"].mask(second, "draw 7")
    cells["test_rewriting_seed"] = cells["test_rewriting_seed"].mask(second, 7)
    cells.to_parquet(file)
    (worst,) = token_by_token.scan(Results(by_hand.folder)).worst.to_dict("records")
    assert (worst["over"], worst["s"], worst["worst"]) == ("draws", 2, 0.25)


def test_an_origin_beyond_the_sample_is_an_error(by_hand: Results) -> None:
    cell = by_hand.cells.loc[~by_hand.cells["baseline"], "cell"].iloc[0]
    file = by_hand.folder / "tokens" / f"{cell}-augmented.parquet"
    table = pq.read_table(file)
    pq.write_table(
        table.set_column(table.schema.get_field_index("origin"), "origin", [[0, 1, -1, 2, 9]]), file
    )
    with pytest.raises(
        BadResults, match=f"{cell}-augmented.parquet: a token's origin is not in the original"
    ):
        token_by_token.scan(by_hand)


def test_tokens_out_of_order_are_an_error(by_hand: Results) -> None:
    cell = by_hand.cells.loc[~by_hand.cells["baseline"], "cell"].iloc[0]
    file = by_hand.folder / "tokens" / f"{cell}-original.parquet"
    table = pq.read_table(file)
    pq.write_table(table.take([1, 0, 2, 3]), file)
    with pytest.raises(BadResults, match="not in the order of the texts"):
        token_by_token.scan(by_hand)


def test_accuracy_by_tokens_equals_the_sums_by_samples(results: Results, found: token_by_token.Scan) -> None:
    by_tokens = flips(results, found).set_index("cell")
    by_samples = compare(results, "robustness", metrics=["accuracy_1"], resamples=50).seeds.set_index("cell")
    assert by_tokens["accuracy_after"].loc[by_samples.index].to_numpy() == pytest.approx(
        by_samples["value"].to_numpy()
    )


def test_change_by_kind_adds_up_to_the_change_of_all(results: Results, found: token_by_token.Scan) -> None:
    sums = found.kinds.groupby("cell")[["bits_before", "bits_after", "n_tokens"]].sum()
    by_samples = compare(results, "robustness", metrics=["entropy"], resamples=50).seeds.set_index("cell")
    change = (sums["bits_after"] - sums["bits_before"]) / sums["n_tokens"]
    assert change.loc[by_samples.index].to_numpy() == pytest.approx(
        by_samples["difference"].to_numpy(), abs=1e-5
    )


def test_flips_by_kind_add_up_to_those_of_the_cells(results: Results, found: token_by_token.Scan) -> None:
    table = flips_by(results, found)
    assert np.isfinite(table[["low", "high"]]).all(axis=None)
    assert (table["net"] - (table["lost"] - table["gained"])).abs().max() < 1e-9
    by_cell = flips(results, found)
    counts = found.kinds.groupby("cell")[["lost", "gained", "n_tokens"]].sum()
    net = ((counts["lost"] - counts["gained"]) / counts["n_tokens"]).loc[by_cell["cell"]]
    assert net.to_numpy() == pytest.approx(
        (by_cell["accuracy_before"] - by_cell["accuracy_after"]).to_numpy()
    )
    names = table.set_index(["kind", *results.groups]).T["name", "rename", "1", "original", "small"]
    assert names["low"] > 0


def test_flips_by_whatever_is_counted(results: Results, found: token_by_token.Scan) -> None:
    assert set(flips_by(results, found, "renamed")["renamed"]) == {False, True}


def test_cells_without_token_tables_are_left_out(tmp_path: Path) -> None:
    results = Results(write(tmp_path / "bare", Simulation(seeds=[1], models=["small"], with_tokens=False)))
    found = token_by_token.scan(results)
    assert found.kinds.empty
    assert flips(results, found).empty
    assert token_by_token.by_kind(results, found).empty
    assert by_renaming(results, found).empty


def test_unchanged_and_renamed_tokens_apart_by_hand(by_hand: Results) -> None:
    cell = str(by_hand.cells.query("rewrites == 'rename'")["cell"].iloc[0])
    file = by_hand.folder / "tokens" / f"{cell}-augmented.parquet"
    table = pq.read_table(file)
    for name, values in (("change", [1, 0, 2, 0, 1]), ("nll_bits", [4.0, 1.5, 9.0, 1.5, 6.0])):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    pq.write_table(table, file)
    table = by_renaming(by_hand, token_by_token.scan(by_hand))
    rows = table.query("rewrites == 'rename'").set_index("tokens")
    assert rows["n_tokens"].to_dict() == {"unchanged": 2, "renamed": 2}
    assert rows["change"].to_dict() == {"unchanged": 0.5, "renamed": 4.0}  # all had 1 bit before
    assert rows["why"].to_list() == ["1 project", "1 project"]


def test_unchanged_and_renamed_tokens_add_up_and_have_intervals(
    results: Results, found: token_by_token.Scan
) -> None:
    table = by_renaming(results, found).assign(part=lambda t: t["change"] * t["n_tokens"])
    assert set(table.query("rewrites == 'rename'")["tokens"]) == {"unchanged", "renamed"}
    assert (table["low"] <= table["change"]).all()
    assert (table["change"] <= table["high"]).all()
    compared = compare(results, "robustness", metrics=["entropy"], resamples=50).table
    whole = compared.set_index(list(results.groups))["difference"]
    sums = table.groupby(list(results.groups), sort=False)[["part", "n_tokens"]].sum()
    mean = (sums["part"] / sums["n_tokens"]).loc[whole.index]
    assert mean.to_numpy() == pytest.approx(whole.to_numpy(), abs=0.01)


def test_scan_frame_has_every_column(found: token_by_token.Scan) -> None:
    assert list(found.kinds.columns) == ["cell", "project", "kind", "renamed", *token_by_token.COUNTS]
    assert isinstance(found.worst, pd.DataFrame)
    assert (found.worst["robust_drop"] >= 0).all()
