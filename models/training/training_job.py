"""One training, as the implementation of a model gets it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.config import TrainingConfig
from models.training.objective import Objective
from models.vocabulary import Vocabulary

CURVE = pa.schema(
    [
        ("step", pa.int32()),
        ("seconds", pa.float64()),
        ("train_bits", pa.float64()),
        ("valid_bits", pa.float64()),
        ("learning_rate", pa.float64()),
    ]
)

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What to train on and where to leave the result; `key` names everything that the weights depend on."""

    training: TrainingConfig
    objective: Objective
    vocabulary: Vocabulary
    seed: int
    key: str
    out: Path
    scratch: Path | None
    report: Report
    events: Path | None = None
    enough_bits: float = 0.0  # a validation below ends the training: there is nothing left to learn

    @property
    def vocab_size(self) -> int:
        """Subwords in the vocabulary."""
        return self.vocabulary.size
