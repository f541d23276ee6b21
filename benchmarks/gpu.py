"""What a GPU is used for, in a few minutes: `python -m benchmarks.gpu --json FILE`.

Model FLOPs utilisation and subwords per second of training, compiled and in bfloat16; tokens per second of
scores with and without exact ranks; what one completion run over 16,000 test files would take at that rate.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.scoring import machine, trained
from models.checkpoints import load_model
from models.config import TrainingConfig
from models.encoded import TextSample, scored_samples
from models.kinds.gpt import Config
from models.kinds.gpt.network import Gpt
from models.scoring.scorer import Scorer
from models.training.flops import training_flops, utilisation
from models.training.loop import compiled
from models.training.packing import Packer
from models.vocabulary import Vocabulary
from preprocessing import tokenizers

FILES = 16_000  # of the original experiment, whose run took about ten hours
TOKENS_PER_FILE = 1000
MODELS: tuple[dict[str, Any], ...] = (
    {"kind": "gru", "d_model": 512, "dropout": 0.0},
    {"kind": "gpt", "preset": "small", "context": 512},
)
SIZES: dict[str, Any] = {
    "preset": "124m",
    "vocab": 10_000,
    "rows": (8, 16, 32),
    "steps": 20,
    "models": 400,
    "samples": 400,
}
QUICK: dict[str, Any] = {
    "preset": "tiny",
    "vocab": 400,
    "rows": (1,),
    "steps": 2,
    "models": 10,
    "samples": 40,
}


def seconds(run: Any) -> float:
    """Of a call, until the GPU has finished."""
    started = time.perf_counter()
    run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def training(device: torch.device, sizes: dict[str, Any], rows: int) -> dict[str, Any]:
    """Steps of a decoder as the training loop does them: packed rows, loss, clipping, fused AdamW."""
    network = Gpt(Config(preset=sizes["preset"]), sizes["vocab"]).to(device).train()
    network.bf16 = True
    span = network.shape(TrainingConfig())[1]
    is_compiled = compiled(network, "auto", device.type == "cuda")
    rng = np.random.default_rng(0)
    samples = [rng.integers(4, sizes["vocab"], size=n) for n in rng.integers(500, 8000, size=200)]
    packer = Packer(samples, rows=rows, window=span, seed=1)
    optimiser = torch.optim.AdamW(network.parameters(), fused=True)

    def step() -> float:
        inputs, targets = (torch.from_numpy(ids).to(device) for ids in packer.batch())
        optimiser.zero_grad(set_to_none=True)
        loss, _ = network.loss(inputs, targets, None)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        return float(loss.detach())  # the loop looks at each

    first = seconds(lambda: [step() for _ in range(3)])
    rate = rows * span * sizes["steps"] / seconds(lambda: [step() for _ in range(sizes["steps"])])
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {
        "preset": sizes["preset"],
        "rows": rows,
        "span": span,
        "compiled": is_compiled,
        "first_three_steps_s": round(first, 1),
        "subwords_per_s": round(rate),
        "mfu": utilisation(rate * training_flops(network, span), name),
    }


def scoring(
    device: torch.device, folder: Path, config: dict[str, Any], sizes: dict[str, Any]
) -> dict[str, Any]:
    """Scores of a briefly trained model's test set."""
    place = trained(folder, config, sizes["models"], sizes["vocab"], sizes["samples"])
    model, vocabulary = (
        load_model(place / "model").to(device),
        Vocabulary(tokenizers.load(place / "tokenizer")),
    )
    samples: list[TextSample] = list(scored_samples([place / "encoded"], vocabulary.size))
    tokens = sum(len(sample.kinds) for sample in samples)
    rates = {}
    for name, ranks in (("nll", False), ("ranks", True)):
        for _ in range(2):  # the first one warms up
            scorer = Scorer(model=model, vocabulary=vocabulary, rows=256, ranks=ranks)
            rates[name] = tokens / seconds(lambda scorer=scorer: list(scorer.score(samples)))
    return {
        "model": config,
        "tokens_per_s": {name: round(rate) for name, rate in rates.items()},
        "cut_off": scorer.counts.cut_off,
        f"minutes_for_{FILES}_files": round(FILES * TOKENS_PER_FILE / rates["ranks"] / 60, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="tiny, also on a CPU: shows that it runs")
    options = parser.parse_args()
    sizes = QUICK if options.quick else SIZES
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu" and not options.quick:
        raise SystemExit("no GPU here; --quick shows that it runs")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "none"
    results: dict[str, Any] = {"machine": {**machine(), "gpu": name}, "training": [], "scoring": []}
    with tempfile.TemporaryDirectory() as folder:
        for rows in sizes["rows"]:
            results["training"].append(training(device, sizes, rows))
            print(json.dumps(results["training"][-1]), flush=True)
        for config in MODELS[:1] if options.quick else MODELS:
            results["scoring"].append(scoring(device, Path(folder), config, sizes))
            print(json.dumps(results["scoring"][-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
