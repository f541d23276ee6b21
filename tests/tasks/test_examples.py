"""Tables of examples: what is left out, what each is made from, and who takes part in a training."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.encoded import Part
from preprocessing.errors import BadInput
from preprocessing.lexer.tokens import TokensConfig
from tasks import Encoding, example_tables

ROWS = [("a", "train", "x = 1", "One."), ("b", "train", "y = 2", None), ("c", "valid", "z = 3", "Three.")]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rows = [
        {"sample": name, "project": "p", "split": split, "text": text, "docstring": docstring}
        for name, split, text, docstring in ROWS
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "corpus.parquet")
    return tmp_path / "corpus.parquet"


@pytest.fixture
def variant(tmp_path: Path) -> Path:
    """One rewritten, one as it was, one thrown out."""
    made = [("rewritten", "x_2 = 1"), ("unchanged", "y = 2"), ("thrown_out", None)]
    rows = [
        {"sample": name, "project": "p", "split": split, "text": text, "outcome": outcome}
        for (name, split, _, _), (outcome, text) in zip(ROWS, made, strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "variant.parquet")
    return tmp_path / "variant.parquet"


def made(shard: Path, original: Path | None, out: Path) -> dict[str, Any]:
    """Examples of those that have a docstring, with both texts."""
    out.mkdir()

    def example(row: example_tables.Row, source: example_tables.Row) -> example_tables.Row | None:
        told = {"read": row["text"], "asked": source["text"], "docstring": source["docstring"]}
        return told if source["docstring"] else None

    encoding = Encoding(
        shard=shard, original=original, align=None, tokenizer=out, tokens=TokensConfig(), out=out
    )
    columns = [(name, pa.string()) for name in ("read", "asked", "docstring")]
    return example_tables.write(encoding, columns, example)


def test_a_corpus(corpus: Path, tmp_path: Path) -> None:
    assert made(corpus, None, tmp_path / "out") == {"examples": {"train": 1, "valid": 1}}
    assert example_tables.read([tmp_path / "out"], "train").to_pylist() == [
        {"sample": "a", "project": "p", "split": "train", "outcome": "original", "read": "x = 1"}
        | {"asked": "x = 1", "docstring": "One."}
    ]


def test_a_variant_has_all_of_the_corpus_beside_it(corpus: Path, variant: Path, tmp_path: Path) -> None:
    assert made(variant, corpus, tmp_path / "out") == {"examples": {"train": 1}}
    [row] = example_tables.read([tmp_path / "out"], "train").to_pylist()
    assert (row["outcome"], row["read"], row["asked"]) == ("rewritten", "x_2 = 1", "x = 1")
    assert len(example_tables.read([tmp_path / "out"], "valid")) == 0


def test_only_what_was_rewritten_is_added_to_a_training(corpus: Path, variant: Path, tmp_path: Path) -> None:
    made(corpus, None, tmp_path / "original")
    made(variant, corpus, tmp_path / "rewritten")
    parts = [
        Part(folder=tmp_path / "original"),
        Part(folder=tmp_path / "original", only_rewritten=True),
        Part(folder=tmp_path / "rewritten", only_rewritten=True),
    ]
    assert example_tables.of_parts(parts, "train")["read"].to_pylist() == ["x = 1", "x_2 = 1"]
    again = Part(folder=tmp_path / "original", repeats=True, as_rewritten=tmp_path / "rewritten")
    assert example_tables.of_parts([parts[0], again], "train")["read"].to_pylist() == ["x = 1", "x = 1"]
    with pytest.raises(BadInput, match="no valid examples"):
        example_tables.of_parts(parts[2:], "valid")
