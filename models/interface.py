"""What a language model must offer to be trained, scored and searched: states that read subwords.

    states = model.start(rows)              rows states that have read nothing
    states = model.read(states, ids)        (B) states + (B, T) ids -> (B·T) states, row by row
    states = model.extend(states, pieces)   (N) states + (N) ids -> (N) states
    model.logits(states)                    (N) states -> (N, V) float32, log-probabilities up to a constant
    states[index]                           some of them, in any order, with repetition

Teacher forcing reads a window, the exact search extends prefixes by one subword: the same two functions.
A state is the hidden vector of a recurrent network, the last subwords of an n-gram, or the keys and values
of a decoder.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from models.config import TrainingConfig


class States(Protocol):
    """N states of a model, indexable by an int64 tensor."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Tensor) -> Self: ...


class LanguageModel(Protocol):
    """A distribution over the next subword, given states; see the module's legend."""

    vocab_size: int
    context: int | None  # subwords that a prediction sees at most, None where there is no limit
    kept: int  # subwords that stay visible when a long file is read on

    def start(self, rows: int) -> Any: ...

    def read(self, states: Any, ids: Tensor) -> Any: ...

    def extend(self, states: Any, pieces: Tensor) -> Any: ...

    def logits(self, states: Any) -> Tensor: ...

    def join(self, states: Sequence[Any]) -> Any: ...


class Trainable(nn.Module):
    """What is trained by gradients."""

    bf16: bool = False  # matrix products of training in bfloat16

    def compile_loss(self, **options: Any) -> bool:
        """Has `torch.compile` work on what the loss spends its time in; False where nothing is gained."""
        return False

    @property
    def parameter_count(self) -> int:
        """Trainable numbers, tied weights counted once."""
        return sum(parameter.numel() for parameter in self.parameters())


class Network(Trainable, ABC):
    """A language model that is trained by gradients."""

    vocab_size: int
    context: int | None = None
    kept: int = 0
    widest: int | None = None  # subwords of a row that `loss` can read at most, None where there is no limit
    forgets: bool = False  # reading `<file>` leaves nothing of what came before

    def shape(self, training: TrainingConfig) -> tuple[int, int]:
        """Rows and subwords per row of a training batch."""
        return training.rows, training.window

    @abstractmethod
    def loss(self, inputs: Tensor, targets: Tensor, carried: Any) -> tuple[Tensor, Any]:
        """Mean nats per subword of a packed batch, and what is carried into the next window.

        inputs, targets: (B, T) int64; a file starts where the input is `<file>` (id 0). `carried` is a
        tensor, or None before the first window and for models that carry nothing.
        """

    @abstractmethod
    def start(self, rows: int) -> Any: ...

    @abstractmethod
    def read(self, states: Any, ids: Tensor) -> Any: ...

    def extend(self, states: Any, pieces: Tensor) -> Any:
        """One subword more for each state."""
        return self.read(states, pieces[:, None])

    @abstractmethod
    def logits(self, states: Any) -> Tensor: ...

    @abstractmethod
    def join(self, states: Sequence[Any]) -> Any: ...


def device() -> torch.device:
    """Where this process computes: the first visible GPU, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
