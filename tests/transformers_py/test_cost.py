"""Cost in proportion to the text: counted in calls and compiled characters, which no busy machine changes."""

import sys
from collections import Counter
from types import FrameType
from typing import Any

import pytest

from benchmarks.shapes import SHAPES, everything, text_of

QUICK = ("dict", "variables", "inner functions")
SIZE = 20
_counts: Counter[str] = Counter()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "compile" and isinstance(arguments[0], (str, bytes)):
        _counts["characters"] += len(arguments[0])


def _profile(frame: FrameType, event: str, argument: object) -> None:
    _counts["calls"] += event in ("call", "c_call")


@pytest.fixture(scope="module")
def auditing() -> None:
    """Audit hooks stay for ever, so there is one."""
    sys.addaudithook(_audit)


def work(text: str) -> Counter[str]:
    """How many functions are called, and how many characters CPython parses or compiles, for all rewrites."""
    _counts.clear()
    sys.setprofile(_profile)
    try:
        everything(text)
    finally:
        sys.setprofile(None)
    return +_counts


@pytest.mark.usefixtures("auditing")
@pytest.mark.parametrize(
    "shape", [shape if shape in QUICK else pytest.param(shape, marks=pytest.mark.slow) for shape in SHAPES]
)
def test_four_times_the_text_takes_four_times_the_work(shape: str) -> None:
    small, large = text_of(shape, SIZE, 1), text_of(shape, SIZE, 4)
    for text in (small, large):
        everything(text)  # so that what is kept for all texts is there
    growth = len(large) / len(small)
    few, many = work(small), work(large)
    assert few["calls"] > 1000
    assert few["characters"] > len(small)
    for what in few:
        assert many[what] <= 1.5 * growth * few[what], (what, few, many, growth)
