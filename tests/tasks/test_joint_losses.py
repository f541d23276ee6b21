"""A loss that may not be cut, in pieces: the toy task with two sides. And its ranks, by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from models.config import TrainingConfig
from models.training import loop
from models.training.training_job import TrainingJob
from models.vocabulary import Vocabulary
from tests.tasks.toys.which_docstring.contrast import Contrast, ranks, vectors
from tests.tasks.toys.which_docstring.kinds.bags import Config
from tests.tasks.toys.which_docstring.kinds.bags.network import Bags
from tests.toy_texts import ToyTokenizer

Make = Callable[..., loop._Training]


@pytest.fixture
def make(tmp_path: Path, vocabulary: Vocabulary) -> Make:
    """A training of ten pairs of random texts, eight in a batch, which is about to begin."""
    rng = np.random.default_rng(1)

    def texts(n: int) -> pa.Table:
        columns = [[rng.integers(4, vocabulary.size, 6).tolist() for _ in range(n)] for _ in range(2)]
        return pa.table(columns, ["query", "code"])

    pairs = Contrast(texts(10), texts(4))

    def make(pieces: int, dropout: float = 0.0) -> loop._Training:
        settings: dict[str, Any] = {"batch_tokens": 64, "window": 8, "micro_batches": pieces}
        job = TrainingJob(
            training=TrainingConfig(**settings, precision="float32"),
            objective=pairs,
            vocabulary=vocabulary,
            seed=1,
            key="",
            out=tmp_path,
            scratch=None,
            report=lambda row: None,
        )
        torch.manual_seed(1)
        return loop._Training(Bags(Config(d_model=8, dropout=dropout), vocabulary.size), job)

    return make


def gradient(training: loop._Training) -> tuple[float, torch.Tensor]:
    batch = training.batches.batch()
    loss = training.gradients.of([torch.from_numpy(array) for array in batch])
    grads = [p.grad for p in training.network.parameters()]
    return loss, torch.cat([grad.flatten() for grad in grads if grad is not None])


def test_pieces_have_the_gradient_of_the_whole(make: Make) -> None:
    loss, whole = gradient(make(1))
    assert whole.abs().max() > 0.01
    for pieces in (2, 4):
        same, own = gradient(make(pieces))
        assert same == pytest.approx(loss, abs=1e-6)
        assert torch.allclose(own, whole, rtol=0, atol=1e-6)


def test_a_loss_that_is_cut_is_another_one(make: Make) -> None:
    """What would be learnt if each piece were contrasted with itself alone."""
    _, whole = gradient(make(1))
    training = make(1)
    rows = [torch.from_numpy(array) for array in training.batches.batch()]
    pairs: Any = training.objective
    for piece in zip(*(array.tensor_split(2) for array in rows), strict=True):
        (pairs.joint_loss(pairs.embed(training.network, piece)) / 2).backward()
    grads = [p.grad for p in training.network.parameters()]
    cut = torch.cat([grad.flatten() for grad in grads if grad is not None])
    assert (cut - whole).norm() > 0.1 * whole.norm()


def test_pieces_under_dropout_draw_the_same_again(make: Make) -> None:
    """The second pass of a piece sees what the first saw, so the gradient is that of the loss."""
    training = make(4, dropout=0.5)
    training.network.train()
    batch = [torch.from_numpy(array) for array in training.batches.batch()]
    drawn = torch.get_rng_state()
    loss = training.gradients.of(batch)
    grads = torch.cat([p.grad.flatten() for p in training.network.parameters() if p.grad is not None])
    pairs: Any = training.objective
    training.optimiser.zero_grad()
    torch.set_rng_state(drawn)
    pieces = zip(*(array.tensor_split(4) for array in batch), strict=True)
    whole = pairs.joint_loss(torch.cat([pairs.embed(training.network, piece) for piece in pieces]))
    whole.backward()
    expected = torch.cat([p.grad.flatten() for p in training.network.parameters() if p.grad is not None])
    assert loss == pytest.approx(float(whole.detach()), abs=1e-6)
    assert torch.allclose(grads, expected, rtol=0, atol=1e-6)


def test_ranks_by_hand() -> None:
    codes = np.array([[1.0, 0.0], [0.6, 0.8], [0.6, 0.8], [0.0, 1.0]])
    queries = np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]])
    found = ranks(queries, codes, [0, 1, 3], codes[[0, 1, 3]], 1e-6)
    assert found.tolist() == [1.0, 2.5, 4.0]  # two are equal to the second's own
    moved = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    assert ranks(queries, codes, [0, 1, 3], moved, 1e-6).tolist() == [3.5, 1.5, 3.5]


def test_a_model_that_sees_no_difference_is_in_the_middle(tokenizer: ToyTokenizer) -> None:
    def blind(ids: torch.Tensor, tower: int) -> torch.Tensor:
        return torch.ones(len(ids), 1)

    same = vectors(blind, pa.chunked_array([[[4], [5, 6], [7]]]), 0)
    assert ranks(same, same, [0, 1, 2], same, 1e-6).tolist() == [2.0, 2.0, 2.0]


def test_only_the_own_function_counts_as_rewritten() -> None:
    """An unchanged one keeps its rank whatever became of the others: in a rewritten pool it would not."""
    rng = np.random.default_rng(2)
    codes, queries, rewritten = (rng.normal(size=(20, 3)) for _ in range(3))
    rewritten[:5] = codes[:5]
    places = list(range(20))
    before, after = (ranks(queries, codes, places, own, 1e-6) for own in (codes, rewritten))
    assert (before == after)[:5].all()
    assert (before != after)[5:].any()
    assert (ranks(queries, rewritten, places, rewritten, 1e-6) != before)[:5].any()
