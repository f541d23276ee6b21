"""Designs that separate causes, each run to its tables: draws, test sets, placebos, budgets."""

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from ruamel.yaml import YAML

from analysis.comparing import pairing
from analysis.results import Results
from grid.commands.cautions import cautions, few_projects
from grid.commands.run import DONE, Run
from grid.executors import inprocess
from grid.hosts import Hosts
from grid.plan.opening import open_grid
from grid.store.finished import Store
from tests.grid.conftest import MiniGrid

BIGRAM: dict[str, Any] = {"bigram": {"kind": "ngram", "order": 2}}


def run(folder: Path, mini_grid: MiniGrid, **changes: Any) -> Results:
    """Runs a grid in miniature in this process."""
    grid, out = open_grid(str(mini_grid(folder, code=16, **{"models": BIGRAM, **changes}))), io.StringIO()
    executor, slots = inprocess.make(Hosts())
    console = Console(file=out, width=200)
    run = Run(
        grid=grid, root=folder / "results", slots=slots, executor=executor, console=console, report=False
    )
    assert run.run() == DONE, out.getvalue()
    return Results(folder / "results" / grid.spec.name)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory, mini_grid: MiniGrid) -> Results:
    """Two sets, each tested on both, with a size rule that throws out samples of one of them."""
    axes = {
        "rewrites": ["rename", "parens"],
        "intensity": [1.0],
        "train_on": ["original", "augmented"],
        "test_on": ["same", {"set": "rename"}, {"set": "parens"}, {"rewriting_seed": 7}],
        "seed": [1],
    }
    size = {"throw_out": {"max_tokens": 150}}
    return run(tmp_path_factory.mktemp("matrix"), mini_grid, axes=axes, size=size)


def test_a_cell_says_what_it_was_trained_and_tested_on(matrix: Results) -> None:
    cells = matrix.cells[~matrix.cells["baseline"].astype(bool)]
    found = cells[["rewrites", "train_on", "test_on", "test_rewrites", "test_rewriting_seed"]]
    assert sorted(map(tuple, found.to_numpy().tolist())) == sorted(
        [
            *(
                (one, mix, "same", one, 1)
                for one in ("rename", "parens")
                for mix in ("original", "augmented")
            ),
            *(
                (one, mix, "draw 7", one, 7)
                for one in ("rename", "parens")
                for mix in ("original", "augmented")
            ),
            ("rename", "augmented", "parens", "parens", 1),
            ("parens", "augmented", "rename", "rename", 1),
        ]
    )
    baseline = matrix.cells[matrix.cells["baseline"].astype(bool)]
    assert baseline[["rewrites", "test_on", "test_rewrites", "test_intensity_value"]].isna().all(axis=None)


def test_survivors_are_those_of_the_test_variant(matrix: Results) -> None:
    kept = {}
    samples = matrix.samples(("all",))
    for cell, rows in samples[samples["test"] == "original"].groupby("cell"):
        kept[cell] = (len(rows), int(rows["common"].sum()))
    tested = matrix.cells.set_index("cell")["test_rewrites"]
    by_test = {name: {kept[cell] for cell in tested.index[tested == name]} for name in ("rename", "parens")}
    [(n, n_renamed)], [(_, n_parens)] = by_test["rename"], by_test["parens"]
    assert 0 < n_parens < n_renamed == n
    thrown = matrix.variants[
        (matrix.variants["split"] == "test") & (matrix.variants["outcome"] == "thrown_out")
    ]
    assert set(thrown["cell"].map(tested)) == {"parens"}


def test_what_is_lost_is_told_of_each_variant_that_loses_much(matrix: Results) -> None:
    grid = open_grid(str(matrix.folder.parents[1] / "mini.yaml"))
    told = list(cautions(grid, Store(matrix.folder.parent / "store")))
    assert len(told) == 2  # two draws of one set
    assert all("of the test samples are thrown out of parentheses at rate 1" in line for line in told)


def test_few_test_projects_are_told_before_and_after_the_corpus_is_built(
    tmp_path: Path, mini_grid: MiniGrid
) -> None:
    split = {"by": "project", "train": 0.5, "valid": 0.25, "test": 0.25}
    listed = {"kind": "git", "repositories": [{"path": str(n), "license": "MIT"} for n in range(8)]}
    grid = open_grid(str(mini_grid(tmp_path)))
    corpus = grid.spec.corpus.model_dump(mode="json") | {"split": split}
    text = tmp_path / "named.yaml"
    YAML().dump({**grid.document.data, "corpus": {**corpus, "source": listed}}, text)
    [line] = few_projects(open_grid(str(text)).spec.corpus, None)
    assert line.startswith("the test split has about 2 projects; below 5 no interval is claimed: 12 more")
    facts = {"splits": {"test": {"projects": 1}}}
    [line] = few_projects(open_grid(str(text)).spec.corpus, facts)
    assert line.startswith("the test split has 1 project; ")
    assert not list(few_projects(grid.spec.corpus, None))  # by file


