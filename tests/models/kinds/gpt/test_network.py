"""The decoder against a plain computation in float64, and its states against reading everything again."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from models.kinds.gpt import Config
from models.kinds.gpt.network import Gpt
from models.vocabulary import FILE

V = 20


def gpt(**sizes: Any) -> Gpt:
    torch.manual_seed(0)
    model = Gpt(Config(**{"d_model": 16, "layers": 2, "heads": 2, "context": 64, **sizes}), V)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model.eval()


def reference(model: Gpt, ids: list[int]) -> np.ndarray[Any, Any]:
    """Logits after each subword, one position, one head at a time, in float64."""
    w = {name: p.detach().double().numpy() for name, p in model.named_parameters()}
    heads, size = model.config.heads, model.config.d_model
    head = size // heads

    def norm(x: Any, weight: Any) -> Any:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * weight

    def turned(x: Any, position: int) -> Any:
        wave = np.array([10_000.0 ** (-i / (head // 2)) for i in range(head // 2)])
        z = (x[: head // 2] + 1j * x[head // 2 :]) * np.exp(1j * position * wave)
        return np.concatenate([z.real, z.imag])

    x = w["embedding.weight"][ids]
    for layer in range(model.config.layers):
        p = f"blocks.{layer}."
        qkv = norm(x, w[p + "norm_attention.weight"]) @ w[p + "qkv.weight"].T
        q, k, v = (qkv[:, i * size : (i + 1) * size] for i in range(3))
        mixed = np.zeros_like(x)
        for h in range(heads):
            part = slice(h * head, (h + 1) * head)
            for t in range(len(ids)):
                scores = [
                    turned(q[t, part], t) @ turned(k[u, part], u) / math.sqrt(head) for u in range(t + 1)
                ]
                weights = np.exp(scores) / np.exp(scores).sum()
                mixed[t, part] = weights @ v[: t + 1, part]
        x = x + mixed @ w[p + "mixed.weight"].T
        up = norm(x, w[p + "norm_mlp.weight"]) @ w[p + "up.weight"].T
        erf = np.vectorize(math.erf)
        x = x + (up * 0.5 * (1 + erf(up / math.sqrt(2)))) @ w[p + "down.weight"].T
    logits: np.ndarray[Any, Any] = norm(x, w["norm.weight"]) @ w["embedding.weight"].T
    return logits


@torch.inference_mode()
def logits(model: Gpt, ids: list[int]) -> Tensor:
    return model.logits(model.read(model.start(1), torch.tensor([ids])))


def test_equals_a_float64_reference() -> None:
    model = gpt()
    ids = [FILE, 5, 6, 7, 8, 9, 5, 6]
    np.testing.assert_allclose(logits(model, ids).numpy(), reference(model, ids), atol=1e-4)


def test_loss_equals_reading_each_file_alone() -> None:
    model = gpt()
    files = [[FILE, 5, 6, 7], [FILE, 9, 9], [FILE, 4, 5, 4, 5]]
    inputs = torch.tensor([[i for file in files for i in file]])
    targets = torch.tensor([[i for file in files for i in [*file[1:], 3]]])
    loss, _ = model.loss(inputs, targets, None)
    alone = torch.cat([torch.log_softmax(logits(model, file), 1) for file in files])
    expected = -alone.gather(1, targets.t()).mean()
    assert float(loss.detach()) == pytest.approx(float(expected), abs=1e-5)


@torch.inference_mode()
def test_states_can_be_read_on_extended_and_joined() -> None:
    model = gpt()
    one, two = [FILE, 5, 6, 7, 8], [FILE, 9, 10]
    first = model.read(model.start(2), torch.tensor([[*one], [*two, 0, 0]]))
    states = first[torch.tensor([4, 7])]  # after all of one, after all of two
    read = model.read(states, torch.tensor([[11, 12], [13, 14]]))
    torch.testing.assert_close(model.logits(read)[1], logits(model, [*one, 11, 12])[-1])
    torch.testing.assert_close(model.logits(read)[3], logits(model, [*two, 13, 14])[-1])
    once = model.extend(states[torch.tensor([1, 0, 0])], torch.tensor([15, 16, 17]))
    twice = model.extend(once[torch.tensor([2, 0])], torch.tensor([18, 19]))
    mixed = model.extend(model.join([once[torch.tensor([1])], twice]), torch.tensor([4, 5, 6]))
    for got, ids in zip(
        model.logits(mixed), ([*one, 16, 4], [*one, 17, 18, 5], [*two, 15, 19, 6]), strict=True
    ):
        torch.testing.assert_close(got, logits(model, ids)[-1], atol=1e-5, rtol=1e-5)
    fresh = model.join([states, model.start(1)])
    again = model.read(fresh, torch.tensor([[4], [5], [FILE]]))
    torch.testing.assert_close(model.logits(again)[0], logits(model, [*one, 4])[-1])
    torch.testing.assert_close(model.logits(again)[2], logits(model, [FILE])[-1])


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"d_model": 10, "heads": 3}, "heads .3. must divide d_model .10.: valid are 1, 2, 5, 10"),
        ({"d_model": 6, "heads": 2}, "must be even"),
        ({"context": 8, "min_context": 8}, "must be less than context"),
        ({"preset": "huge"}, "tiny"),
    ],
)
def test_sizes_that_can_not_work(sizes: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Config(**sizes)


def test_presets_give_what_is_not_written() -> None:
    config = Config(preset="124m", layers=2)
    assert (config.d_model, config.layers, config.context) == (768, 2, 1024)


def test_compiled_layers_give_the_same_loss_and_gradients() -> None:
    ids = torch.randint(1, V, (2, 9))
    ids[0, 4] = FILE

    def gradients(model: Gpt) -> list[Tensor]:
        loss = model.loss(ids[:, :-1], ids[:, 1:], None)[0]
        loss.backward()  # type: ignore[no-untyped-call]
        return [loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]

    plain, compiled = gpt(), gpt()
    assert compiled.compile_loss(backend="aot_eager")
    for one, other in zip(gradients(plain), gradients(compiled), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
