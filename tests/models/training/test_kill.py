"""A training that is killed again and again at random moments ends with the weights of an undisturbed one."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from preprocessing import shards, tokenizers
from preprocessing.lexer.tokens import TokensConfig, lex, texts
from preprocessing.tokenizers import bpe
from tasks.completion.check import LINES

MODELS = {
    "gru": {"kind": "gru", "d_model": 48, "layers": 2, "dropout": 0.2},
    "gpt": {"kind": "gpt", "d_model": 32, "layers": 2, "heads": 2, "context": 64, "dropout": 0.2},
}
TRAINING = {"batch_tokens": 256, "window": 32, "max_steps": 200, "validate_every": 20, "checkpoint_s": 0.02}
KILLS = 4
PROGRAM = """
import json, sys
from pathlib import Path
from models.lookup import lookup
from tasks.completion.config import Config
from tasks.fitting import fit
from models.config import TrainingConfig
from models.encoded import Part
model, training, data, out, scratch = json.loads(sys.argv[1])
print("ready", flush=True)
part = Part(folder=Path(data, "shard"))
facts = fit(
    task=Config(),
    model=lookup(model["kind"]).Config(**model), training=TrainingConfig(**training),
    tokenizer=Path(data, "tokenizer"), train=[part], valid=[part], seed=1, out=Path(out),
    report=lambda row: print(row["step"], flush=True), scratch=Path(scratch),
)
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer, and a shard of which TRAINING reads about one epoch and a half."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("tokenizer", "shard"):
        (folder / name).mkdir()
    config = TokensConfig()
    bpe.train(bpe.Config(vocab_size=300), iter(texts(LINES, lex(LINES), config)), folder / "tokenizer")
    tokenizer = tokenizers.load(folder / "tokenizer")
    rng = random.Random(0)
    with shards.ShardWriter(folder / "shard", tokenizer.vocab_size) as writer:
        for n in range(80):
            lines = LINES.splitlines(keepends=True)
            text = "".join(f"x{n} = {k}{lines[rng.randrange(7, 9)].strip()}\n" for k in range(10, 30))
            cut = lex(text)
            row = {"sample": f"{n:016x}", "project": "p", "path": f"{n}.py", "outcome": "original"}
            writer.add(
                sample={**row, "split": "valid" if n < 4 else "train", "n_bytes": len(text)},
                subwords=tokenizer.encode(texts(text, cut, config)),
                kinds=cut.kinds,
                origins=range(len(cut)),
                changes=[0] * len(cut),
            )
    return folder


def start(kind: str, data: Path, out: Path, scratch: Path) -> subprocess.Popen[str]:
    out.mkdir()
    arguments = json.dumps([MODELS[kind], TRAINING, str(data), str(out), str(scratch)])
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return dict(json.loads(out.splitlines()[-1]))


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(MODELS))
def test_killed_at_random_moments(kind: str, data: Path, tmp_path: Path) -> None:
    whole = finish(start(kind, data, tmp_path / "whole", tmp_path / "scratch-whole"))
    assert whole["resumed_at"] is None
    assert whole["epochs"] > 1
    rng = random.Random(kind)
    scratch = tmp_path / "scratch"
    for number, step in enumerate(sorted(rng.sample(range(20, 181, 20), KILLS))):
        process = start(kind, data, tmp_path / f"killed-{number}", scratch)
        assert process.stdout is not None
        while int(process.stdout.readline()) < step:
            pass
        time.sleep(rng.uniform(0.0, 0.1))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    facts = finish(start(kind, data, tmp_path / "last", scratch))
    assert facts["resumed_at"] > 20
    same = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "last")]
    assert same[0] == same[1]
