"""The body of a training step: encoded shards in, a trained model's folder out."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from models.checkpoints import digest, lookup_network, write_config
from models.config import TrainingConfig
from models.data import Part, Samples, need
from models.training import parallel
from models.training.training_job import Job, Report
from models.vocabulary import Vocabulary
from preprocessing import tokenizers


def run(
    *,
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
    """Trains a model on the "train" samples of some shards, watched on the "valid" samples of others.

    model: a `Config` of some `models.kinds.<kind>`. out: an existing empty folder, which gets
    model.safetensors, config.json and training.parquet. scratch: where checkpoints for resuming live, or
    None for none. events: where event files of TensorBoard go, or None for none.
    enough_bits: bits per token on validation below which it ends at once.
    Raises BadInput if there is nothing to train on or the training diverges. Returns facts for the manifest.
    """
    if training.devices > 1 and not torch.distributed.is_initialized():
        parts = {"train": [_plain(part) for part in train], "valid": [_plain(part) for part in valid]}
        places = {"tokenizer": tokenizer, "out": out, "scratch": scratch, "events": events}
        order = {
            "model": model.model_dump(mode="json"),
            "training": training.model_dump(mode="json"),
            "seed": seed,
            "enough_bits": enough_bits,
            **parts,
            **{name: None if place is None else str(place.absolute()) for name, place in places.items()},
        }
        return parallel.run(order, report)
    torch.set_num_threads(training.threads)
    torch.manual_seed(seed)
    vocabulary = Vocabulary(tokenizers.load(tokenizer))
    samples = Samples(train, "train", vocabulary.size)
    watched = Samples(valid, "valid", vocabulary.size)
    need(samples, "train")
    need(watched, "valid")
    key = json.dumps(
        [
            model.model_dump(mode="json"),
            training.model_dump(mode="json"),
            digest(tokenizer),
            seed,
            [len(samples), samples.subword_count, len(watched), watched.subword_count],
        ],
        sort_keys=True,
    )
    job = Job(
        training=training,
        train=samples,
        valid=watched,
        vocabulary=vocabulary,
        seed=seed,
        key=hashlib.sha256(key.encode()).hexdigest(),
        out=out,
        scratch=scratch,
        report=report,
        events=events,
        enough_bits=enough_bits,
    )
    facts: dict[str, Any] = lookup_network(model.kind).fit(model, job)
    write_config(out, model=model, vocab_size=vocabulary.size, tokenizer=digest(tokenizer))
    return {
        "train_samples": len(samples),
        "train_subwords": samples.subword_count,
        "valid_samples": len(watched),
        **facts,
    }


def _plain(part: Part) -> dict[str, Any]:
    return {"folder": str(part.folder.absolute()), "only_rewritten": part.only_rewritten}
