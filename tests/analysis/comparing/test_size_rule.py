"""Sensitivity to the size rule: what a stricter rule would have left, and how the difference moves."""

import numpy as np
import pandas as pd
import pytest

from analysis.comparing.comparisons import compare
from analysis.comparing.size_rule import sensitivity
from analysis.results import Results


@pytest.fixture(scope="module")
def table(results: Results) -> pd.DataFrame:
    return sensitivity(results)


def test_without_a_limit_it_is_the_comparison(results: Results, table: pd.DataFrame) -> None:
    whole = table[np.isinf(table["limit"])].set_index(list(results.groups))
    found = compare(results, "baseline", metrics=["entropy"], resamples=200)
    expected = found.table.set_index(list(results.groups))["difference"]
    np.testing.assert_allclose(whole["difference"], expected.loc[whole.index], atol=1e-12)
    assert (whole["share_kept"] == 1).all()
    assert (whole["shift"] == 0).all()


def test_stricter_rules_keep_fewer_samples(results: Results, table: pd.DataFrame) -> None:
    for _, rows in table.groupby(list(results.groups)):
        assert rows["limit"].is_monotonic_decreasing
        assert rows["n_samples"].is_monotonic_decreasing
    assert table["share_kept"].min() < 0.5


def test_where_growth_has_no_effect_the_result_hardly_moves(table: pd.DataFrame) -> None:
    many = table[table["share_kept"] > 0.5]
    assert len(many) > 20
    assert many["shift"].abs().max() < 0.1


def test_samples_under_the_limit_by_hand(results: Results) -> None:
    one = sensitivity(results, limits=[np.inf, 0.08]).query("limit == 0.08").iloc[0]
    cells = results.cells
    for axis in results.groups:
        cells = cells[cells[axis] == one[axis]]
    samples = results.samples(("all", "aligned"))
    samples = samples[samples["cell"].isin(cells["cell"]) & (samples["test"] == "augmented")]
    wide = samples.pivot(index=["cell", "sample"], columns="scope", values="n_tokens")
    assert one["n_samples"] == (wide["all"] / wide["aligned"] - 1 <= 0.08).sum()
