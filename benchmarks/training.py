"""Training speed against plain PyTorch, in CPU seconds: `python -m benchmarks.training [--json FILE]`."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.scoring import machine
from models.interface import Network
from models.kinds.gpt import Config as GptConfig
from models.kinds.gpt.network import Gpt
from models.kinds.gru import Config as GruConfig
from models.kinds.gru.network import Gru
from models.training.output_layer import has_fast_bf16
from models.training.packing import Packer

PUBLISHED = 1122  # subwords per CPU second of the published program: 512 units, V 9,764, 32 x 200


class PlainGru(nn.Module):
    """What one writes first: embedding, torch.nn.GRU, linear layer."""

    def __init__(self, vocab_size: int, size: int) -> None:
        super().__init__()
        self.embedding, self.gru = nn.Embedding(vocab_size, size), nn.GRU(size, size, batch_first=True)
        self.output = nn.Linear(size, vocab_size)

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        logits = self.output(self.gru(self.embedding(inputs))[0])
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


class PlainGpt(nn.Module):
    """The same decoder in nanoGPT's way: causal attention over the whole row, logits as one tensor."""

    def __init__(self, model: Gpt) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        model = self.model
        x, positions = model.embedding(inputs), torch.arange(inputs.shape[1])
        for block in model.blocks:
            x = block.mix(x, block.attend(*block.queries(x, positions), None))  # type: ignore[operator]
        logits = functional.linear(model.norm(x), model.embedding.weight)
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def step(network: nn.Module, loss: Callable[[], Tensor]) -> Callable[[], None]:
    optimiser = torch.optim.AdamW(network.parameters(), fused=True)

    def run() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    return run


def cpu_s(run: Callable[[], Any], steps: int) -> float:
    """Median CPU seconds of a call."""
    times = []
    for i in range(steps + 2):
        started = time.process_time()
        run()
        if i >= 2:
            times.append(time.process_time() - started)
    return float(np.median(times))


def ours(network: Network, packer: Packer, bf16: bool) -> Callable[[], None]:
    network.bf16 = bf16
    carried: list[Any] = [None]

    def loss() -> Tensor:
        inputs, targets = packer.batch()
        value, carried[0] = network.loss(torch.from_numpy(inputs), torch.from_numpy(targets), carried[0])
        return value

    return step(network.train(), loss)


def measure(name: str, network: Network, plain: nn.Module, packer: Packer, steps: int) -> dict[str, Any]:
    inputs, targets = (torch.from_numpy(array) for array in packer.batch())
    subwords = inputs.numel()
    seconds = {
        "plain_float32": cpu_s(step(plain, lambda: plain(inputs, targets)), steps),
        "ours_float32": cpu_s(ours(network, packer, False), steps),
    }
    if has_fast_bf16():
        seconds["ours_bfloat16"] = cpu_s(ours(network, packer, True), steps)
    batch = cpu_s(packer.batch, 20)
    return {
        "model": name,
        "subwords_per_cpu_s": {key: round(subwords / value) for key, value in seconds.items()},
        "ratio_float32": round(seconds["plain_float32"] / seconds["ours_float32"], 2),
        "ratio_best": round(seconds["plain_float32"] / min(seconds.values()), 2),
        "data_path_share": round(batch / min(seconds.values()), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--steps", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    results = []
    for vocab_size, size, rows, window in ((2000, 256, 32, 32), (10_000, 512, 32, 200)):
        samples = [rng.integers(4, vocab_size, size=n) for n in rng.integers(200, 4000, size=50)]
        packer = Packer(samples, rows=rows, window=window, seed=1)
        network = Gru(GruConfig(d_model=size, dropout=0.0), vocab_size)
        name = f"gru {size}, V {vocab_size}, {rows} x {window}"
        few = options.steps if window < 100 else 2
        results.append(measure(name, network, PlainGru(vocab_size, size), packer, few))
        if size == 512:
            rates = results[-1]["subwords_per_cpu_s"].items()
            results[-1]["over_published"] = {key: round(rate / PUBLISHED, 2) for key, rate in rates}
        print(json.dumps(results[-1]), flush=True)
    samples = [rng.integers(4, 2000, size=n) for n in rng.integers(200, 4000, size=50)]
    config = GptConfig(d_model=256, layers=4, heads=8, context=256)
    plain = PlainGpt(Gpt(config, 2000))
    packer = Packer(samples, rows=4, window=256, seed=1)
    results.append(measure("gpt 256 x 4, V 2000, 4 x 256", Gpt(config, 2000), plain, packer, options.steps))
    print(json.dumps(results[-1]), flush=True)
    if options.json:
        about = {"machine": machine(), "published_subwords_per_cpu_s": PUBLISHED, "results": results}
        options.json.write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
