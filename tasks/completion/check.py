"""Whether a model can learn at all: a few lines of Python, learnt by heart within seconds."""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.config import EarlyStop, TrainingConfig
from models.encoded import Part
from preprocessing import encoding, tokenizers
from preprocessing.lexer.tokens import TokensConfig, lex, texts
from tasks import Test
from tasks.completion import scoring
from tasks.completion.config import Config, Evaluation
from tasks.fitting import fit

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
    validate_every=10,
    learning_rate=8e-3,
    weight_decay=0.0,
    early_stop=EarlyStop(patience=3, min_delta_bits=0.02),
    checkpoint_s=1e9,
)
ENOUGH_BITS = 0.05  # per token: then the lines are known by heart
MEMORISING = {"dropout": 0.0, "order": 12, "cache": "none", "fine_tune": True}
"""Fields that are changed for the check: what is meant to keep a model from learning by heart, and a context
too short to tell the lines' places apart (five characters often aren't enough)."""

ROOM = 256  # subwords: the lines fit in once; a longer context has the same weights and only takes longer


@dataclass(frozen=True, kw_only=True)
class Check:
    """accuracy: share of the lines' tokens whose rank is 1; message: one sentence for people.

    changed: fields that the check set, for a reason of its own; as_configured: the accuracy without
    that, where training costs nothing.
    """

    ok: bool
    accuracy: float
    bits_per_token: float
    steps: int | None
    seconds: float
    message: str
    changed: dict[str, Any]
    as_configured: float | None


def check_model(model: Any) -> Check:
    """Trains a model of this config on a few lines, and scores it on the same lines.

    model: a `Config` of some `models.kinds.<kind>`, with MEMORISING in it. Exercises tokenizer, shards,
    training, checkpoint, scores and ranks. Raises what these raise for a config that can't work.
    """
    started = time.monotonic()
    changed = {name: value for name, value in MEMORISING.items() if getattr(model, name, value) != value}
    if getattr(model, "context", 0) > ROOM > (model.min_context or 0):
        changed["context"] = ROOM
    learnt = model.model_copy(update=changed)
    with tempfile.TemporaryDirectory() as name:
        accuracy, facts, scores = _learn(learnt, Path(name))
    as_configured = None
    if changed and "steps" not in facts:
        with tempfile.TemporaryDirectory() as name:
            as_configured = _learn(model, Path(name))[0]
    ok = accuracy > ENOUGH
    why = "it learns" if ok else f"it does not learn: {_reason(scores)}"
    if changed:
        why += f" (checked with {', '.join(f'{k} {v}' for k, v in changed.items())}"
        why += f"; as configured {as_configured:.1%})" if as_configured is not None else ")"
    return Check(
        ok=ok,
        accuracy=accuracy,
        bits_per_token=scores.get("bits_per_token", float("inf")),
        steps=facts.get("steps"),
        seconds=time.monotonic() - started,
        message=f"{accuracy:.1%} of the tokens of lines that it was trained on are its first choice: {why}",
        changed=changed,
        as_configured=as_configured,
    )


def _reason(scores: dict[str, Any]) -> str:
    if "error" in scores:
        return f"scoring failed: {scores['error']}"
    return (
        "it sees too little context, or can't tell contexts apart, or is trained too gently for its size; "
        f"it still needs {scores['bits_per_token']:.2f} bits per token on lines that it has seen"
    )


def _learn(model: Any, folder: Path) -> tuple[float, dict[str, Any], dict[str, Any]]:
    """Accuracy on the lines after training on them, and the facts of training and scoring."""
    folders = {part: folder / part for part in ("tokenizer", "shard", "model", "scores")}
    for inner in folders.values():
        inner.mkdir()
    _write_lines(model, folders["tokenizer"], folders["shard"])
    part, threads = Part(folder=folders["shard"]), _threads(model)
    facts = fit(
        task=Config(),
        model=model,
        training=TRAINING.model_copy(update={"learning_rate": _rate(model), "threads": threads}),
        tokenizer=folders["tokenizer"],
        train=[part],
        valid=[part],
        seed=1,
        out=folders["model"],
        report=lambda row: None,
        enough_bits=ENOUGH_BITS,
    )
    [scores] = scoring.run(
        model_folder=folders["model"],
        tokenizer=folders["tokenizer"],
        tests=[Test(parts=[part.folder], out=folders["scores"])],
        config=Evaluation(threads=threads),
        report=lambda row: None,
    )
    if "error" in scores:
        return 0.0, facts, scores
    table = pq.read_table(folders["scores"] / "tokens.parquet")
    return float(np.mean(table.column("rank").to_numpy() == 1)), facts, scores


def _threads(model: Any) -> int:
    """All cores for a wide network; the matrices of a narrow one aren't worth the meeting of threads."""
    return len(os.sched_getaffinity(0)) if getattr(model, "d_model", 0) >= 256 else 1


def _rate(model: Any) -> float:
    """A step that suits the size: wide networks diverge where narrow ones learn."""
    return min(TRAINING.learning_rate, 1.0 / getattr(model, "d_model", 1))


def _write_lines(model: Any, tokenizer: Path, folder: Path) -> None:
    """Trains a tokenizer, or takes the model's own, and encodes LINES as all three splits."""
    tokens = TokensConfig()
    spelled = texts(LINES, lex(LINES, tokens.comments), tokens)
    words = iter(s for s in spelled if not s.startswith("<"))
    own = getattr(model, "path", None)
    plain = {"kind": "bpe", "vocab_size": 300} if own is None else {"kind": "huggingface", "path": own}
    kind = tokenizers.lookup(str(plain["kind"]))
    kind.train(kind.Config.model_validate(plain), words, tokenizer)
    rows = [
        {"sample": split, "project": "check", "path": "check.py", "split": split, "text": LINES}
        for split in ("train", "valid", "test")
    ]
    source = folder.parent / "lines.parquet"
    pq.write_table(pa.Table.from_pylist([{**row, "n_bytes": len(LINES)} for row in rows]), source)
    encoding.build(source, tokenizer, tokens, folder)