def test_a_gain_off_the_diagonal_is_over_the_untrained_model_on_the_same_test_set(matrix: Results) -> None:
    sides = pairing.sides_of(matrix, "training").merge(
        matrix.cells[["cell", "test_on"]], left_on="a_cell", right_on="cell"
    )
    assert len(sides) == 6
    cells = matrix.cells.set_index("cell")
    for _, row in sides.iterrows():
        trained, untrained = cells.loc[row["a_cell"]], cells.loc[row["b_cell"]]
        assert (trained["train_on"], untrained["train_on"]) == ("augmented", "original")
        for axis in ("test_rewrites", "test_intensity", "test_rewriting_seed", "model", "seed"):
            assert trained[axis] == untrained[axis]
    pairs = pairing.pairs(matrix, "training")  # raises where both sides don't hold the same
    assert set(pairs["cell"]) == set(sides["a_cell"])


def test_draws_differ_in_their_test_sets_and_share_the_model(tmp_path: Path, mini_grid: MiniGrid) -> None:
    axes = {"rewrites": ["rename"], "intensity": [0.5], "seed": [1], "rewriting_seed": [1, 2, 3]}
    results = run(tmp_path, mini_grid, axes=axes)
    drawn = results.cells[~results.cells["baseline"].astype(bool)]
    assert drawn["rewriting_seed"].tolist() == [1, 2, 3]
    assert results.cells["train_key"].nunique() == 1
    tokens = [results.tokens(cell, "augmented").to_pandas() for cell in drawn["cell"]]
    assert not any(tokens[0]["nll_bits"].equals(other["nll_bits"]) for other in tokens[1:])
    assert "rewriting_seed" in results.axes
    assert "rewriting_seed" not in results.groups
    assert pd.isna(results.cells.set_index("cell").loc[drawn["baseline_cell"].iloc[0], "rewriting_seed"])


@pytest.mark.parametrize("size", [{}, {"throw_out": {"max_tokens": 150}}])
def test_the_placebo_of_an_ngram_model_is_its_baseline(
    size: dict[str, Any], tmp_path: Path, mini_grid: MiniGrid
) -> None:
    axes = {"rewrites": ["rename", "parens"], "train_on": ["original", "original+augmented"], "seed": [1]}
    models = {"bigram": {"kind": "ngram", "order": 2}, "cached": {"kind": "ngram", "cache": "file"}}
    results = run(tmp_path, mini_grid, axes=axes, size=size, models=models)
    placebos = results.cells[results.cells["train_on"] == "original+original"]
    assert len(placebos) == 2 * 2
    assert placebos["train_key"].nunique() == (4 if size else 2)
    for kind in ("clean", "training"):
        pairs = pairing.pairs(results, kind)
        of_placebo = pairs[pairs["cell"].isin(placebos["cell"])]
        assert len(of_placebo)
        assert (of_placebo["nll_bits_a"] == of_placebo["nll_bits_b"]).all()
        assert not (pairs["nll_bits_a"] == pairs["nll_bits_b"]).all()  # mixes do differ


def test_a_budget_of_originals_is_read_in_a_mix_as_in_its_baseline(
    tmp_path: Path, mini_grid: MiniGrid
) -> None:
    training: dict[str, Any] = {"batch_tokens": 64, "window": 16, "validate_every": 50, "early_stop": None}
    training |= {"budget": {"kind": "original_tokens", "amount": 64 * 40}, "draws": 3}
    axes = {"rewrites": ["rename"], "train_on": ["original", "original+augmented"], "seed": [1]}
    models = {"small": {"kind": "gru", "d_model": 8}}
    results = run(tmp_path, mini_grid, axes=axes, training=training, models=models)
    cells = results.cells.set_index("train_on")
    steps, read, flops = (cells[f"train_{name}"] for name in ("steps", "original_tokens", "flops"))
    assert set(steps["original"]) == {40.0}
    assert 80 <= steps["original+augmented"] <= 120  # half of what is read is rewritten, in longer words
    assert read["original+augmented"] == pytest.approx(64 * 40, rel=0.1)
    assert read["original+original"] == 64 * 40
    per_step = flops / steps
    assert per_step.to_numpy() == pytest.approx(per_step.iloc[0])
    assert (cells["train_original_passes"] > 0).all()


def test_draws_are_other_variants_with_the_first_for_the_test(tmp_path: Path, mini_grid: MiniGrid) -> None:
    axes = {"rewrites": ["rename"], "train_on": ["augmented"], "seed": [1], "training.draws": [1, 3]}
    results = run(tmp_path, mini_grid, axes=axes)
    one, three = results.cells[~results.cells["baseline"].astype(bool)]["cell"]
    assert results.cells["train_key"].nunique() == 3
    tokens = [results.tokens(cell, "augmented").to_pandas() for cell in (one, three)]
    assert tokens[0]["token"].equals(tokens[1]["token"])
    assert not tokens[0]["nll_bits"].equals(tokens[1]["nll_bits"])
