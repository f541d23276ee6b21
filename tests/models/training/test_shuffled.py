"""A stream of batches: every row once an epoch, never twice in a batch, and it goes on where it stood."""

import json

import numpy as np
import pytest

from models.training.shuffled import Shuffled

NUMBERS = np.arange(10)
SQUARES = NUMBERS[:, None] ** 2 * np.ones(3, np.int64)


def stream(rows: int = 3, seed: int = 1) -> Shuffled:
    return Shuffled([NUMBERS[:, None], SQUARES], rows=rows, seed=seed)


def test_rows_of_all_arrays_stay_together() -> None:
    batches = stream()
    assert (batches.rows, batches.subwords) == (3, 12)
    for _ in range(9):
        numbers, squares = batches.batch()
        assert numbers.shape == (3, 1)
        assert (squares == numbers**2).all()


def test_no_row_comes_twice_in_an_epoch() -> None:
    batches = stream()
    for epoch in range(5):
        seen = [number for _ in range(3) for number in batches.batch()[0][:, 0]]
        assert len(set(seen)) == 9
        assert batches.epochs == pytest.approx(epoch + 0.9)


def test_the_order_depends_on_the_seed_and_the_epoch() -> None:
    one, same, other = stream(rows=10), stream(rows=10), stream(rows=10, seed=2)
    first = one.batch()[0].tolist()
    assert same.batch()[0].tolist() == first
    assert other.batch()[0].tolist() != first
    assert one.batch()[0].tolist() != first


def test_too_few_rows_are_all_of_them() -> None:
    batches = stream(rows=64)
    assert batches.rows == 10
    assert sorted(batches.batch()[0][:, 0].tolist()) == NUMBERS.tolist()


@pytest.mark.parametrize("taken", [0, 2, 3, 4])
def test_it_goes_on_where_it_stood(taken: int) -> None:
    batches, later = stream(), stream()
    for _ in range(taken):
        batches.batch()
    later.restore(json.loads(json.dumps(batches.state())))
    for _ in range(5):
        assert [a.tolist() for a in later.batch()] == [a.tolist() for a in batches.batch()]
