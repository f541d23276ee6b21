import gzip
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from preprocessing import exports, tokenizers
from preprocessing.corpus import building
from preprocessing.errors import BadInput
from preprocessing.exports import openvocab
from preprocessing.fetching.raw import RawFile
from preprocessing.lexer.tokens import SYMBOLS, TokensConfig, lex, texts
from preprocessing.sources import jsonl
from preprocessing.tokenizers.bpe import Config

TOKENS = TokensConfig()


@pytest.fixture
def shards(small_corpus: Path) -> list[Path]:
    return list(building.shard_paths(small_corpus))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def samples(shards: list[Path], split: str) -> list[dict[str, str]]:
    return [row for shard in shards for row in pq.read_table(shard).to_pylist() if row["split"] == split]


def test_jsonl_is_read_again(shards: list[Path], out: Path) -> None:
    exports.lookup("jsonl").write(shards, out, TOKENS)
    for name in ("train", "valid", "test"):
        expected = [(row["project"], row["path"], row["text"], name) for row in samples(shards, name)]
        raw = list(jsonl.read(jsonl.Config(path=str(out / f"{name}.jsonl.gz"))))
        assert [(r.project, r.path, r.data, r.split) for r in raw if isinstance(r, RawFile)] == expected


def test_huggingface_folder_is_loaded(shards: list[Path], out: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    exports.lookup("huggingface").write(shards, out, TOKENS)
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert sorted(loaded) == ["test", "train", "validation"]
    assert loaded["validation"]["text"][:] == [row["text"] for row in samples(shards, "valid")]


def test_one_line_per_file(shards: list[Path], out: Path) -> None:
    exports.lookup("openvocab").write(shards, out, TOKENS)
    for name in ("train", "valid", "test"):
        lines = (out / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        rows = samples(shards, name)
        assert len(lines) == len(rows)
        for line, row in zip(lines, rows, strict=True):
            expected = texts(row["text"], lex(row["text"]), TOKENS)
            words = line.replace("@@ ", "").split(" ")
            assert words == [text.replace(" ", "\u2420") for text in expected]


def test_characters_are_never_cut(shards: list[Path], tmp_path: Path, out: Path) -> None:
    (tmp_path / "tokenizer").mkdir()
    tokenizers.build(Config(vocab_size=260), shards, TOKENS, tmp_path / "tokenizer")
    trained = tokenizers.load(tmp_path / "tokenizer")
    corpus_row = pq.read_table(shards[0]).slice(0, 1).to_pylist()[0] | {
        "text": "né = 'a b'  \n",
        "split": "test",
    }
    table = pq.read_table(shards[0]).schema.empty_table().from_pylist([corpus_row], schema=building.SCHEMA)
    pq.write_table(table, tmp_path / "odd.parquet")
    openvocab.write_lines([tmp_path / "odd.parquet"], out, TOKENS, trained)
    assert (out / "test.txt").read_text(encoding="utf-8") == f"n@@ é = '@@ a@@ \u2420@@ b@@ ' {SYMBOLS[5]}\n"


def test_thrown_out_samples_are_left_out(shards: list[Path], out: Path, tmp_path: Path) -> None:
    rows = pq.read_table(shards[0]).to_pylist()
    rows[0]["text"] = None
    table = pq.read_table(shards[0]).from_pylist(rows, schema=building.SCHEMA)
    pq.write_table(table, tmp_path / "some.parquet")
    exports.lookup("jsonl").write([tmp_path / "some.parquet"], out, TOKENS)
    written = [
        json.loads(line)
        for path in sorted(out.iterdir())
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    assert {row["sample"] for row in written} == {row["sample"] for row in rows[1:]}


def test_lookup_names_the_formats() -> None:
    with pytest.raises(BadInput, match="huggingface, jsonl, openvocab"):
        exports.lookup("csv")
