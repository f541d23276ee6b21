"""Samples become an endless stream of full rows for training.

    files  abc | de | fghij        rows of 4, two lanes     <f>a b <f>   d <f> f g      (inputs)
                                                             a  b c d     e f  g h      (targets)

Each lane reads one file after the other, in the epoch's order, so a row goes on where the lane's last row
ended: state may be carried, and `<file>` says where it must be forgotten.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.vocabulary import FILE

Ids = NDArray[np.int64]


class Packer:
    """Endless (inputs, targets) of shape (rows, window); the order depends on `seed` alone."""

    def __init__(
        self,
        samples: Sequence[Any],
        *,
        rows: int,
        window: int,
        seed: int,
        turns: Sequence[Ids] | None = None,
    ) -> None:
        """samples: indexable, each a one-dimensional integer array of at least one subword. turns: which of
        them are read in the first epoch, in the second, and so on round and round; without it all.
        """
        self.turns = turns or [np.arange(len(samples))]
        self.samples, self.rows, self.window, self.seed = samples, rows, window, seed
        self.subwords = rows * window
        self.epoch, self.taken = 0, 0
        self._order = self._permutation()
        self._lanes = [[self._take(), 0] for _ in range(rows)]  # sample, subwords read of it

    def _permutation(self) -> Ids:
        return np.random.default_rng([self.seed, self.epoch]).permutation(self._turn(self.epoch))

    def _turn(self, epoch: int) -> Ids:
        return self.turns[epoch % len(self.turns)]

    def _take(self) -> int:
        if self.taken == len(self._order):
            self.epoch, self.taken = self.epoch + 1, 0
            self._order = self._permutation()
        self.taken += 1
        return int(self._order[self.taken - 1])

    def batch(self) -> tuple[Ids, Ids]:
        """The next inputs and targets."""
        inputs = np.empty((self.rows, self.window), dtype=np.int64)
        targets = np.empty((self.rows, self.window), dtype=np.int64)
        for row, lane in enumerate(self._lanes):
            filled = 0
            while filled < self.window:
                ids = self.samples[lane[0]]
                start = lane[1]
                n = min(self.window - filled, len(ids) - start)
                end = filled + n
                targets[row, filled:end] = ids[start : start + n]
                inputs[row, filled + 1 : end] = ids[start : start + n - 1]
                inputs[row, filled] = ids[start - 1] if start else FILE
                filled = end
                lane[1] = start + n
                if lane[1] == len(ids):
                    lane[:] = [self._take(), 0]
        return inputs, targets

    @property
    def epochs(self) -> float:
        """How often all samples were drawn."""
        return self.epoch + self.taken / len(self._order)

    def readings(self, lengths: Ids) -> NDArray[np.float64]:
        """(N) how often each sample was read, from the subwords of each."""
        read = np.zeros(len(self.samples))
        for epoch in range(self.epoch):
            read[self._turn(epoch)] += 1
        read[self._order[: self.taken]] += 1
        for sample, start in self._lanes:
            read[sample] -= 1 - start / lengths[sample]
        return read

    def state(self) -> dict[str, Any]:
        """Where the stream stands, as JSON."""
        return {"epoch": self.epoch, "taken": self.taken, "lanes": [list(lane) for lane in self._lanes]}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on where another packer of the same samples, shape and seed stood."""
        self.epoch, self.taken = state["epoch"], state["taken"]
        self._lanes = [list(lane) for lane in state["lanes"]]
        self._order = self._permutation()
