"""A wrapper has to hold together whatever stands beside it."""

from collections import Counter
from typing import Any

import pytest

from transformers_py import rewrite
from transformers_py.proof import wrappers
from transformers_py.rewrites import double_negation
from transformers_py.source.edits import Edit, Site

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


TESTED = "def f(a):\n    if [b for b in a]:\n        return 'some'\n"


@pytest.mark.parametrize("other", ["add_neutral", "conditional_identity", "lambda_identity"])
def test_a_truth_value_takes_no_neutral_element(other: str) -> None:
    for rewrites in (["double_negation", other], [other, "double_negation"]):
        result = rewrite(TESTED, rewrites, rate=1.0, seed=1)
        space: dict[str, Any] = {}
        exec(result.text, space)
        assert result.status == "rewritten"
        assert space["f"]([1]) == "some"
        assert space["f"]([]) is None


def test_the_proof_sees_what_stands_inside_of_a_wrapper(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = slice(TESTED.index("["), TESTED.index("]") + 1)
    edits = Edit(whole.start, whole.start, "(not not "), Edit(whole.stop, whole.stop, ")")
    inner = Site(whole.start, whole.stop, edits, rank=1)
    monkeypatch.setattr(double_negation, "sites", lambda source, options: ([inner], Counter()))
    result = rewrite(TESTED, ["add_neutral", "double_negation"], rate=1.0, seed=1)
    assert result.status == "disproved"
    assert "isn't neutral for UnaryOp" in result.problem
