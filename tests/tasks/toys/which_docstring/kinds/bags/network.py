"""The mean of the embeddings of all subwords of a text, on the unit sphere."""

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from models.checkpoints import load_network
from models.interface import Trainable
from models.training.loop import fit_network
from models.training.training_job import TrainingJob

from . import Config


class Bags(Trainable):
    """A tower for each side."""

    def __init__(self, config: Config, vocab_size: int) -> None:
        super().__init__()
        size = vocab_size, config.d_model
        self.towers = nn.ModuleList(nn.EmbeddingBag(*size, mode="mean", padding_idx=0) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids: Tensor, tower: int) -> Tensor:
        """(n, T) → (n, d)"""
        return functional.normalize(self.dropout(self.towers[tower](ids)), dim=1)


def fit(config: Config, job: TrainingJob) -> dict[str, Any]:
    """Trains it by gradients."""
    return fit_network(Bags(config, job.vocab_size), job)


def load(config: Config, vocab_size: int, file: Path) -> Bags:
    """The trained model of a file."""
    return load_network(Bags(config, vocab_size), file)
