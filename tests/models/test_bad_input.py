"""Checkpoints and files that can't work: one clear message, or a score for every token; no NaN ever."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.checkpoints import load_model, lookup_network
from models.config import TrainingConfig
from models.encoded import Part
from models.kinds.ngram.counts import count, stream
from models.kinds.ngram.network import Ngram
from models.lookup import lookup
from models.scoring.scorer import Scorer
from models.vocabulary import Vocabulary
from preprocessing.errors import BadInput
from tasks.completion.config import Config
from tasks.fitting import fit

TRAINING = TrainingConfig(batch_tokens=32, window=8, max_steps=4, validate_every=2, precision="float32")
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("gru", {"d_model": 8}),
    ("gpt", {"d_model": 8, "layers": 1, "heads": 2, "context": 16}),
    ("ngram", {"order": 3}),
]


@pytest.fixture(params=KINDS, ids=lambda kind: kind[0])
def model(request: Any, shard: Path, tokenizer_folder: Path, tmp_path: Path) -> Path:
    kind, sizes = request.param
    out = tmp_path / "model"
    out.mkdir()
    part = Part(folder=shard)
    fit(
        task=Config(),
        model=lookup(kind).Config(**sizes),
        training=TRAINING,
        tokenizer=tokenizer_folder,
        train=[part],
        valid=[part],
        seed=1,
        out=out,
        report=lambda row: None,
    )
    return out


class Harmful:
    """Unpickling it would leave a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def test_a_pickle_is_not_read(model: Path, tmp_path: Path) -> None:
    (model / "model.safetensors").write_bytes(pickle.dumps(Harmful(tmp_path / "ran")))
    with pytest.raises(BadInput, match=r"model\.safetensors: not a readable safetensors file"):
        load_model(model)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_refused(model: Path, share: float) -> None:
    data = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").write_bytes(data[: int(share * len(data))])
    with pytest.raises(BadInput, match="not a readable safetensors file"):
        load_model(model)


def test_a_header_that_promises_too_much_is_refused(model: Path) -> None:
    (model / "model.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(BadInput, match="not a readable safetensors file"):
        load_model(model)


def test_another_vocabulary_is_refused(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "vocab_size": 5}))
    with pytest.raises(BadInput, match=r"weights of another config|damaged counts"):
        load_model(model)


@pytest.mark.parametrize(
    "text", ["[]", '{"model": {"kind": "os"}, "format": 1}', '{"model": {}, "format": 1}']
)
def test_a_config_that_is_none_is_refused(model: Path, text: str) -> None:
    (model / "config.json").write_text(text)
    with pytest.raises(BadInput):
        load_model(model)


def test_a_config_with_sizes_that_can_not_work_is_refused(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    wrong = {**config["model"], "nonsense": 1}
    (model / "config.json").write_text(json.dumps({**config, "model": wrong}))
    with pytest.raises(ValueError, match="nonsense"):
        load_model(model)


@pytest.mark.parametrize(("kind", "sizes"), KINDS)
def test_every_token_has_a_finite_score(
    kind: str, sizes: Any, vocabulary: Vocabulary, tokenizer: Any, make_text: Any
) -> None:
    """Empty and one-token files, one token longer than any window, and tokens that training never saw."""
    torch.manual_seed(0)
    config = lookup(kind).Config(**sizes)
    if kind == "ngram":
        data = [np.array([4, 6])]
        model: Any = Ngram(config, vocabulary.size, count(stream(data), config.order, vocabulary.size))
    else:
        network = lookup_network(kind)
        model = getattr(network, kind.capitalize())(config, vocabulary.size).eval().requires_grad_(False)
    texts = [make_text(t) for t in ([], ["a"], ["ab" * 6, "b"], ["bba"] * 40, ["<newline>"])]
    for scored in Scorer(model=model, vocabulary=vocabulary, rows=2, window=4).score(texts):
        assert len(scored.nll) == len(scored.text.token_starts) - 1
        assert np.all(np.isfinite(scored.nll))
        assert np.all(scored.nll > 0)


def test_a_token_longer_than_what_a_model_can_see_has_one_clear_outcome(
    vocabulary: Vocabulary, make_text: Any
) -> None:
    config = lookup("gpt").Config(d_model=8, layers=1, heads=2, context=16)
    model = lookup_network("gpt").Gpt(config, vocabulary.size).eval().requires_grad_(False)
    [scored] = Scorer(model=model, vocabulary=vocabulary).score([make_text(["a", "ba" * 40, "b"])])
    assert np.all(np.isfinite(scored.nll))
