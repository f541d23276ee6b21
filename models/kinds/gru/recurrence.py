"""One GRU layer over a window, with a hand-written backward pass.

`torch.nn.GRU` can't forget in the middle of a window, and on a CPU it multiplies for every step what can be
multiplied once per window (the weights' gradient). Equations and weights are those of `torch.nn.GRU`:

    r = σ(xr + Ur h + br)    z = σ(xz + Uz h + bz)    n = tanh(xn + r (Un h + bn))    h' = n + z (h − n)
"""

from typing import Any

import torch
from torch import Tensor

FORGET = -1e4  # σ(FORGET) is 0.0 exactly: r = z = 0, so h' depends on this input alone


class Recurrence(torch.autograd.Function):
    """gx: (T, B, 3H) inputs of the gates r, z, n; h0: (B, H); weight: (3H, H); bias: (3H) -> (T, B, H)."""

    @staticmethod
    def forward(ctx: Any, gx: Tensor, h0: Tensor, weight: Tensor, bias: Tensor, bf16: bool) -> Tensor:
        t_steps, rows, width = gx.shape
        size = width // 3
        hidden = gx.new_empty(t_steps + 1, rows, size)
        hidden[0] = h0
        rz = gx[:, :, : 2 * size].clone()
        n = gx[:, :, 2 * size :].clone()
        un = gx.new_empty(t_steps, rows, size)  # Un h + bn
        weight_t = weight.t().bfloat16().contiguous() if bf16 else weight.t()
        gh = gx.new_empty(rows, width)
        for t in range(t_steps):
            h = hidden[t]
            if bf16:
                torch.add(h.bfloat16() @ weight_t, bias, out=gh)
            else:
                torch.addmm(bias, h, weight_t, out=gh)
            gates = rz[t].add_(gh[:, : 2 * size]).sigmoid_()
            un[t] = gh[:, 2 * size :]
            candidate = n[t].addcmul_(gates[:, :size], un[t]).tanh_()
            torch.lerp(candidate, h, gates[:, size:], out=hidden[t + 1])
        ctx.save_for_backward(hidden, rz, n, un, weight)
        ctx.bf16 = bf16
        return hidden[1:]

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        (dout,) = outputs
        hidden, rz, n, un, weight = ctx.saved_tensors
        t_steps, rows, size = n.shape
        r, z = rz[:, :, :size], rz[:, :, size:]
        keep = 1 - z
        by_z = (hidden[:-1] - n).mul_(z).mul_(keep)  # dh -> d(input of z)
        by_n = keep.mul_(1 - n * n)  # dh -> d(input of n)
        by_r = (1 - r).mul_(r).mul_(un)  # d(input of n) -> d(input of r)
        dgh = dout.new_empty(t_steps, rows, 3 * size)
        dn = dout.new_empty(t_steps, rows, size)
        weight_ = weight.bfloat16() if ctx.bf16 else weight
        carry = dout.new_zeros(rows, size)
        dh = dout.new_empty(rows, size)
        for t in range(t_steps - 1, -1, -1):
            torch.add(dout[t], carry, out=dh)
            g = dgh[t]
            torch.mul(dh, by_n[t], out=dn[t])
            torch.mul(dn[t], by_r[t], out=g[:, :size])
            torch.mul(dh, by_z[t], out=g[:, size : 2 * size])
            torch.mul(dn[t], r[t], out=g[:, 2 * size :])
            if ctx.bf16:
                carry = torch.addcmul(g.bfloat16() @ weight_, dh, z[t])
            else:
                carry = torch.addmm(dh * z[t], g, weight)
        g_all = dgh.view(t_steps * rows, 3 * size)
        before = hidden[:-1].reshape(t_steps * rows, size)
        dweight = (g_all.bfloat16().t() @ before.bfloat16()).float() if ctx.bf16 else g_all.t() @ before
        dbias = g_all.sum(0)
        dgh[:, :, 2 * size :] = dn  # now the gradient of gx
        return dgh, carry, dweight, dbias, None


def recur(gx: Tensor, h0: Tensor, weight: Tensor, bias: Tensor, bf16: bool = False) -> Tensor:
    """Hidden states (T, B, H) of one layer; see Recurrence."""
    result: Tensor = Recurrence.apply(gx, h0, weight, bias, bf16)  # type: ignore[no-untyped-call]
    return result
