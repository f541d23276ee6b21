"""Sampled completions, and whether they only repeat or recall.

repetition    share of n-grams that stood before in the same completion
memorisation  share of n-grams that stand verbatim in the training split
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.scoring.candidates import read_context
from models.vocabulary import FILE
from preprocessing.errors import BadInput

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the next subword is drawn. temperature 0 takes the most probable one; None switches a cut off."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if self.temperature < 0:
            raise BadInput(f"temperature must be 0 or more, not {self.temperature}")
        if self.top_k is not None and self.top_k < 1:
            raise BadInput(f"top_k must be 1 or more, not {self.top_k}")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise BadInput(f"top_p must be above 0 and at most 1, not {self.top_p}")

    def probabilities(self, logits: Floats) -> Floats:
        """The distribution (V) that is drawn from; `<file>` is never drawn.

        top_p keeps the smallest set of most probable subwords that holds this mass (Holtzman et al. 2020),
        ties in the order of the vocabulary.
        """
        logits = logits.copy()
        logits[FILE] = -np.inf
        order = np.argsort(-logits, kind="stable")
        if self.temperature == 0:
            certain: Floats = np.zeros_like(logits)
            certain[order[0]] = 1.0
            return certain
        p: Floats = np.exp((logits - logits[order[0]]) / self.temperature)
        if self.top_k is not None:
            p[order[self.top_k :]] = 0.0
        p /= p.sum()
        if self.top_p is not None:
            before = np.cumsum(p[order]) - p[order]
            p[order[before >= self.top_p]] = 0.0
            p /= p.sum()
        return p


@torch.inference_mode()
def sample(
    model: Any, context: Sequence[int], length: int, sampling: Sampling, rng: np.random.Generator
) -> list[int]:
    """`length` subwords after a context, drawn one by one; the same `rng` gives the same ones.

    Raises BadInput if context and completion don't fit into what the model can see at once.
    """
    state = _ready(model, context, length)
    drawn: list[int] = []
    for _ in range(length):
        p = sampling.probabilities(model.logits(state)[0].double().cpu().numpy())
        drawn.append(int(rng.choice(len(p), p=p)))
        state = model.read(state, torch.tensor([[drawn[-1]]]))
    return drawn


@torch.inference_mode()
def beam(model: Any, context: Sequence[int], length: int, width: int) -> list[tuple[list[int], float]]:
    """The `width` most probable continuations that a beam search finds, as (subwords, nats), best first.

    Each is `length` subwords long, `<file>` never among them; ties in the order of the vocabulary.
    Raises BadInput as `sample`, and for a width below 1.
    """
    if width < 1:
        raise BadInput(f"width must be 1 or more, not {width}")
    states = _ready(model, context, length)
    beams: list[tuple[list[int], float]] = [([], 0.0)]
    for _ in range(length):
        log_p = torch.log_softmax(model.logits(states), 1).double().cpu().numpy()
        log_p[:, FILE] = -np.inf
        total = log_p + np.array([[nats] for _, nats in beams])
        best = np.argsort(-total.ravel(), kind="stable")[:width]
        best = best[np.isfinite(total.ravel()[best])]
        rows, pieces = np.divmod(best, total.shape[1])
        beams = [
            ([*beams[row][0], int(piece)], float(total[row, piece]))
            for row, piece in zip(rows, pieces, strict=True)
        ]
        states = model.read(states[torch.from_numpy(rows)], torch.from_numpy(pieces)[:, None])
    return beams


def _ready(model: Any, context: Sequence[int], length: int) -> Any:
    """The state after a context, of which so much is read that `length` subwords still fit."""
    if model.context is not None and length > model.context - 2:
        raise BadInput(f"length {length} does not fit into the model's context of {model.context} subwords")
    room = None if model.context is None else model.context - length - 1  # one is <file>
    return read_context(model, list(context)[-room:] if room is not None else list(context))


def repetition(ids: Sequence[int], n: int = 4) -> float | None:
    """Share of n-grams that repeat earlier ones (rep-n, Welleck et al. 2020); None without n-grams."""
    grams = _grams(ids, n)
    return 1.0 - len(set(grams)) / len(grams) if grams else None


class Memory:
    """The n-grams of a training split, to look completions up in."""

    def __init__(self, samples: Iterable[Sequence[int]], n: int) -> None:
        self.n = n
        self._grams = {gram for ids in samples for gram in _grams(ids, n)}

    def share(self, ids: Sequence[int]) -> float | None:
        """Share of a completion's n-grams that training has seen verbatim; None if it has none."""
        grams = _grams(ids, self.n)
        return sum(gram in self._grams for gram in grams) / len(grams) if grams else None


def _grams(ids: Sequence[int], n: int) -> list[tuple[int, ...]]:
    words = [int(i) for i in ids]
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
