"""The sanity command on every model that trains by itself, and what it says of one that can't learn."""

from typing import Any

import pytest

from models import lookup
from models.check import check_model

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


def test_a_unigram_can_not_learn_lines() -> None:
    check = check_model(lookup("ngram").Config(order=1))
    assert not check.ok
    assert "too little context" in check.message
