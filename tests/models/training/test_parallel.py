"""Two real processes that train one model together, against one process."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from models.config import TrainingConfig
from models.encoded import Part
from models.lookup import lookup
from preprocessing import shards, tokenizers
from preprocessing.errors import BadInput
from preprocessing.lexer.tokens import TokensConfig, lex, texts
from preprocessing.tokenizers import bpe
from tasks.completion.check import LINES
from tasks.completion.config import Config
from tasks.fitting import fit

TRAINING = TrainingConfig(batch_tokens=96, window=32, max_steps=8, validate_every=2, checkpoint_s=0.0)
MODELS: dict[str, dict[str, Any]] = {
    "gru": {"d_model": 16, "dropout": 0.0},
    "gpt": {"d_model": 16, "layers": 1, "heads": 2, "context": 32},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer and a shard of a few samples."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("tokenizer", "shard"):
        (folder / name).mkdir()
    config, cut = TokensConfig(), lex(LINES)
    words = texts(LINES, cut, config)
    bpe.train(bpe.Config(vocab_size=300), iter(words), folder / "tokenizer")
    tokenizer = tokenizers.load(folder / "tokenizer")
    with shards.ShardWriter(folder / "shard", tokenizer.vocab_size) as writer:
        for n in range(6):
            row = {"sample": f"{n:016x}", "project": "p", "path": f"{n}.py", "outcome": "original"}
            writer.add(
                sample={**row, "split": "train" if n else "valid", "n_bytes": 9},
                subwords=tokenizer.encode(words[n:]),
                kinds=cut.kinds[n:],
                origins=range(len(words) - n),
                changes=[0] * (len(words) - n),
            )
    return folder


def run(data: Path, out: Path, kind: str, **arguments: Any) -> dict[str, Any]:
    out.mkdir()
    settings: dict[str, Any] = {"training": TRAINING, "report": lambda row: None, **arguments}
    return fit(
        task=Config(),
        model=lookup(kind).Config(**MODELS[kind]),
        tokenizer=data / "tokenizer",
        train=[Part(folder=data / "shard")],
        valid=[Part(folder=data / "shard")],
        seed=1,
        out=out,
        **settings,
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(MODELS))
def test_two_processes_draw_the_curve_of_one(kind: str, data: Path, tmp_path: Path) -> None:
    reports: list[dict[str, Any]] = []
    one = run(data, tmp_path / "one", kind)
    two = run(
        data,
        tmp_path / "two",
        kind,
        training=TRAINING.model_copy(update={"devices": 2}),
        report=reports.append,
        scratch=tmp_path / "scratch",
    )
    assert (one["devices"], two["devices"]) == (1, 2)
    curves = [pq.read_table(tmp_path / name / "training.parquet").to_pandas() for name in ("one", "two")]
    for column in ("train_bits", "valid_bits"):
        assert curves[1][column].tolist() == pytest.approx(curves[0][column].tolist(), abs=1e-5)
    assert [row["step"] for row in reports if row["kind"] == "training"] == [2, 4, 6, 8]
    assert json.loads((tmp_path / "two" / "config.json").read_text())["model"]["kind"] == kind
    again = run(
        data,
        tmp_path / "again",
        kind,
        training=TRAINING.model_copy(update={"devices": 2}),
        scratch=tmp_path / "scratch",
    )
    assert again["resumed_at"] == 8


@pytest.mark.slow
def test_bad_input_of_a_process_is_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"training.devices \(4\) is more than the 3 rows of a batch"):
        run(data, tmp_path / "one", "gru", training=TRAINING.model_copy(update={"devices": 4}))
