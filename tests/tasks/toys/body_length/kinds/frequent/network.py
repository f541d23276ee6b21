"""A table of counts: what is seen × bins."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from models.checkpoints import read_tensors, save_tensors
from models.training.training_job import CURVE, TrainingJob

from . import Config

MOST = 15  # what is more counts as this


class Frequent:
    """counts: (MOST + 1, bins)."""

    def __init__(self, config: Config, counts: NDArray[np.float64]) -> None:
        self.config, self.counts = config, counts

    def seen(self, examples: pa.Table) -> NDArray[np.int64]:
        """(N,) rows of the table."""
        return np.asarray(np.minimum(examples[self.config.given].to_numpy(), MOST))

    def probabilities(self, examples: pa.Table) -> NDArray[np.float64]:
        """(N, bins), from what is seen of N functions."""
        rows = self.counts[self.seen(examples)] + self.config.smoothing
        return np.asarray(rows / rows.sum(1, keepdims=True))


def fit(config: Config, job: TrainingJob) -> dict[str, Any]:
    """Counts the training functions; leaves an empty learning curve."""
    lengths: Any = job.objective
    model = Frequent(config, np.zeros((MOST + 1, lengths.n_bins)))
    np.add.at(model.counts, (model.seen(lengths.train), lengths.train["bin"].to_numpy()), 1)
    save_tensors({"counts": torch.from_numpy(model.counts)}, job.out / "model.safetensors")
    pq.write_table(pa.Table.from_pylist([], CURVE), job.out / "training.parquet")
    valid = lengths.valid["bin"].to_numpy()
    p = model.probabilities(lengths.valid)[np.arange(len(valid)), valid]
    return {"parameters": model.counts.size, "valid_bits": float(-np.log2(p).mean())}


def load(config: Config, vocab_size: int, file: Path) -> Frequent:
    """The model with the counts of a file."""
    return Frequent(config, read_tensors(file)["counts"].numpy())
