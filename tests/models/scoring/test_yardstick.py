"""Exact ranks of trained models against a plain beam search, wherever the beam proves its rank."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.yardstick import yardstick
from models.checkpoints import load_model
from models.config import TrainingConfig
from models.encoded import Part, scored_samples
from models.lookup import lookup
from models.scoring.scorer import Scorer
from models.vocabulary import Vocabulary
from preprocessing import encoding, tokenizers
from preprocessing.lexer.tokens import TokensConfig
from tasks.completion.config import Config
from tasks.fitting import fit

SOURCES = sorted((Path(__file__).parents[3] / "preprocessing").rglob("*.py"))
POSITIONS = 150
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("gru", {"d_model": 48, "dropout": 0.0}),
    ("gpt", {"d_model": 48, "layers": 1, "heads": 2, "context": 64, "min_context": 20}),
    ("ngram", {"order": 4}),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tokenizer and an encoded shard of this project's own code."""
    folder = tmp_path_factory.mktemp("data")
    rows = [
        {"sample": f"{i:016x}", "project": "p", "path": path.name, "split": split, "text": path.read_text()}
        for i, path in enumerate(SOURCES)
        for split in [("train", "train", "train", "valid", "test")[i % 5]]
    ]
    table = pa.Table.from_pylist([{**row, "n_bytes": len(row["text"])} for row in rows])
    pq.write_table(table, folder / "shard.parquet")
    for name in ("tokenizer", "encoded"):
        (folder / name).mkdir()
    kind = tokenizers.lookup("bpe")
    config = kind.Config.model_validate({"kind": "bpe", "vocab_size": 500})
    tokenizers.build(config, [folder / "shard.parquet"], TokensConfig(), folder / "tokenizer")
    encoding.build(folder / "shard.parquet", folder / "tokenizer", TokensConfig(), folder / "encoded")
    return folder / "tokenizer", folder / "encoded"


@pytest.mark.parametrize(("kind", "sizes"), KINDS, ids=[kind for kind, _ in KINDS])
def test_ranks_equal_a_beams_where_it_proves_them(
    kind: str, sizes: dict[str, Any], data: tuple[Path, Path], tmp_path: Path
) -> None:
    part = [Part(folder=data[1])]
    fit(
        task=Config(),
        model=lookup(kind).Config(**sizes),
        training=TrainingConfig(
            batch_tokens=512, window=32, max_steps=120, validate_every=120, learning_rate=1e-2
        ),
        tokenizer=data[0],
        train=part,
        valid=part,
        seed=1,
        out=tmp_path,
        report=lambda row: None,
    )
    model, vocabulary = load_model(tmp_path), Vocabulary(tokenizers.load(data[0]))
    text = next(iter(scored_samples([data[1]], vocabulary.size)))
    [scored] = Scorer(model=model, vocabulary=vocabulary).score([text])
    proved = []
    for k, beam in enumerate(yardstick(model, vocabulary, text, POSITIONS)):
        true = tuple(text.subwords[text.token_starts[k] : text.token_starts[k + 1]].tolist())
        if beam.proves(-scored.nll[k]):
            assert scored.rank[k] == beam.rank(true, -scored.nll[k]), k
            proved.append(scored.rank[k])
    assert len(proved) > 0.5 * POSITIONS
    assert len(np.unique(proved)) > 5
    assert text.token_starts[POSITIONS] > 200  # several windows
