import random
from collections.abc import Iterator

import pytest

from benchmarks.turns import median_of, ratio, take_turns


def test_works_take_turns_input_by_input() -> None:
    calls: list[tuple[str, int]] = []
    ticks: Iterator[int] = iter(range(1000))

    def first(item: int) -> None:
        calls.append(("first", item))

    def second(item: int) -> None:
        calls.append(("second", item))
        next(ticks)

    rounds = take_turns({"first": first, "second": second}, [7, 8], 2, lambda: next(ticks))
    assert calls == [("first", 7), ("second", 7), ("first", 8), ("second", 8)] * 2
    assert rounds == [{"first": 2.0, "second": 4.0}] * 2
    assert ratio(rounds, "second", "first").value == 2.0


def test_what_slows_one_round_down_is_no_part_of_the_ratio() -> None:
    rounds = [{"a": 3.0 * slow, "b": 2.0 * slow} for slow in (1, 1, 5, 1, 9, 1)]
    found = ratio(rounds, "a", "b")
    assert (found.value, found.low, found.high) == (1.5, 1.5, 1.5)


@pytest.mark.parametrize(
    ("count", "smallest", "level"),
    [(1, 0, 0.0), (5, 0, 0.9375), (6, 0, 0.96875), (8, 0, 0.9921875), (9, 1, 0.9609375), (25, 7, 0.9567)],
)
def test_interval_by_order_statistics(count: int, smallest: int, level: float) -> None:
    values = [float(value) for value in range(count)]
    random.Random(count).shuffle(values)
    found = median_of(values)
    assert (found.value, found.count) == ((count - 1) / 2, count)
    assert (found.low, found.high) == (smallest, count - 1 - smallest)
    assert found.level == pytest.approx(level, abs=1e-4)


def test_interval_covers_the_median_as_often_as_its_level_says() -> None:
    rng = random.Random(0)
    found = [median_of([rng.expovariate(1.0) for _ in range(9)]) for _ in range(2000)]
    covered = sum(one.low <= 0.6931 <= one.high for one in found) / len(found)
    assert covered == pytest.approx(found[0].level, abs=0.02)
