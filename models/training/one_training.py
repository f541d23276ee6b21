"""One training from its objective to a model's folder."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch

from models.checkpoints import digest, lookup_network, write_config
from models.config import TrainingConfig
from models.training.objective import Objective
from models.training.training_job import Report, TrainingJob
from models.vocabulary import Vocabulary

CHECKPOINT = 2  # raised when what a checkpoint holds changes: those of before aren't taken up


def run(
    *,
    model: Any,
    training: TrainingConfig,
    objective: Objective,
    vocabulary: Vocabulary,
    tokenizer: Path,
    seed: int,
    out: Path,
    report: Report,
    scratch: Path | None = None,
    events: Path | None = None,
    enough_bits: float = 0.0,
) -> dict[str, Any]:
    """Trains a model, in this process.

    model: a `Config` of some `models.kinds.<kind>`. out: an existing empty folder, which gets
    model.safetensors, config.json and training.parquet. scratch: where checkpoints for resuming live, or
    None for none. events: where event files of TensorBoard go, or None for none. enough_bits: bits per unit
    on validation below which it ends at once.
    Raises BadInput if the training diverges. Returns facts for the manifest.
    """
    torch.set_num_threads(training.threads)
    torch.manual_seed(seed)
    plain = [model.model_dump(mode="json"), training.model_dump(mode="json"), digest(tokenizer), seed]
    key = json.dumps([CHECKPOINT, *plain, objective.identity()], sort_keys=True)
    job = TrainingJob(
        training=training,
        objective=objective,
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
    return {**objective.facts(), **facts}
