"""The GRU network.

B rows · T subwords of a window · H = d_model · L layers · V subwords in the vocabulary · N states
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.checkpoints import load_network
from models.interface import Network
from models.kinds.gru import Config
from models.kinds.gru.recurrence import FORGET, recur
from models.training.output_layer import cross_entropy, linear
from models.vocabulary import FILE


class Hidden:
    """N states: the hidden vectors of all layers, (N, L, H)."""

    def __init__(self, vectors: Tensor) -> None:
        self.vectors = vectors

    def __len__(self) -> int:
        return self.vectors.shape[0]

    def __getitem__(self, index: Tensor) -> "Hidden":
        return Hidden(self.vectors[index])


class Layer(nn.Module):
    """One recurrent layer; its weights are laid out and drawn as those of torch.nn.GRU."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight_x = nn.Parameter(torch.empty(3 * size, size))
        self.weight_h = nn.Parameter(torch.empty(3 * size, size))
        self.bias_x = nn.Parameter(torch.empty(3 * size))
        self.bias_h = nn.Parameter(torch.empty(3 * size))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(size**-0.5), size**-0.5)

    def forward(self, x: Tensor, h: Tensor, files: Tensor, bf16: bool) -> Tensor:
        """Hidden states (T, B, H) from x (T, B, H), h (B, H); files: which of T · B inputs begin one."""
        size = x.shape[2]
        gates = linear(x.reshape(-1, size), self.weight_x, self.bias_x, bf16)
        gates[files, : 2 * size] += FORGET
        return recur(gates.view(*x.shape[:2], 3 * size), h, self.weight_h, self.bias_h, bf16)


class Gru(Network):
    """Embedding, L gated recurrent layers, softmax over subwords. `<file>` makes every layer forget."""

    forgets = True

    def __init__(self, config: Config, vocab_size: int) -> None:
        super().__init__()
        self.config, self.vocab_size = config, vocab_size
        size = config.d_model
        self.embedding = nn.Embedding(vocab_size, size)
        self.layers = nn.ModuleList(Layer(size) for _ in range(config.layers))
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(size, vocab_size)
        nn.init.normal_(self.embedding.weight, std=size**-0.5)
        nn.init.zeros_(self.output.bias)
        if config.tied:
            self.output.weight = self.embedding.weight

    def _layers(self, ids: Tensor, h0: Tensor) -> list[Tensor]:
        """Outputs (T, B, H) of each layer for ids (T, B) and first states h0 (L, B, H)."""
        size = self.config.d_model
        files = (ids.flatten() == FILE).nonzero()[:, 0]
        x = functional.embedding(ids, self.embedding.weight) * size**0.5
        outputs = []
        for layer, h in zip(self.layers, h0, strict=True):
            x = layer(self.dropout(x), h, files, self.bf16 and self.training)
            outputs.append(x)
        return outputs

    def loss(self, inputs: Tensor, targets: Tensor, carried: Any) -> tuple[Tensor, Tensor]:
        rows, t_steps = inputs.shape
        if carried is None:
            carried = torch.zeros(self.config.layers, rows, self.config.d_model, device=inputs.device)
        outputs = self._layers(inputs.t().contiguous(), carried)
        top = self.dropout(outputs[-1]).reshape(t_steps * rows, -1)
        y = targets.t().reshape(-1)
        loss = cross_entropy(top, self.output.weight, self.output.bias, y, self.bf16)
        return loss, torch.stack([x[-1].detach() for x in outputs])

    def start(self, rows: int) -> Hidden:
        weight = self.output.weight
        return Hidden(weight.new_zeros(rows, self.config.layers, self.config.d_model))

    def read(self, states: Hidden, ids: Tensor) -> Hidden:
        ids = ids.to(states.vectors.device)
        outputs = self._layers(ids.t().contiguous(), states.vectors.transpose(0, 1).contiguous())
        stacked = torch.stack([x.transpose(0, 1) for x in outputs], dim=2)  # (B, T, L, H)
        return Hidden(stacked.reshape(-1, self.config.layers, self.config.d_model))

    def logits(self, states: Hidden) -> Tensor:
        return self.output(states.vectors[:, -1])  # type: ignore[no-any-return]

    def join(self, states: Sequence[Hidden]) -> Hidden:
        return Hidden(torch.cat([s.vectors for s in states]))


def fit(config: Config, job: Any) -> dict[str, Any]:
    """Trains a GRU; `job` is a models.training.training_job.Job."""
    from models.training.loop import fit_network

    return fit_network(Gru(config, job.vocab_size), job)


def load(config: Config, vocab_size: int, file: Path) -> Gru:
    """The network with the weights of a safetensors file."""
    return load_network(Gru(config, vocab_size), file)
