"""Measures works in turns, and gives what one costs as a multiple of another: a median with its interval.

rounds = take_turns({"parse": parse, "analyse": analyse}, texts, rounds=9)     parse, analyse, parse, ...
ratio(rounds, "analyse", "parse")  ->  1.54 (1.52 to 1.57)

What slows a machine down for a while slows both sides of a ratio; measured one after the other, only one.
"""

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

_T = TypeVar("_T")
Round = dict[str, float]
"""Seconds of each work, by its label."""


@dataclass(frozen=True)
class Median:
    """The median of `count` values, with an interval that covers the true one with probability `level`."""

    value: float
    low: float
    high: float
    level: float
    count: int

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


def take_turns(
    works: Mapping[str, Callable[[_T], object]],
    inputs: Sequence[_T],
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> list[Round]:
    """The seconds of each work over all inputs, in each round; the works take turns input by input."""
    found: list[Round] = []
    for _ in range(rounds):
        seconds = dict.fromkeys(works, 0.0)
        for item in inputs:
            for label, work in works.items():
                start = clock()
                work(item)
                seconds[label] += clock() - start
        found.append(seconds)
    return found


def ratio(rounds: Sequence[Round], label: str, yardstick: str) -> Median:
    """What a work costs as a multiple of another one of the same round."""
    return median_of([seconds[label] / seconds[yardstick] for seconds in rounds])


def median_of(values: Sequence[float], level: float = 0.95) -> Median:
    """The median with the narrowest interval of two order statistics that has this level.

    The k-th smallest and the k-th largest of n values have the median between them with probability
    1 - 2 P(Bin(n, 1/2) < k), whatever the distribution (David and Nagaraja, Order Statistics, 2003, §7.1).
    Fewer than six values can't reach 0.95: then the interval is all of them, and its level says less.
    """
    ordered, n = sorted(values), len(values)
    k = 1
    while 2 * (k + 1) <= n and _level(n, k + 1) >= level:
        k += 1
    return Median(median(ordered), ordered[k - 1], ordered[n - k], _level(n, k), n)


def _level(n: int, k: int) -> float:
    return 1.0 - float(2 * sum(math.comb(n, j) for j in range(k)) / 2**n)


def load() -> str:
    """The machine's load, to stand beside a figure."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())
