"""Dynamic evaluation: a model learns from each file after scoring it, and forgets that at the next project.

    project p   file 1 → score → learn    file 2 → score → learn    …
    project q   the weights of before     file 1 → score → learn    …

As in Karampatsis et al. (2020): one gradient step per window of a file that has been scored. An n-gram model
remembers the files of the project, the outer part of the nested cache of Hellendoorn & Devanbu (2017).
"""

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from models.checkpoints import weights
from models.encoded import TextSample
from models.interface import Network
from models.scoring.scorer import Scored, Scorer
from models.training.packing import Packer
from preprocessing.errors import BadInput

CLIP_NORM = 5.0


@runtime_checkable
class Remembers(Protocol):
    """A model that learns without gradients."""

    def remember(self, subwords: NDArray[np.int64]) -> None: ...

    def forget(self) -> None: ...


def score_dynamic(
    scorer: Scorer, samples: Iterable[TextSample], rate: float, window: int
) -> Iterator[Scored]:
    """As Scorer.score, one sample after the other; the samples of a project must stand together.

    rate: step of plain gradient descent; window: subwords per step. Raises BadInput for a model that can
    neither follow gradients nor remember.
    """
    model = scorer.model
    if isinstance(model, Remembers):
        yield from _remembering(model, scorer, samples)
        return
    if not isinstance(model, Network):
        raise BadInput(f"adapt: dynamic needs a network; {type(model).__name__} has no gradients to follow")
    original = {name: p.detach().clone() for name, p in weights(model).items()}
    project = None
    try:
        for sample in samples:
            if sample.project != project:
                _put_back(model, original)
                project = sample.project
            yield from scorer.score([sample])
            if len(sample.subwords):
                _learn(model, sample, rate, window)
    finally:
        _put_back(model, original)


def _remembering(model: Remembers, scorer: Scorer, samples: Iterable[TextSample]) -> Iterator[Scored]:
    project = None
    try:
        for sample in samples:
            if sample.project != project:
                model.forget()
                project = sample.project
            yield from scorer.score([sample])
            model.remember(sample.subwords)
    finally:
        model.forget()


def _put_back(model: Network, original: dict[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in weights(model).items():
            parameter.copy_(original[name])


def _learn(model: Network, sample: TextSample, rate: float, window: int) -> None:
    """One step per full window of the file, and one for what is left; dropout stays off.

    A window is at most as wide as the model can read.
    """
    window = min(window, model.widest or window)
    model.requires_grad_(True)
    optimiser = torch.optim.SGD(model.parameters(), lr=rate)
    carried = None
    place = next(model.parameters()).device
    for first in range(0, len(sample.subwords), window):
        width = min(window, len(sample.subwords) - first)
        if first == 0 or width < window:
            packer = Packer([sample.subwords], rows=1, window=width, seed=0)
            packer.restore({"epoch": 0, "taken": 1, "lanes": [[0, first]]})
        inputs, targets = packer.batch()
        optimiser.zero_grad(set_to_none=True)
        x, y = (torch.from_numpy(ids).to(place) for ids in (inputs, targets))
        loss, carried = model.loss(x, y, carried)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimiser.step()
    model.requires_grad_(False)
