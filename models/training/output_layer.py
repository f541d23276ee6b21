"""The output layer and its loss in one piece: logits are made, used and dropped block by block."""

from typing import Any

import torch
from torch import Tensor

BLOCK_BYTES = 2 << 20  # of float32 logits: what stays in a core's cache


class LinearCrossEntropy(torch.autograd.Function):
    """Mean of −log softmax(h Wᵀ + b)[y] in nats, with its gradients, which are made in the forward pass.

    h: (N, H), W: (V, H), b: (V), y: (N) int64. With `bf16` the three matrix products run in bfloat16,
    everything else in float32.
    """

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, bias: Tensor, y: Tensor, bf16: bool) -> Tensor:
        kind = torch.bfloat16 if bf16 else torch.float32
        h_, weight_, bias_ = h.to(kind), weight.to(kind), bias.to(kind)
        n, v = h.shape[0], weight.shape[0]
        gradient = h_.new_empty(n, v)  # of the logits, times N
        nll = h.new_empty(n)
        step = max(1, BLOCK_BYTES // (4 * v))
        for i in range(0, n, step):
            logits = torch.addmm(bias_, h_[i : i + step], weight_.t()).float()  # (block, V)
            p = torch.softmax(logits, 1)
            at = y[i : i + step, None]
            true = p.gather(1, at)
            nll[i : i + step] = true.log_().squeeze(1).neg_()
            p.scatter_add_(1, at, torch.full_like(true, -1.0))
            gradient[i : i + step] = p
        ctx.save_for_backward(
            (gradient @ weight_).float().div_(n),
            (gradient.t() @ h_).float().div_(n),
            gradient.sum(0, dtype=torch.float32).div_(n),
        )
        return nll.mean()

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        dh, dweight, dbias = ctx.saved_tensors
        scale = outputs[0]
        return dh * scale, dweight * scale, dbias * scale, None, None


class Bf16Linear(torch.autograd.Function):
    """x Wᵀ + b with matrix products in bfloat16; x: (N, H) float32, W: (V, H), result (N, V) float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        x_, weight_ = x.bfloat16(), weight.bfloat16()
        ctx.save_for_backward(x_, weight_)
        return (x_ @ weight_.t()).float().add_(bias)

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, ...]:
        x_, weight_ = ctx.saved_tensors
        g = outputs[0]
        g_ = g.bfloat16()
        return (g_ @ weight_).float(), (g_.t() @ x_).float(), g.sum(0)


def linear(x: Tensor, weight: Tensor, bias: Tensor, bf16: bool) -> Tensor:
    """x Wᵀ + b over (N, H), in bfloat16 where asked for."""
    if not bf16:
        return torch.nn.functional.linear(x, weight, bias)
    result: Tensor = Bf16Linear.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return result


def cross_entropy(h: Tensor, weight: Tensor, bias: Tensor, y: Tensor, bf16: bool) -> Tensor:
    """Mean nats per row; see LinearCrossEntropy."""
    result: Tensor = LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        h, weight, bias, y, bf16
    )
    return result


def has_fast_bf16() -> bool:
    """Whether this processor multiplies bfloat16 matrices natively."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
