"""Trainings: they learn, they resume to the same bits, they refuse what can't work."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import load_file

from models.config import EarlyStop, TrainingConfig
from models.encoded import Part
from models.kinds.gru.network import Gru
from models.lookup import lookup
from models.training import loop
from models.training.texts import Texts
from preprocessing.errors import BadInput
from tasks.completion.config import Config
from tasks.fitting import fit

FAST = TrainingConfig(
    batch_tokens=32,
    window=8,
    max_steps=24,
    validate_every=6,
    learning_rate=1e-2,
    checkpoint_s=0.0,
    precision="float32",
)
SMALL: dict[str, dict[str, Any]] = {
    "gru": {"d_model": 16, "layers": 2, "dropout": 0.2},
    "ngram": {"order": 3},
    "gpt": {"d_model": 16, "layers": 1, "heads": 2, "context": 16},
}


class KilledError(Exception):
    pass


@pytest.fixture
def run(shard: Path, tokenizer_folder: Path, tmp_path: Path) -> Callable[..., tuple[dict[str, Any], Path]]:
    def run(name: str, kind: str = "gru", training: TrainingConfig = FAST, **other: Any) -> Any:
        out = tmp_path / name
        out.mkdir()
        arguments: dict[str, Any] = {
            "model": lookup(kind).Config(**SMALL[kind]),
            "tokenizer": tokenizer_folder,
            "train": [Part(folder=shard)],
            "valid": [Part(folder=shard)],
            "seed": 1,
            "report": lambda row: None,
        }
        return fit(task=Config(), training=training, out=out, **{**arguments, **other}), out

    return run


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("kind", ["gru", "gpt", "ngram"])
def test_same_key_same_bits(kind: str, run: Any) -> None:
    (facts, one), (_, two), (_, other) = run("one", kind), run("two", kind), run("other", kind, seed=2)
    assert weights(one) == weights(two)
    assert (weights(one) == weights(other)) == (kind == "ngram")
    assert np.isfinite(facts["valid_bits"])
    config = json.loads((one / "config.json").read_text())
    assert config["model"]["kind"] == kind
    assert config["vocab_size"] == 14


def test_learning_curve(run: Any) -> None:
    reports: list[dict[str, Any]] = []
    facts, out = run("one", report=reports.append)
    curve = pq.read_table(out / "training.parquet").to_pandas()
    assert curve["step"].tolist() == [6, 12, 18, 24]
    assert curve["valid_bits"].min() == pytest.approx(facts["valid_bits"])
    assert curve["train_bits"].iloc[-1] < curve["train_bits"].iloc[0]
    validated = [row for row in reports if row["kind"] == "training"]
    assert [row["step"] for row in validated] == curve["step"].tolist()
    assert [row["eta_s"] > 0 for row in validated] == [True, True, True, False]


def test_budgets_are_kept_and_what_was_read_is_told(run: Any) -> None:
    def trained(name: str, **budget: Any) -> dict[str, Any]:
        training = TrainingConfig.model_validate({**FAST.model_dump(), "early_stop": None, "budget": budget})
        facts: dict[str, Any] = run(name, training=training)[0]
        return facts

    steps = trained("steps", kind="steps", amount=7)
    assert steps["steps"] == 7
    share = steps["original_tokens"] / (7 * FAST.batch_tokens)  # the others of these texts are rewritten ones
    assert 0.5 < share < 1
    tokens = trained("tokens", kind="original_tokens", amount=FAST.batch_tokens * 20)
    assert tokens["original_tokens"] == pytest.approx(FAST.batch_tokens * 20, rel=0.1)
    assert 20 < tokens["steps"] < 40
    assert tokens["original_passes"] > 2 * steps["original_passes"]
    assert trained("flops", kind="flops", amount=steps["flops"] / 7 * 3.5)["steps"] == 3
    with pytest.raises(BadInput, match=r"training.budget: 1536 flops give no step: one takes"):
        trained("none", kind="flops", amount=6 * FAST.batch_tokens * 8)


def test_a_budget_without_a_step_is_refused() -> None:
    for kind, amount, words in (("original_tokens", 10, "the least is"), ("steps", 1.5, "whole numbers")):
        with pytest.raises(ValueError, match=words):
            TrainingConfig.model_validate({"budget": {"kind": kind, "amount": amount}})


def test_progress_is_told_between_validations(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "TELL_EVERY_S", 0.0)
    reports: list[dict[str, Any]] = []
    run("one", report=reports.append)
    told = [row for row in reports if row["kind"] == "progress"]
    assert [row["step"] for row in told] == [step for step in range(1, 25) if step % 6]
    assert all(row["train_bits"] > 0 and row["subwords_per_s"] > 0 and row["eta_s"] > 0 for row in told)


def test_event_files_hold_the_curve(run: Any, tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    _, out = run("one", events=tmp_path / "events")
    events = accumulators.EventAccumulator(str(tmp_path / "events")).Reload()
    curve = pq.read_table(out / "training.parquet").to_pandas()
    assert [event.step for event in events.Scalars("valid_bits")] == curve["step"].tolist()
    assert [event.value for event in events.Scalars("train_bits")] == pytest.approx(
        curve["train_bits"].tolist()
    )
    assert "tensorboard" not in "".join(file.name for file in out.iterdir())


def test_event_files_without_the_package(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(BadInput, match=r"pip install 'augrid\[tensorboard\]'"):
        run("one", events=tmp_path / "events")


@pytest.mark.parametrize("stop_at", [6, 18])
def test_resumed_training_has_the_same_bits(stop_at: int, run: Any, tmp_path: Path) -> None:
    def kill(row: dict[str, Any]) -> None:
        if row["step"] == stop_at:
            raise KilledError

    scratch = tmp_path / "scratch"
    _, whole = run("whole")
    with pytest.raises(KilledError):
        run("first", report=kill, scratch=scratch)
    facts, second = run("second", scratch=scratch)
    assert facts["resumed_at"] == stop_at - 1
    assert weights(second) == weights(whole)
    curves = [
        pq.read_table(f / "training.parquet").to_pandas().drop(columns="seconds") for f in (whole, second)
    ]
    assert curves[0].equals(curves[1])


def test_a_checkpoint_of_another_training_is_not_taken_up(run: Any, tmp_path: Path) -> None:
    run("first", scratch=tmp_path / "scratch")
    facts, _ = run("second", scratch=tmp_path / "scratch", seed=7)
    assert facts["resumed_at"] is None


def test_early_stop_keeps_the_best(run: Any) -> None:
    config = FAST.model_copy(
        update={
            "learning_rate": 0.5,
            "max_steps": 200,
            "early_stop": EarlyStop(patience=2),
            "validate_every": 2,
        }
    )
    facts, out = run("one", training=config)
    curve = pq.read_table(out / "training.parquet").to_pandas()
    assert facts["steps"] < 200
    assert facts["best_step"] == curve["step"][curve["valid_bits"].idxmin()]
    assert facts["steps"] == facts["best_step"] + 4


def test_overfits_a_few_lines(run: Any, shard: Path) -> None:
    config = FAST.model_copy(update={"max_steps": 250, "window": 16, "batch_tokens": 64, "early_stop": None})
    model = lookup("gru").Config(d_model=64, dropout=0.0)
    _, out = run("one", training=config, model=model)
    curve = pq.read_table(out / "training.parquet").to_pandas()
    assert curve["train_bits"].iloc[-1] < 0.5 * curve["train_bits"].iloc[0]


def test_only_rewritten_samples_of_a_part(run: Any, shard: Path) -> None:
    facts, _ = run("one", train=[Part(folder=shard), Part(folder=shard, only_rewritten=True)])
    assert facts["train_samples"] == 5 + 2


def test_nothing_to_train_on(run: Any) -> None:
    with pytest.raises(BadInput, match="no train samples"):
        run("one", train=[])


def test_float32_and_bfloat16_agree_roughly(run: Any) -> None:
    bits = [
        run(precision, training=FAST.model_copy(update={"precision": precision}))[0]["valid_bits"]
        for precision in ("float32", "bfloat16")
    ]
    assert bits[0] == pytest.approx(bits[1], abs=0.1)
    assert bits[0] != bits[1]


def test_weights_are_finite_float32(run: Any) -> None:
    _, out = run("one")
    for tensor in load_file(out / "model.safetensors").values():
        assert tensor.dtype == np.float32
        assert np.isfinite(tensor).all()


def test_micro_batches_have_the_same_effect(run: Any) -> None:
    model = lookup("gru").Config(d_model=16, dropout=0.0)
    (one, _), (three, _) = (
        run(str(pieces), model=model, training=FAST.model_copy(update={"micro_batches": pieces}))
        for pieces in (1, 3)
    )
    assert one["valid_bits"] == pytest.approx(three["valid_bits"], abs=1e-3)


def spoil(monkeypatch: pytest.MonkeyPatch, at: set[int]) -> None:
    """Makes the loss of some calls not a number."""
    calls = iter(range(1000))
    honest = Gru.loss

    def loss(self: Gru, *arguments: Any) -> Any:
        value, carried = honest(self, *arguments)
        return value * (float("nan") if next(calls) in at else 1.0), carried

    monkeypatch.setattr(Gru, "loss", loss)


def test_a_loss_that_is_no_number_leads_back(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, {3, 20})
    reports: list[dict[str, Any]] = []
    facts, out = run("one", report=reports.append)
    assert [entry["step"] for entry in facts["rollbacks"]] == [3, 16]
    assert [row["back_to"] for row in reports if row["kind"] == "rollback"] == [0, 12]
    assert facts["steps"] == 24
    curve = pq.read_table(out / "training.parquet").to_pandas()
    assert curve["step"].tolist() == [6, 12, 18, 24]


def test_three_divergences_are_a_failure(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, {3, 4, 5})
    with pytest.raises(BadInput, match="diverged 3 times, at steps 3, 0, 0"):
        run("one")


def test_what_is_noise_says_the_objective(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Texts, "leap_nats", -1.0)
    with pytest.raises(BadInput, match="diverged 3 times, at steps 0, 0, 0"):
        run("one")
    monkeypatch.setattr(Texts, "leap_nats", 1.0)
    assert run("two")[0]["rollbacks"] == []


def test_a_network_needs_batches(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Texts, "batches")
    with pytest.raises(BadInput, match=r"^Gru learns from batches, which this task doesn't have$"):
        run("one")


def test_memory_that_runs_out_makes_the_pieces_smaller(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, model = Gru.loss, lookup("gru").Config(d_model=16, dropout=0.0)
    whole, _ = run("whole", model=model)

    def loss(self: Gru, inputs: Any, *others: Any) -> Any:
        if len(inputs) > 2:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return honest(self, inputs, *others)

    monkeypatch.setattr(Gru, "loss", loss)
    pieces, _ = run("pieces", model=model)
    assert pieces["micro_batches"] == 2
    assert pieces["valid_bits"] == pytest.approx(whole["valid_bits"], abs=1e-3)

    def never(self: Gru, *others: Any) -> Any:
        raise torch.cuda.OutOfMemoryError("out of memory")

    monkeypatch.setattr(Gru, "loss", never)
    with pytest.raises(BadInput, match="not even one row"):
        run("never", model=model)
