"""Rows of arrays become an endless stream of batches, each epoch in another order."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Shuffled:
    """Batches of rows of some arrays, (N, …) each; the order depends on `seed` alone.

    No batch holds a row twice: what is left at the end of an epoch, and is no whole batch, waits for the next
    one. Where there are fewer than `rows` rows, each batch is all of them.
    """

    def __init__(self, arrays: Sequence[NDArray[Any]], *, rows: int, seed: int) -> None:
        self.arrays, self.seed = arrays, seed
        self.size = len(arrays[0])
        self.rows = min(rows, self.size)
        self.subwords = self.rows * sum(array[0].size for array in arrays)
        self.epoch, self.taken = 0, 0
        self._order = self._permutation()

    def _permutation(self) -> NDArray[np.int64]:
        return np.random.default_rng([self.seed, self.epoch]).permutation(self.size)

    def batch(self) -> list[NDArray[Any]]:
        """The same rows of all arrays."""
        if self.taken + self.rows > self.size:
            self.epoch, self.taken = self.epoch + 1, 0
            self._order = self._permutation()
        chosen = self._order[self.taken : self.taken + self.rows]
        self.taken += self.rows
        return [array[chosen] for array in self.arrays]

    @property
    def epochs(self) -> float:
        """How often all rows were drawn, but for those left out at the ends."""
        return self.epoch + self.taken / self.size

    def state(self) -> dict[str, int]:
        """Where the stream stands, as JSON."""
        return {"epoch": self.epoch, "taken": self.taken}

    def restore(self, state: dict[str, int]) -> None:
        """Goes on where `state` was taken."""
        self.epoch, self.taken = state["epoch"], state["taken"]
        self._order = self._permutation()
