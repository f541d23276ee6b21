"""What a training is for: its batches, their loss, and a validation. A task makes it; the loop knows no more.

batch     arrays with a row per example (or per row of packed text), so that rows can be shared out
loss      of some rows, in nats per prediction: `Separable`; rows are cut where memory or devices ask for it
joint     of all rows together, from what each row alone is embedded as: `Joint`; cutting the rows would
          change what is learnt (each example is contrasted with all others)
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray
from torch import Tensor

from models.config import TrainingConfig

Batch = Sequence[NDArray[Any]]
Rows = Sequence[Tensor]


class Batches(Protocol):
    """An endless stream of batches, whose order depends on the seed alone."""

    rows: int
    """Rows of every batch."""
    subwords: int
    """Subwords that a batch holds at most: what speeds are counted in."""

    def batch(self) -> Batch: ...

    @property
    def epochs(self) -> float:
        """How often all samples were drawn."""
        ...

    def state(self) -> dict[str, Any]:
        """Where the stream stands, as JSON."""
        ...

    def restore(self, state: dict[str, Any]) -> None: ...


class Objective(Protocol):
    """What every objective says, also one from which a model learns without gradients."""

    def identity(self) -> list[Any]:
        """What tells these data from others, as JSON: a checkpoint of others isn't taken up."""
        ...

    def facts(self) -> dict[str, Any]:
        """Sizes of the data, for the manifest."""
        ...


class Batched(Objective, Protocol):
    """What is learnt by gradients, batch by batch."""

    leap_nats: float
    """A batch's loss so far above its running mean is no noise: the training goes back."""

    def batches(self, network: Any, training: TrainingConfig, seed: int) -> Batches: ...

    def weigh(self, batch: Batch) -> tuple[int, int]:
        """Predictions of a batch, over which its loss is the mean, and units, over which curves are."""
        ...

    def validate(self, model: Any, training: TrainingConfig) -> float:
        """Bits per unit on the validation split: lower is better."""
        ...


@runtime_checkable
class OfOriginals(Protocol):
    """What knows how much of its data was rewritten."""

    def original_share(self) -> float:
        """Of the subwords that are read, those of texts in which nothing was rewritten."""
        ...

    def seen(self, batches: Any) -> dict[str, float]:
        """original_tokens: subwords of such texts that were read; original_passes: how often each was."""
        ...


@runtime_checkable
class Separable(Batched, Protocol):
    """A mean over rows: that of a batch is the weighted mean of those of its pieces."""

    def loss(self, network: Any, rows: Rows, carried: Any) -> tuple[Tensor, Any]:
        """Mean nats per prediction, and what is carried into the same rows of the next batch, or None."""
        ...


@runtime_checkable
class Joint(Batched, Protocol):
    """A loss of all rows together."""

    def embed(self, network: Any, rows: Rows) -> Tensor:
        """(n, …) what the loss must know of each of n rows; no row may see another."""
        ...

    def joint_loss(self, embedded: Tensor) -> Tensor:
        """Mean nats per prediction of a whole batch."""
        ...
