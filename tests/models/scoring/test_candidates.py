"""The best tokens of a context against the ranks of the scorer."""

from typing import Any

import numpy as np
import pytest
import torch

from models.kinds.gru.network import Gru
from models.lookup import lookup
from models.scoring.candidates import candidates, log_probability, offset_of
from models.scoring.scorer import Scorer
from models.vocabulary import Vocabulary
from preprocessing.errors import BadInput


def test_candidates_are_the_best_and_agree_with_ranks(vocabulary: Vocabulary, texts: list[Any]) -> None:
    torch.manual_seed(5)
    model = Gru(lookup("gru").Config(d_model=16), vocabulary.size).eval().requires_grad_(False)
    text = texts[3]
    [(_, _, ranks, _)] = Scorer(model=model, vocabulary=vocabulary).score([text])
    inside = 0
    for k in range(30):
        a, b = text.token_starts[k], text.token_starts[k + 1]
        context, token = text.subwords[:a].tolist(), text.subwords[a:b].tolist()
        found, exact = candidates(model, vocabulary, context)
        assert exact
        assert len(found) == 10
        assert np.all(np.diff([logp for _, logp in found]) <= 0)
        place = (
            [list(ids) for ids, _ in found].index(token) + 1
            if token in map(list, (f[0] for f in found))
            else 0
        )
        assert place == ranks[k]
        inside += place > 0
        for ids, logp in found[:3]:
            assert log_probability(model, context, list(ids)) == pytest.approx(logp, abs=1e-5)
    assert inside > 10


@pytest.mark.parametrize(
    ("line", "column", "expected"), [(1, 0, 0), (2, 3, 9), (3, 1, 14), (3, 0, 13), (4, 2, 18)]
)
def test_places_are_counted_as_python_counts_lines(line: int, column: int, expected: int) -> None:
    assert offset_of("x = 1\ny = \x0c\r\nz\r\nab", line, column) == expected


@pytest.mark.parametrize(("line", "column"), [(3, 0), (0, 0), (1, 6), (2, -1)])
def test_places_that_a_text_does_not_have(line: int, column: int) -> None:
    with pytest.raises(BadInput, match=f"no place {line}:{column}"):
        offset_of("x = 1\ny = 2\n", line, column)
