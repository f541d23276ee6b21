"""corpus, sizes, preprocess and the export of data, on one small folder of code."""

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from grid.cli.app import app
from preprocessing.errors import BadInput
from tests.grid.conftest import MiniGrid


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory, mini_grid: MiniGrid) -> Path:
    file = mini_grid(
        tmp_path_factory.mktemp("mini"),
        size={"throw_out": {"max_subwords": 200}},
        models={"bigram": {"kind": "ngram", "order": 2}},
        axes={"rewrites": ["rename", "parens"], "intensity": [1]},
    )
    (file.parent / "code" / "bad.py").write_text("x = = 1\n")
    return file


@pytest.fixture(scope="module")
def results(spec: Path) -> Path:
    return spec.parent / "results"


def augrid(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def test_corpus_prints_and_saves_the_data_section(spec: Path, results: Path) -> None:
    result = augrid("corpus", spec, "--results", results)
    assert result.exit_code == 0, result.output
    [section] = json.loads((results / "mini" / "data" / "corpus.json").read_text())
    assert section["axes"] == {}
    assert sum(counts["samples"] for counts in section["splits"].values()) == 8
    assert all(counts["subwords"] > counts["tokens"] for counts in section["splits"].values())
    assert section["excluded"] == {"syntax_error": 1}
    assert section["leaks"]["projects"] == []
    page = (results / "mini" / "data" / "corpus.md").read_text()
    assert "| split | projects |" in page
    lengths = pd.read_csv(results / "mini" / "data" / "lengths.csv", keep_default_na=False)
    assert lengths[lengths["unit"] == "tokens"]["samples"].sum() == 8
    growth = pd.read_csv(results / "mini" / "data" / "vocabulary.csv", keep_default_na=False)
    assert growth["tokens"].iloc[-1] == section["vocabulary"]["tokens"]
    figures = results / "mini" / "data" / "figures"
    assert {"lengths.pdf", "vocabulary.png"} <= {path.name for path in figures.iterdir()}
    assert "Left out" in result.output


def test_sizes_says_what_is_thrown_out_and_why(spec: Path, results: Path) -> None:
    result = augrid("sizes", spec, "--results", results)
    assert result.exit_code == 0, result.output
    rows = pd.read_csv(results / "mini" / "data" / "sizes.csv").set_index("rewrites")
    assert rows["growth"]["parens"] > rows["growth"]["rename"] == 1.0
    assert rows["inserted_bits"].notna().to_dict() == {"rename": False, "parens": True}
    assert rows["renamed_bits"].notna().to_dict() == {"rename": True, "parens": False}
    assert rows["auc"].between(0, 1).all()
    samples = pd.read_parquet(results / "mini" / "data" / "survivors.parquet")
    assert len(samples) == 2 * 8
    assert set(samples.loc[samples["outcome"] == "thrown_out", "reason"]) == {"max_subwords"}
    assert (results / "mini" / "data" / "figures" / "growth.pdf").stat().st_size > 1000
    assert not list((results / "store").glob("train/*"))


def test_export_of_the_corpus_and_of_a_cell(spec: Path, results: Path, tmp_path: Path) -> None:
    result = augrid("export", spec, tmp_path / "all", "--data", "jsonl", "--results", results)
    assert result.exit_code == 0, result.output
    lines = gzip.decompress((tmp_path / "all" / "train.jsonl.gz").read_bytes()).splitlines()
    assert any("total = width * height" in json.loads(line)["text"] for line in lines)
    cells = augrid("plan", spec, "--cells", "--results", results).output
    cell = next(line.split()[0] for line in cells.splitlines() if " parens " in line)
    command = ["export", spec, tmp_path / "cell", "--data", "openvocab", "--cell", cell, "--results", results]
    assert augrid(*command).exit_code == 0
    assert (tmp_path / "cell" / "train.txt").read_text()
    with pytest.raises(BadInput, match="not an empty folder"):
        augrid(*command)


def test_preprocess(spec: Path, tmp_path: Path) -> None:
    result = augrid("preprocess", spec.parent / "code", tmp_path / "out", "--spec", spec)
    assert result.exit_code == 0, result.output
    assert "1 syntax_error" in result.output
    assert (tmp_path / "out" / "facts.json").exists()
    assert list((tmp_path / "out" / "encoded").iterdir())


def test_a_corpus_that_turns_out_empty_leaves_nothing(spec: Path, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "bad.py").write_text("x = = 1\n")
    with pytest.raises(BadInput, match="no sample is left"):
        augrid("corpus", spec, "--results", tmp_path / "none", "--set", f"corpus.source.path={code}")
    assert not list((tmp_path / "none").iterdir())


@pytest.mark.parametrize(
    "command, expected",
    [
        (["preprocess", "/nowhere", "{out}"], "/nowhere: no such folder"),
        (["preprocess", "{code}", "{code}"], "not an empty folder"),
        (
            ["preprocess", "{code}", "{out}", "--set", "corpus.keap=1"],
            "corpus.keap: no such key; did you mean 'keep'?",
        ),
        (["preprocess", "{code}", "{out}", "--set", "tokenzer=1"], "did you mean 'tokenizer'?"),
        (["preprocess", "{code}", "{out}", "--spec", "nosuch"], "no such spec"),
        (["export", "{spec}", "{out}", "--data", "xml"], "--data: no such format 'xml'; valid: huggingface"),
        (["export", "{spec}", "{out}", "--cell", "12"], "--cell: only with --data"),
        (["compare", "{code}", "{out}"], "not a folder of results"),
        (["report", "{spec}", "--notebooks"], "no results yet"),
    ],
)
def test_bad_input(spec: Path, tmp_path: Path, command: list[str], expected: str) -> None:
    names = {"code": spec.parent / "code", "spec": spec, "out": tmp_path / "out"}
    with pytest.raises(BadInput) as caught:
        augrid(*(part.format(**names) for part in command))
    assert expected in str(caught.value)
    assert not (tmp_path / "out").exists()
