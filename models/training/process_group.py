"""Processes of one host that train one model: each reads its rows of every batch, gradients are added.

All of them hold the same weights, read the same stream of batches, and decide alike: what could differ
between them (a clock, a validation) is decided by the first and told to the others.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from preprocessing.errors import BadInput


class ProcessGroup:
    """This process's number in the torchrun group, and the size of the group; 0 of 1 without one."""

    def __init__(self) -> None:
        together = dist.is_available() and dist.is_initialized()
        self.number, self.size = (dist.get_rank(), dist.get_world_size()) if together else (0, 1)

    def rows(self, n: int) -> slice:
        """Which of n rows of a batch are this process's. Raises BadInput if one would have none."""
        if n < self.size:
            raise BadInput(f"training.devices ({self.size}) is more than the {n} rows of a batch")
        return slice(n * self.number // self.size, n * (self.number + 1) // self.size)

    def add(self, tensors: Sequence[Tensor], loss: float) -> float:
        """Sums tensors in place, and losses, over all processes."""
        if self.size == 1:
            return loss
        last = tensors[0].new_tensor([loss])
        flat = torch.cat([*(tensor.flatten() for tensor in tensors), last])
        dist.all_reduce(flat)
        for tensor, part in zip(tensors, torch.split(flat, [*(t.numel() for t in tensors), 1]), strict=False):
            tensor.copy_(part.view_as(tensor))
        return float(flat[-1])

    def whole(self, own: Tensor, n: int, *, dim: int) -> Tensor:
        """What all processes have for n rows, which stand along `dim`, from what this one has for its own."""
        if self.size == 1:
            return own
        shape = [*own.shape]
        shape[dim] = n
        whole = own.new_zeros(shape)
        rows = self.rows(n)
        whole.narrow(dim, rows.start, rows.stop - rows.start).copy_(own)
        dist.all_reduce(whole)
        return whole

    def agreed(self, value: float) -> float:
        """The value of the first process."""
        if self.size == 1:
            return value
        told: list[Any] = [value]
        dist.broadcast_object_list(told, src=0)
        return float(told[0])
