"""The packed stream: every subword once per epoch, each behind its own file's past."""

import itertools
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
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


@pytest.mark.parametrize("turns", [None, [np.array([0, 1, 2]), np.array([0, 3])]])
def test_readings_are_what_was_read(turns: Any) -> None:
    starts = np.cumsum([10, 3, 8, 1, 12])
    samples = [np.arange(a, b) for a, b in itertools.pairwise(starts)]
    packer = Packer(samples, rows=3, window=4, seed=1, turns=turns)
    seen: Counter[int] = Counter()
    for _ in range(29):
        seen.update(packer.batch()[1].ravel().tolist())
    lengths = np.diff(starts)
    read = [sum(seen[i] for i in sample) / len(sample) for sample in samples]
    np.testing.assert_allclose(packer.readings(lengths), read)
    assert packer.epoch > 3


def test_samples_take_turns_epoch_by_epoch() -> None:
    samples = [np.full(4, n) for n in (5, 6, 7)]
    packer = Packer(samples, rows=1, window=4, seed=1, turns=[np.array([0, 1]), np.array([0, 2])])
    read = [int(packer.batch()[1][0, 0]) for _ in range(8)]
    assert [sorted(read[n : n + 2]) for n in (0, 2, 4, 6)] == [[5, 6], [5, 7], [5, 6], [5, 7]]


def test_restored_packer_goes_on() -> None:
    samples = [np.arange(5, 5 + n) for n in (3, 8, 1, 12)]
    one = Packer(samples, rows=3, window=4, seed=1)
    for _ in range(7):
        one.batch()
    two = Packer(samples, rows=3, window=4, seed=1)
    two.restore(one.state())
    for _ in range(20):
        np.testing.assert_array_equal(one.batch()[0], two.batch()[0])
