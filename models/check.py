"""Whether a model can learn at all: a few lines of Python, learnt by heart within seconds."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from models import score, train
from models.config import EvaluationConfig, TrainingConfig
from models.data import Part
from preprocessing import shards, tokenizers
from preprocessing.tokenizers import bpe
from preprocessing.tokens import TokensConfig, lex, texts

LINES = """import math

class Circle:
    def __init__(self, radius, name="circle"):
        self.radius = radius
        self.name = name

    def area(self):
        return math.pi * self.radius ** 2

    def scaled(self, factor):
        if factor <= 0:
            raise ValueError(f"bad factor {factor}")
        return Circle(self.radius * factor)

def largest(circles):
    best = None
    for circle in circles:
        if best is None or circle.area() > best.area():
            best = circle
    return best
"""
ENOUGH = 0.99
TRAINING = TrainingConfig(
    batch_tokens=256,
    window=64,
    max_steps=250,
    validate_every=125,
    learning_rate=8e-3,
    weight_decay=0.0,
    early_stop=None,
    checkpoint_s=1e9,
)


@dataclass(frozen=True, kw_only=True)
class Check:
    """accuracy: share of the lines' tokens whose rank is 1; message: one sentence for people."""

    ok: bool
    accuracy: float
    bits_per_token: float
    steps: int | None
    seconds: float
    message: str


def check_model(model: Any) -> Check:
    """Trains a model of this config on a few lines, without dropout, and scores it on the same lines.

    model: a `Config` of some `models.<kind>`. Exercises tokenizer, shards, training, checkpoint, scores and
    ranks.
    Raises what these raise for a config that can't work.
    """
    started = time.monotonic()
    fields = type(model).model_fields
    learnt = model.model_copy(update={"dropout": 0.0} if "dropout" in fields else {})
    with tempfile.TemporaryDirectory() as name:
        folders = {part: Path(name) / part for part in ("tokenizer", "shard", "model", "scores")}
        for folder in folders.values():
            folder.mkdir()
        _write_lines(folders["tokenizer"], folders["shard"])
        part = Part(folder=folders["shard"])
        facts = train.run(
            model=learnt,
            training=TRAINING.model_copy(update={"learning_rate": _rate(model)}),
            tokenizer=folders["tokenizer"],
            train=[part],
            valid=[part],
            seed=1,
            out=folders["model"],
            report=lambda row: None,
        )
        [scores] = score.run(
            model_folder=folders["model"],
            tokenizer=folders["tokenizer"],
            tests=[score.Test(parts=[part.folder], out=folders["scores"])],
            config=EvaluationConfig(),
            report=lambda row: None,
        )
        if "error" in scores:
            return _told(False, 0.0, float("inf"), facts, started, f"scoring failed: {scores['error']}")
        ranks = pq.read_table(folders["scores"] / "tokens.parquet").column("rank").to_numpy()
    accuracy = float(np.mean(ranks == 1))
    bits = scores["bits_per_token"]
    if accuracy > ENOUGH:
        return _told(True, accuracy, bits, facts, started, "it learns")
    why = (
        "it sees too little context, or can't tell contexts apart, or is trained too gently for its size: "
        f"it still needs {bits:.2f} bits per token on lines that it has seen"
    )
    return _told(False, accuracy, bits, facts, started, why)


def _rate(model: Any) -> float:
    """A step that suits the size: wide networks diverge where narrow ones learn."""
    return min(TRAINING.learning_rate, 1.0 / getattr(model, "d_model", 1))


def _told(ok: bool, accuracy: float, bits: float, facts: dict[str, Any], started: float, why: str) -> Check:
    return Check(
        ok=ok,
        accuracy=accuracy,
        bits_per_token=bits,
        steps=facts.get("steps"),
        seconds=time.monotonic() - started,
        message=f"{accuracy:.1%} of the tokens of lines that it was trained on are its first choice: {why}",
    )


def _write_lines(tokenizer: Path, shard: Path) -> None:
    config = TokensConfig()
    cut = lex(LINES, config.comments)
    spelled = texts(LINES, cut, config)
    bpe.train(bpe.Config(vocab_size=300), iter(s for s in spelled if not s.startswith("<")), tokenizer)
    trained = tokenizers.load(tokenizer)
    with shards.Writer(shard, trained.vocab_size) as writer:
        for split in ("train", "valid", "test"):
            row = {"sample": split, "project": "check", "path": "check.py", "split": split}
            writer.add(
                sample={**row, "outcome": "original", "n_bytes": len(LINES)},
                subwords=trained.encode(spelled),
                kinds=cut.kinds,
                origins=range(len(cut)),
                changes=[0] * len(cut),
            )
