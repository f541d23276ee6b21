"""Sites too deep in brackets are left out, and no others."""

from typing import Any

import pytest

from transformers_py import Source, emit
from transformers_py.sites.brackets import MAX_BRACKETS


def deepest(text: str) -> int:
    depth = most = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        most = max(most, depth)
    return most


@pytest.mark.parametrize("rate", [0.3, 1.0])
@pytest.mark.parametrize(
    "before",
    [
        "x = " + " + ".join(["a"] * 250) + "\n",
        "x = a" + ".b(1)" * 120 + "\n",
        "x = " + "[" * 80 + "a" + "]" * 80 + "\n",
        "def f(a):\n    if " + " and (a or ".join(["a"] * 50) + ")" * 49 + ":\n        return a\n",
        "x = " + "f(lambda: " * 40 + "a" + ")" * 40 + "\n",
        "x = a" + "[b]" * 150 + "\n",
    ],
)
def test_all_that_fits_is_taken(before: str, rate: float) -> None:
    source = Source.analyse(before)
    some: list[Any] = ["parentheses", "double_negation"]
    more: list[Any] = [{name: {"nested": True}} for name in ("conditional_identity", "lambda_identity")]
    for rewrites in (some, [*more, "parentheses"]):
        done = emit(source, rewrites, rate=rate, seed=1)
        assert done.status == "rewritten", done.problem
        assert deepest(done.text) <= MAX_BRACKETS
    assert deepest(emit(source, ["parentheses"], rate=1.0, seed=1).text) > 0.75 * MAX_BRACKETS or rate < 1


def test_what_is_too_deep_is_counted() -> None:
    text = "x = " + " + ".join(["a"] * 250) + "\ny = a\n"
    done = emit(Source.analyse(text), ["parentheses"], rate=1.0, seed=1)
    assert done.refusals["parentheses:brackets"] == 499 - (done.available["parentheses"] - 1)
    assert done.text.endswith("y = (a)\n")


def test_a_line_that_is_deep_itself_costs_no_other_line() -> None:
    deep = "x = " + "(" * 120 + "a" + ")" * 120 + " + b\n"
    done = emit(Source.analyse(deep + "y = a + b\n"), ["parentheses"], rate=1.0, seed=1)
    assert done.text == deep + "y = ((a) + (b))\n"
