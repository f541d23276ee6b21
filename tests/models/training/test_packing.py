"""The packed stream: every subword once per epoch, each behind its own file's past."""

import itertools
from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.packing import Packer
from models.vocabulary import FILE


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=12),
    st.integers(1, 5),
    st.integers(1, 9),
    st.integers(0, 9),
)
def test_rows_follow_files(lengths: list[int], rows: int, window: int, seed: int) -> None:
    starts = np.cumsum([10, *lengths])
    samples = [np.arange(a, b) for a, b in itertools.pairwise(starts)]  # all subwords differ
    firsts = {int(sample[0]) for sample in samples}
    packer = Packer(samples, rows=rows, window=window, seed=seed)
    seen: dict[int, int] = defaultdict(int)
    while packer.epoch < 2:
        inputs, targets = packer.batch()
        assert inputs.shape == targets.shape == (rows, window)
        for x, y in zip(inputs.ravel().tolist(), targets.ravel().tolist(), strict=True):
            assert x == (FILE if y in firsts else y - 1)
            seen[y] += 1
    read = [seen[i] for i in range(10, int(starts[-1]))]
    assert max(read) - min(read) <= 2 + rows


def test_restored_packer_goes_on() -> None:
    samples = [np.arange(5, 5 + n) for n in (3, 8, 1, 12)]
    one = Packer(samples, rows=3, window=4, seed=1)
    for _ in range(7):
        one.batch()
    two = Packer(samples, rows=3, window=4, seed=1)
    two.restore(one.state())
    for _ in range(20):
        np.testing.assert_array_equal(one.batch()[0], two.batch()[0])
