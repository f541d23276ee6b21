"""The objective of language models: each subword of a text from those before it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from models.config import TrainingConfig
from models.encoded import Part, Samples, need
from models.interface import LanguageModel, Network
from models.scoring.scorer import bits_per_token
from models.training.objective import Batch, Rows
from models.training.packing import Packer
from models.training.training_job import TrainingJob
from models.vocabulary import Vocabulary
from preprocessing.errors import BadInput


class Texts:
    """Samples of a training and a validation split, packed in rows. Raises BadInput if there are none."""

    leap_nats = 3.0

    def __init__(self, train: Sequence[Part], valid: Sequence[Part], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.train = Samples(train, "train", vocabulary.size)
        self.valid = Samples(valid, "valid", vocabulary.size)
        need(self.train, "train")
        need(self.valid, "valid")

    def identity(self) -> list[int]:
        return [len(self.train), self.train.subword_count, len(self.valid), self.valid.subword_count]

    def facts(self) -> dict[str, Any]:
        return {
            "train_samples": len(self.train),
            "train_subwords": self.train.subword_count,
            "valid_samples": len(self.valid),
        }

    def batches(self, network: Network, training: TrainingConfig, seed: int) -> Packer:
        rows, window = network.shape(training)
        return Packer(self.train, rows=rows, window=window, seed=seed, turns=self.train.turns)

    def original_share(self) -> float:
        """Of the subwords that are read, those of texts in which nothing was rewritten."""
        lengths, original, turns = self.train.lengths, self.train.are_original, self.train.turns
        read = sum(int(lengths[turn].sum()) for turn in turns)
        return sum(int(lengths[turn][original[turn]].sum()) for turn in turns) / read

    def seen(self, batches: Packer) -> dict[str, float]:
        """Subwords of original texts that were read, and how often the original of a text was."""
        lengths, original = self.train.lengths, self.train.are_original
        readings = batches.readings(lengths)[original]
        return {
            "original_tokens": float(np.round(readings @ lengths[original])),
            "original_passes": float(readings.sum() / self.train.text_count),
        }

    def weigh(self, batch: Batch) -> tuple[int, int]:
        """Subwords, and tokens that end with one of them."""
        targets = batch[1]
        return targets.size, int(np.count_nonzero(self.vocabulary.ends[targets]))

    def loss(self, network: Network, rows: Rows, carried: Any) -> tuple[Tensor, Any]:
        inputs, targets = rows
        return network.loss(inputs, targets, carried)

    def validate(self, model: LanguageModel, training: TrainingConfig) -> float:
        """Bits per token."""
        return bits_per_token(model, self.valid, self.vocabulary, training.valid_tokens)


def need_texts(job: TrainingJob, kind: str) -> Texts:
    """The texts of a training; raises BadInput for a task that has none."""
    if not isinstance(job.objective, Texts):
        raise BadInput(f"a model of kind {kind} learns from texts, which this task doesn't have")
    return job.objective
