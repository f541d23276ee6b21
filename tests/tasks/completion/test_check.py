"""The sanity command on every model that trains by itself, and what it says of one that can't learn."""

from typing import Any

import pytest

from models.lookup import lookup
from tasks.completion.check import check_model

LEARNERS: list[tuple[str, dict[str, Any]]] = [
    ("gru", {"d_model": 64}),
    ("gpt", {"preset": "tiny", "d_model": 64, "context": 64}),
    ("ngram", {"order": 8}),
]


@pytest.mark.parametrize(("kind", "sizes"), LEARNERS)
def test_models_learn_a_few_lines(kind: str, sizes: dict[str, Any]) -> None:
    check = check_model(lookup(kind).Config(**sizes))
    assert check.ok, check.message
    assert check.accuracy > 0.99


def test_what_keeps_a_model_from_memorising_is_set_aside_and_said() -> None:
    check = check_model(lookup("ngram").Config(order=2, cache="file"))
    assert check.ok
    assert check.changed == {"order": 12, "cache": "none"}
    assert check.as_configured is not None
    assert check.as_configured < 0.7
    assert "checked with order 12, cache none; as configured" in check.message


def test_a_model_that_does_not_learn_is_told_so() -> None:
    check = check_model(lookup("gru").Config(d_model=1))
    assert not check.ok
    assert "it does not learn: it sees too little context" in check.message


def test_a_context_longer_than_the_lines_is_cut() -> None:
    check = check_model(lookup("gpt").Config(preset="tiny", d_model=64, context=512))
    assert check.ok, check.message
    assert check.changed == {"context": 256}
