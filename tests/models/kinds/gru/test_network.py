"""The GRU's layer against torch.nn.GRU, and its forgetting."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from models.kinds.gru import Config
from models.kinds.gru.network import Gru
from models.kinds.gru.recurrence import recur
from models.vocabulary import FILE


def test_recurrence_equals_torch_with_gradients() -> None:
    torch.manual_seed(0)
    t_steps, rows, size = 7, 3, 5
    layer = nn.GRU(size, size)
    x = torch.randn(t_steps, rows, size, requires_grad=True)
    h0 = torch.randn(rows, size, requires_grad=True)
    weigh = torch.randn(t_steps, rows, size)
    leaves = [x, h0, *layer.parameters()]
    expected, _ = layer(x, h0[None])
    wanted = torch.autograd.grad((expected * weigh).sum(), leaves)
    weights = dict(layer.named_parameters())
    gates = functional.linear(x, weights["weight_ih_l0"], weights["bias_ih_l0"])
    own = recur(gates, h0, weights["weight_hh_l0"], weights["bias_hh_l0"])
    got = torch.autograd.grad((own * weigh).sum(), leaves)
    torch.testing.assert_close(own, expected)
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b)


def test_bf16_is_close() -> None:
    torch.manual_seed(0)
    gates, h0 = torch.randn(4, 3, 24), torch.randn(3, 8)
    weight, bias = torch.randn(24, 8) / 3, torch.randn(24)
    exact, rough = (recur(gates, h0, weight, bias, bf16) for bf16 in (False, True))
    torch.testing.assert_close(rough, exact, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("layers", [1, 3])
def test_nothing_leaks_from_one_file_into_the_next(layers: int) -> None:
    torch.manual_seed(0)
    model = Gru(Config(d_model=8, layers=layers, dropout=0.0), 20).train()
    tail = [FILE, 7, 8, 9]
    one, two = torch.tensor([[FILE, 5, 5, *tail]]), torch.tensor([[6, 15, 19, *tail]])
    fresh = model.read(model.start(1), torch.tensor([tail]))
    for ids, carried in ((one, None), (two, torch.randn(layers, 1, 8))):
        states = model.start(1)
        if carried is not None:
            states.vectors = carried.transpose(0, 1)
        got = model.read(states, ids)
        assert torch.equal(got.vectors[3:], fresh.vectors)
        inside = torch.randn(layers, 1, 8).requires_grad_()
        loss, _ = model.loss(ids, torch.full_like(ids, 3), inside)
        reached = torch.autograd.grad(loss, inside)[0]
        assert bool(reached.abs().sum() > 0) == (ids[0, 0] != FILE)


def test_loss_carries_the_state_on() -> None:
    torch.manual_seed(0)
    model = Gru(Config(d_model=8, dropout=0.0), 20)
    ids = torch.tensor([[FILE, 4, 5, 6, 7, 8]])
    x, y = ids[:, :-1], ids[:, 1:]
    whole, _ = model.loss(x, y, None)
    first, carried = model.loss(x[:, :2], y[:, :2], None)
    second, _ = model.loss(x[:, 2:], y[:, 2:], carried)
    torch.testing.assert_close((2 * first + 3 * second) / 5, whole)


def test_loss_is_the_cross_entropy_of_the_logits() -> None:
    torch.manual_seed(0)
    model = Gru(Config(d_model=8, layers=2, dropout=0.0), 20)
    ids = torch.randint(4, 20, (2, 6))
    loss, _ = model.loss(ids[:, :-1], ids[:, 1:], None)
    logits = model.logits(model.read(model.start(2), ids[:, :-1]))
    expected = functional.cross_entropy(logits, ids[:, 1:].reshape(-1))
    own = torch.autograd.grad(loss, list(model.parameters()))
    wanted = torch.autograd.grad(expected, list(model.parameters()))
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-6)
    for a, b in zip(own, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)


def test_a_preset_is_its_sizes() -> None:
    sizes = {"kind": "gru", "d_model": 512, "layers": 1, "dropout": 0.5, "tied": False}
    assert Config.model_validate({"kind": "gru", "preset": "published"}).model_dump() == sizes
    assert Config.model_validate({"preset": "published", "d_model": 64}).d_model == 64
