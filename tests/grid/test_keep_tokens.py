"""In a grid, names of the style keep_tokens have as many subwords of the grid's tokenizer as the old ones."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from grid.cli.app import app
from grid.plan.opening import open_grid
from grid.plan.planner import CellSteps
from grid.store.finished import Store
from preprocessing import tokenizers

SPEC = """\
name: names
corpus:
  source: {{kind: directory, path: {code}}}
  keep: {{min_bytes: 1}}
  duplicates: exact
  split: {{by: file, train: 0.5, valid: 0.25, test: 0.25, seed: 1}}
  shards: 1
rewrites:
  same: [{{rename_variable: {{style: keep_tokens}}}}]
  readable: [rename_variable]
tokenizer: {{kind: bpe, vocab_size: 330}}
models: {{bigram: {{kind: ngram, order: 2}}}}
axes: {{rewrites: [same, readable], intensity: [1], train_on: [original], model: [bigram]}}
"""
FUNCTION = """\
def area_{word}(width, height):
    {word}_total = width * height
    size, next_{word} = 1, []
    for {word} in range({word}_total):
        next_{word}.append({word})
    return next_{word}, {word}_total + size
"""
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    (folder / "code").mkdir()
    for n, word in enumerate(WORDS):
        (folder / "code" / f"m{n}.py").write_text(FUNCTION.format(word=word))
    (folder / "spec.yaml").write_text(SPEC.format(code=folder / "code"))
    run = ["run", str(folder / "spec.yaml"), "--results", str(folder / "results")]
    done = CliRunner().invoke(app, [*run, "--executor", "inprocess", "--no-report"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder


def _renamed(store: Store, steps: CellSteps) -> list[tuple[str, str]]:
    """Old and new name of each renaming of a cell's variant."""
    assert steps.variant is not None
    corpus = pq.read_table(store.path("corpus", steps.corpus.keys[0]) / "shard-00000.parquet")
    texts = {row["sample"]: row["text"] for row in corpus.to_pylist()}
    rows: list[dict[str, Any]] = []
    for key in steps.variant.keys:
        rows += pq.read_table(store.path("variant", key) / "shard.parquet").to_pylist()
    return [
        (texts[row["sample"]][edit["start"] : edit["end"]], edit["text"])
        for row in rows
        for edit in row["edits"]
    ]


def test_new_names_have_as_many_subwords(results: Path) -> None:
    grid, store = open_grid(str(results / "spec.yaml")), Store(results / "results" / "store")
    found = {}
    for cell, steps in zip(grid.cells.cells, grid.plan.by_cell, strict=True):
        if not cell.baseline:
            encode = tokenizers.load(store.path("tokenizer", steps.tokenizer.keys[0])).encode
            pairs = _renamed(store, steps)
            found[cell.values[grid.cells.position("rewrites")].plain] = [
                (old, new, len(encode([old])[0]), len(encode([new])[0])) for old, new in pairs
            ]
    assert len(found["same"]) > 5
    assert all(old != new and before == after for old, new, before, after in found["same"])
    assert any(len(old) != len(new) for old, new, _, _ in found["same"])
    assert len({before for _, _, before, _ in found["same"]}) > 1
    assert any(before != after for _, _, before, after in found["readable"])


def test_without_a_tokenizer_it_is_said_that_letters_count(results: Path) -> None:
    command = ["rewrite", str(results / "code" / "m0.py"), "--rewrites"]
    told = CliRunner().invoke(app, [*command, "rename_variable{style: keep_tokens}"])
    assert told.exit_code == 0, told.output
    assert "keep_tokens has no tokenizer here" in told.output
    assert "keep_tokens" not in CliRunner().invoke(app, [*command, "rename_variable"]).output
