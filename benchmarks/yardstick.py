"""The yardstick of exact ranks: a beam search of one position at a time, in plain PyTorch, as users write it.

A beam is blind for what it dropped; but it knows how probable that was. So it also says where its rank is
proved: where nothing that it dropped was more probable than the true token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import torch

from models.scoring.search import TIE, WORST
from models.vocabulary import FILE, Vocabulary

BEAM = 32
DEPTH = 8  # subwords of a token at most


@dataclass(frozen=True)
class Beam:
    """What was found at one position. best: at most ten tokens with their nats, the most probable first;
    dropped: nats of the most probable prefix or token that was not looked at.
    """

    best: Sequence[tuple[float, tuple[int, ...]]]
    dropped: float

    def rank(self, true: tuple[int, ...], log_p: float) -> int:
        """Rank of the true token with this log-probability, 0 beyond ten. Ties are not better."""
        better = sum(nats > log_p + TIE for nats, token in self.best if token != true)
        return better + 1 if better < WORST else 0

    def proves(self, log_p: float) -> bool:
        """Whether that rank can't be another one."""
        ten = len(self.best) == WORST and self.best[-1][0] > log_p + TIE
        return ten or self.dropped <= log_p + TIE


@torch.inference_mode()
def beam_search(model: Any, vocabulary: Vocabulary, state: Any) -> Beam:
    """The ten best complete tokens after a state, as far as a beam sees."""
    best: list[tuple[float, tuple[int, ...]]] = []
    beam: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    dropped = float("-inf")
    for _ in range(DEPTH):
        log_probs = torch.log_softmax(model.logits(state), 1)
        totals = (log_probs + torch.tensor([nats for nats, _ in beam])[:, None]).flatten()
        values, where = totals.topk(min(2 * BEAM, len(totals)))
        if len(totals) > len(values):
            dropped = max(dropped, float(values[-1]))
        rows, grown = [], []
        for nats, place in zip(values.tolist(), where.tolist(), strict=True):
            row, piece = divmod(place, vocabulary.size)
            path = (*beam[row][1], piece)
            if not vocabulary.ends[piece]:
                rows.append(row)
                grown.append((nats, path))
            elif vocabulary.canonical(path) and path != (FILE,):
                best.append((nats, path))
        best = sorted(best, reverse=True)[:WORST]
        if not grown or (len(best) == WORST and grown[0][0] < best[-1][0]):
            return Beam(best, max([dropped, *(nats for nats, _ in grown[:1])]))
        dropped = max([dropped, *(nats for nats, _ in grown[BEAM : BEAM + 1])])
        beam = grown[:BEAM]
        before = state[torch.tensor(rows[:BEAM])]
        state = model.extend(before, torch.tensor([path[-1] for _, path in beam]))
    return Beam(best, max(dropped, beam[0][0]))


@torch.inference_mode()
def yardstick(model: Any, vocabulary: Vocabulary, text: Any, positions: int) -> list[Beam]:
    """Beams at the first positions of a text, one after the other.

    They see what scoring lets them see: of a long text, windows of `context` subwords, of which a new one
    keeps `kept` of the last.
    """
    inputs, starts = [FILE, *text.subwords.tolist()], text.token_starts.tolist()
    beams: list[Beam] = []
    seen, state = 0, None
    for first, last in islice(pairwise(starts), positions):
        if model.context is not None and first - seen > model.kept and last - seen > model.context:
            seen, state = first - model.kept, None
        if state is None:
            state = _read(model, model.start(1), inputs[seen : first + 1])
        beams.append(beam_search(model, vocabulary, state))
        state = _read(model, state, inputs[first + 1 : last + 1])
    return beams


def _read(model: Any, state: Any, ids: list[int]) -> Any:
    """The state after some subwords."""
    return model.read(state, torch.tensor([ids]))[torch.tensor([len(ids) - 1])]
