"""Sampling against distributions by hand; repetition and memorisation by hand."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from models.kinds.gpt.network import Gpt
from models.kinds.gru.network import Gru
from models.lookup import lookup
from models.scoring.sampling import Memory, Sampling, beam, repetition, sample
from preprocessing.errors import BadInput

LOGITS = np.log(np.array([0.5, 0.2, 0.15, 0.1, 0.05]))  # the first is <file>, which is never drawn


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ({}, [0, 0.4, 0.3, 0.2, 0.1]),
        ({"temperature": 0}, [0, 1, 0, 0, 0]),
        ({"top_k": 2}, [0, 4 / 7, 3 / 7, 0, 0]),
        ({"top_p": 0.5}, [0, 4 / 7, 3 / 7, 0, 0]),
        ({"top_p": 0.4}, [0, 1, 0, 0, 0]),
        ({"temperature": 0.5}, [0, 16 / 30, 9 / 30, 4 / 30, 1 / 30]),
    ],
)
def test_distributions(sampling: dict[str, Any], expected: list[float]) -> None:
    np.testing.assert_allclose(Sampling(**sampling).probabilities(LOGITS), expected, atol=1e-12)


@pytest.mark.parametrize("bad", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}])
def test_what_can_not_be_drawn(bad: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=next(iter(bad))):
        Sampling(**bad)


def test_same_seed_same_completion() -> None:
    torch.manual_seed(0)
    model = Gru(lookup("gru").Config(d_model=8), 20).eval()
    one, two, other = (
        sample(model, [5, 6], 30, Sampling(), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert one == two != other
    assert 0 not in one


def test_a_limited_context_leaves_room_for_the_completion() -> None:
    model = Gpt(lookup("gpt").Config(d_model=8, layers=1, heads=2, context=12), 20).eval()
    assert len(sample(model, list(range(4, 19)), 10, Sampling(), np.random.default_rng(1))) == 10
    with pytest.raises(BadInput, match="length 11 does not fit into the model's context of 12"):
        sample(model, [5], 11, Sampling(), np.random.default_rng(1))


def test_repetition_by_hand() -> None:
    assert repetition([1, 2, 1, 2, 1], n=2) == 0.5  # 12 21 12 21: two of four are new
    assert repetition([1, 2, 3], n=2) == 0.0
    assert repetition([1], n=2) is None


def test_memorisation_by_hand() -> None:
    memory = Memory([[1, 2, 3], [9, 4]], n=2)
    assert memory.share([1, 2, 3, 9]) == pytest.approx(2 / 3)  # 12 and 23; no n-gram spans two samples
    assert memory.share([7]) is None


@pytest.mark.parametrize("kind", ["gru", "gpt"])
def test_a_beam_as_wide_as_all_sequences_finds_the_best(kind: str) -> None:
    torch.manual_seed(3)
    v, length = 6, 3
    models: dict[str, Callable[[], Any]] = {
        "gru": lambda: Gru(lookup("gru").Config(d_model=8), v),
        "gpt": lambda: Gpt(lookup("gpt").Config(d_model=8, layers=1, heads=2, context=12), v),
    }
    model = models[kind]().eval().requires_grad_(False)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)

    def nats(ids: tuple[int, ...]) -> float:
        line = torch.tensor([[0, 4, 5, *ids]])
        log_p = torch.log_softmax(model.logits(model.read(model.start(1), line)), 1)
        return float(log_p[[2, 3, 4], list(ids)].sum())

    everything = sorted(itertools.product(range(1, v), repeat=length), key=nats, reverse=True)
    found = beam(model, [4, 5], length, width=v**2)
    assert [tuple(ids) for ids, _ in found[:5]] == everything[:5]
    assert found[0][1] == pytest.approx(nats(everything[0]), abs=1e-5)
    [(greedy, _)] = beam(model, [4, 5], length, width=1)
    assert greedy == sample(model, [4, 5], length, Sampling(temperature=0), np.random.default_rng(0))


def test_a_beam_needs_a_width() -> None:
    with pytest.raises(BadInput, match="width must be 1 or more"):
        beam(Gru(lookup("gru").Config(d_model=8), 6), [], 3, 0)
