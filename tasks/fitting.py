"""The body of a training step: examples in, a trained model's folder out, by one process or several."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

import tasks
from models.config import TrainingConfig
from models.encoded import Part
from models.lookup import lookup
from models.training import one_training, parallel
from models.training.training_job import Report
from models.vocabulary import Vocabulary
from preprocessing import tokenizers
from tasks import TaskConfig

PLACES = ("tokenizer", "out", "scratch", "events")


def fit(
    *,
    task: TaskConfig,
    model: Any,
    training: TrainingConfig,
    tokenizer: Path,
    train: Sequence[Part],
    valid: Sequence[Part],
    seed: int,
    out: Path,
    report: Report,
    scratch: Path | None = None,
    events: Path | None = None,
    enough_bits: float = 0.0,
) -> dict[str, Any]:
    """Trains a model on the "train" samples of some parts, watched on the "valid" samples of others.

    See `models.training.one_training.run`. Raises BadInput if there is nothing to train on, too.
    """
    if training.devices > 1 and not torch.distributed.is_initialized():
        places = {"tokenizer": tokenizer, "out": out, "scratch": scratch, "events": events}
        order = {
            "task": task.model_dump(mode="json"),
            "model": model.model_dump(mode="json"),
            "training": training.model_dump(mode="json"),
            "train": [_plain(part) for part in train],
            "valid": [_plain(part) for part in valid],
            "seed": seed,
            "enough_bits": enough_bits,
            **{name: None if place is None else str(place.absolute()) for name, place in places.items()},
        }
        return parallel.run("tasks.fitting", order, training.devices, report)
    vocabulary = Vocabulary(tokenizers.load(tokenizer))
    return one_training.run(
        model=model,
        training=training,
        objective=tasks.lookup(task.kind).objective(task, train, valid, vocabulary),
        vocabulary=vocabulary,
        tokenizer=tokenizer,
        seed=seed,
        out=out,
        report=report,
        scratch=scratch,
        events=events,
        enough_bits=enough_bits,
    )


def _plain(part: Part) -> dict[str, Any]:
    places = {"folder": part.folder, "as_rewritten": part.as_rewritten}
    return asdict(part) | {name: str(place.absolute()) for name, place in places.items() if place is not None}


def _part(plain: dict[str, Any]) -> Part:
    places = {name: Path(plain[name]) for name in ("folder", "as_rewritten") if plain[name] is not None}
    return Part(**{**plain, **places})


def _ordered(order: dict[str, Any], report: Report) -> dict[str, Any]:
    """Does in this process what `fit` was asked."""
    return fit(
        task=tasks.lookup(order["task"]["kind"]).Config.model_validate(order["task"]),
        model=lookup(order["model"]["kind"]).Config.model_validate(order["model"]),
        training=TrainingConfig.model_validate(order["training"]),
        train=[_part(part) for part in order["train"]],
        valid=[_part(part) for part in order["valid"]],
        seed=order["seed"],
        enough_bits=order["enough_bits"],
        report=report,
        **{name: None if order[name] is None else Path(order[name]) for name in PLACES},  # type: ignore[arg-type]
    )


if __name__ == "__main__":
    sys.exit(parallel.main(Path(sys.argv[1]), _ordered))
