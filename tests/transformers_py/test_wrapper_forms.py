"""A wrapper has to hold together whatever stands beside it."""

import pytest

from transformers_py import wrappers

NEUTRAL = [
    ("(", "1", " + 0)"),
    ("((", "1", ") + 0)"),
    ("(", "x", " if True else 0)"),
    ("(lambda v: v)(", "x", ")"),
]
TORN = [("(0) if False else (", "x", ")"), ("(", "1", ") + (0)"), ("(", "x", ") if True else (0)")]


@pytest.mark.parametrize(("before", "inside", "after"), NEUTRAL)
def test_neutral(before: str, inside: str, after: str) -> None:
    assert wrappers.problem(before, inside, after) is None


@pytest.mark.parametrize(("before", "inside", "after"), TORN)
def test_brackets_that_are_not_around_all_of_it(before: str, inside: str, after: str) -> None:
    assert wrappers.problem(before, inside, after) is not None
