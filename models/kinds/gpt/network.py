"""The decoder network.

B rows · T subwords · H heads · D size of a head · C = H · D = d_model
V vocabulary · N states · K own subwords
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.checkpoints import load_network
from models.config import TrainingConfig
from models.interface import Network
from models.kinds.gpt import Config
from models.kinds.gpt.cache import Cache, Read
from models.training.output_layer import cross_entropy
from models.vocabulary import FILE

THETA = 10_000.0  # base of the rotary wave lengths


def rotate(x: Tensor, positions: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021): x (…, H, T, D), positions broadcastable to (…, 1, T)."""
    half = x.shape[-1] // 2
    frequency = THETA ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = positions[..., None].float() * frequency  # (…, 1, T, D / 2)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    one, two = x[..., :half], x[..., half:]
    return torch.cat([one * cos - two * sin, one * sin + two * cos], -1)


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        size = config.d_model
        self.heads, self.dropout = config.heads, config.dropout
        self.norm_attention, self.norm_mlp = nn.RMSNorm(size, eps=1e-6), nn.RMSNorm(size, eps=1e-6)
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.mixed = nn.Linear(size, size, bias=False)
        self.up = nn.Linear(size, 4 * size, bias=False)
        self.down = nn.Linear(4 * size, size, bias=False)

    def queries(self, x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries and keys, and values, (B, H, T, D) each; positions (B, T) or (T)."""
        rows, t_steps, size = x.shape
        parts = self.qkv(self.norm_attention(x)).view(rows, t_steps, 3, self.heads, size // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        at = positions[..., None, :]
        return rotate(q, at), rotate(k, at), v

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """Attention of (B, H, T, D) queries; causal where there is no mask."""
        dropout = self.dropout if self.training else 0.0
        return functional.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=mask is None, dropout_p=dropout
        )

    def mix(self, x: Tensor, attended: Tensor) -> Tensor:
        """What comes after the attention; attended (B, H, T, D)."""
        rows, t_steps, size = x.shape
        flat = attended.transpose(1, 2).reshape(rows, t_steps, size)
        x = x + self._drop(self.mixed(flat))
        result: Tensor = x + self._drop(self.down(functional.gelu(self.up(self.norm_mlp(x)))))
        return result

    def _drop(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.dropout, self.training)


class Gpt(Network):
    """Embedding, blocks, norm, and the embedding again as output layer."""

    def __init__(self, config: Config, vocab_size: int) -> None:
        super().__init__()
        self.config, self.vocab_size = config, vocab_size
        self.context, self.kept = config.context, config.kept
        self.embedding = nn.Embedding(vocab_size, config.d_model)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.d_model, eps=1e-6)
        self.dropout = nn.Dropout(config.dropout)
        self.through: Callable[[Tensor, Tensor, Tensor], Tensor] = self._through
        self.register_buffer("no_bias", torch.zeros(vocab_size), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                last = name.endswith(("mixed.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * config.layers) ** 0.5 if last else 0.02)

    def shape(self, training: TrainingConfig) -> tuple[int, int]:
        context = self.config.context
        return max(1, training.batch_tokens // context), context

    def loss(self, inputs: Tensor, targets: Tensor, carried: Any) -> tuple[Tensor, None]:
        file = (inputs == FILE).cumsum(1)  # (B, T): which file of its row
        mask = (file[:, :, None] == file[:, None, :]).tril()[:, None]  # (B, 1, T, T)
        positions = torch.arange(inputs.shape[1], device=inputs.device)
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=self.bf16):
            top = self.through(inputs, mask, positions).float().flatten(0, 1)
        weight = self.embedding.weight
        assert isinstance(self.no_bias, Tensor)
        return cross_entropy(top, weight, self.no_bias, targets.flatten(), self.bf16), None

    def _through(self, inputs: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        """From ids (B, T) to what the output layer reads, (B, T, C)."""
        x = self.dropout(self.embedding(inputs))
        for block in self.blocks:
            assert isinstance(block, Block)
            x = block.mix(x, block.attend(*block.queries(x, positions), mask))
        return self.norm(x)  # type: ignore[no-any-return]

    def compile_loss(self, **options: Any) -> bool:
        """Compiles the layers; the output layer works block by block already."""
        self.through = torch.compile(self._through, **options)
        return True

    def start(self, rows: int) -> Read:
        head = self.config.d_model // self.config.heads
        weight = self.embedding.weight
        empty = weight.new_zeros(self.config.layers, 2, rows, self.config.heads, 0, head)
        zeros = torch.zeros(rows, dtype=torch.int64, device=weight.device)
        return Read.fresh(Cache(empty), torch.arange(rows, device=weight.device), zeros, weight.shape[1])

    def read(self, states: Read, ids: Tensor) -> Read:
        rows, t_steps = ids.shape
        ids = ids.to(states.rows.device)
        positions = states.lengths[:, None] + torch.arange(t_steps, device=ids.device)  # (B, T)
        fresh = states.cache.width == 0  # then causal attention needs no mask
        if fresh:
            cache = states.cache.blank(rows, t_steps)
        else:
            cache = states.cache.grown(states.rows, int(states.lengths.max()) + t_steps)
        columns = torch.arange(cache.width, device=ids.device)
        mask = None if fresh else (columns <= positions[:, :, None])[:, None]  # (B, 1, T, columns)
        x = self.embedding(ids)
        for layer, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            q, k, v = block.queries(x, positions)
            stored = cache.fill(layer, k, v) if fresh else cache.write(layer, positions, k, v)
            x = block.mix(x, block.attend(q, *stored, mask))
        row = torch.arange(rows, device=ids.device).repeat_interleave(t_steps)
        return Read.at(cache, row, positions.flatten() + 1, self.norm(x).flatten(0, 1))

    def extend(self, states: Read, pieces: Tensor) -> Read:
        """One subword more for each of N states: they share the context's keys, and own the few new ones."""
        pieces = pieces.to(states.rows.device)
        position = states.lengths + states.depths  # (N)
        x = self.embedding(pieces)[:, None]
        own = states.room_for_one()  # (N, L, 2, H, K + 1, D)
        groups = states.groups()
        for layer, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            q, k, v = block.queries(x, position[:, None])  # (N, H, 1, D)
            own.put(layer, k[:, :, 0], v[:, :, 0])
            x = block.mix(x, groups.attend(q[:, :, 0], layer, own)[:, :, None])
        return own.states(self.norm(x)[:, 0])

    def logits(self, states: Read) -> Tensor:
        return functional.linear(states.hidden, self.embedding.weight)

    def join(self, states: Sequence[Read]) -> Read:
        return Read.join(states)


def fit(config: Config, job: Any) -> dict[str, Any]:
    """Trains a decoder; `job` is a models.training.training_job.Job. Its rows are `context` subwords long,
    whatever `window` says.
    """
    from models.training.loop import fit_network

    return fit_network(Gpt(config, job.vocab_size), job)


def load(config: Config, vocab_size: int, file: Path) -> Gpt:
    """The network with the weights of a safetensors file."""
    return load_network(Gpt(config, vocab_size), file)
