"""The gradient of a batch's mean loss, from one process's rows, in pieces that fit into memory."""

from typing import Any

import torch
from torch import Tensor

from models.interface import Trainable, device
from models.training.objective import Joint, Objective, Rows, Separable
from models.training.process_group import ProcessGroup
from preprocessing.errors import BadInput


class Gradients:
    """Puts gradients into a network's parameters, batch after batch.

    rows: of a whole batch, of which this process reads `own_rows`, in `micro_batches` pieces;
    carried: what a network takes from one batch into the next, if anything.
    """

    def __init__(
        self, network: Trainable, objective: Objective, ranks: ProcessGroup, rows: int, micro_batches: int
    ) -> None:
        self.network, self.objective = network, objective
        self.ranks, self.rows, self.own_rows = ranks, rows, ranks.rows(rows)
        self.micro_batches = micro_batches
        self.carried: Tensor | None = None

    def of(self, rows: Rows) -> float:
        """This process's share of a batch's mean loss, its gradient in the parameters.

        rows: those of this process. Where memory runs out they are cut into smaller pieces.

        Raises:
            BadInput: not even one row fits.
        """
        if isinstance(self.objective, Joint):
            return self._joint(self.objective, rows)
        assert isinstance(self.objective, Separable)
        while True:
            try:
                return self._accumulate(self.objective, rows)
            except torch.cuda.OutOfMemoryError as error:
                if self.micro_batches >= len(rows[0]):
                    shape = " × ".join(str(size) for size in rows[0].shape[1:])
                    raise BadInput(f"not even one row of {shape} subwords fits: {error}") from error
                self.micro_batches = min(2 * self.micro_batches, len(rows[0]))
                torch.cuda.empty_cache()

    def _pieces(self, rows: Rows) -> list[Rows]:
        pieces = min(self.micro_batches, len(rows[0]))
        placed = [array.to(device()) for array in rows]
        return list(zip(*(array.tensor_split(pieces) for array in placed), strict=True))

    def _accumulate(self, objective: Separable, rows: Rows) -> float:
        self.network.zero_grad(set_to_none=True)
        pieces = self._pieces(rows)
        carried: Any = [None] * len(pieces)
        if self.carried is not None:
            carried = self.carried.tensor_split(len(pieces), dim=1)
        total, after = 0.0, []
        for piece, before in zip(pieces, carried, strict=True):
            loss, state = objective.loss(self.network, piece, before)
            share = len(piece[0]) / self.rows
            (loss * share).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach()) * share
            after.append(state)
        self.carried = None if after[0] is None else torch.cat(after, dim=1)
        return total

    def _joint(self, objective: Joint, rows: Rows) -> float:
        """The loss of all rows of all processes together, piece by piece (GradCache, Gao et al. 2021).

        Embeddings without their graphs, the loss's gradient in them, then each piece again with the random
        numbers that it had, to carry its part of that gradient into the parameters. Pieces are never made
        smaller when memory runs out: under dropout, their number is part of what is learnt.
        """
        self.network.zero_grad(set_to_none=True)
        pieces, drawn, embedded = self._pieces(rows), [], []
        if len(pieces) == self.ranks.size == 1:
            loss = objective.joint_loss(objective.embed(self.network, pieces[0]))
            loss.backward()  # type: ignore[no-untyped-call]
            return float(loss.detach())
        with torch.no_grad():
            for piece in pieces:
                drawn.append((torch.get_rng_state(), torch.cuda.get_rng_state_all()))
                embedded.append(objective.embed(self.network, piece))
        whole = self.ranks.whole(torch.cat(embedded), self.rows, dim=0).requires_grad_()
        loss = objective.joint_loss(whole)
        [gradient] = torch.autograd.grad(loss, whole)
        own = gradient[self.own_rows].tensor_split(len(pieces))
        for piece, (state, of_devices), part in zip(pieces, drawn, own, strict=True):
            torch.set_rng_state(state)
            torch.cuda.set_rng_state_all(of_devices)
            objective.embed(self.network, piece).backward(part)  # type: ignore[no-untyped-call]
        return float(loss.detach()) / self.ranks.size
