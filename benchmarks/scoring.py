"""Speed of exact scores, in CPU seconds of one run: `python -m benchmarks.scoring [--json FILE]`.

bare forward pass · nll only · nll with exact ranks · the yardstick: a beam search of one position at a time.
"""

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.yardstick import Beam, yardstick
from models.checkpoints import load_model
from models.config import TrainingConfig
from models.encoded import Part, TextSample, scored_samples
from models.lookup import lookup
from models.scoring.scorer import Scored, Scorer
from models.scoring.windows import Lane, windows
from models.vocabulary import Vocabulary
from preprocessing import encoding, tokenizers
from preprocessing.corpus import building
from preprocessing.lexer.tokens import TokensConfig
from preprocessing.tokenizers import bpe
from tasks.completion.config import Config as Completion
from tasks.fitting import fit

CASES = (
    ({"kind": "gru", "d_model": 512, "dropout": 0.0}, 150, 2000),
    ({"kind": "gru", "d_model": 512, "dropout": 0.0}, 600, 10_000),
    ({"kind": "gpt", "d_model": 256, "layers": 4, "heads": 8, "context": 256}, 150, 2000),
)
QUICK = (
    ({"kind": "gru", "d_model": 32, "dropout": 0.0}, 20, 400),
    ({"kind": "gpt", "d_model": 32, "layers": 1, "heads": 2, "context": 64}, 20, 400),
)
ROUNDS = 3
TEXTS = 10  # of which the yardstick reads the beginnings
PUBLISHED = {"entropy_tokens_per_cpu_s": 2934, "mrr_tokens_per_cpu_s": 13.9}
CORPUS: dict[str, Any] = {
    "source": {"kind": "stdlib"},
    "keep": {"min_bytes": 500, "max_bytes": 10_000},  # short against the set, so that few rows run alone
    "split": {"by": "project", "train": 0.5, "valid": 0.1, "test": 0.4, "seed": 1},
    "shards": 1,
}


def prepare(folder: Path, vocab_size: int, max_samples: int) -> tuple[Path, Path]:
    """In a folder: a part of the standard library, its tokenizer, one encoded shard."""
    places = [folder / name for name in ("corpus", "tokenizer", "encoded")]
    for place in places:
        place.mkdir()
    keep = {**CORPUS["keep"], "max_samples": max_samples}
    building.build(building.CorpusConfig.model_validate({**CORPUS, "keep": keep}), places[0])
    shards = list(building.shard_paths(places[0]))
    tokenizers.build(bpe.Config(vocab_size=vocab_size), shards, TokensConfig(), places[1])
    encoding.build(shards[0], places[1], TokensConfig(), places[2])
    return places[1], places[2]


class Recorder:
    """Stands for a model, and writes down what it is given to read."""

    def __init__(self, model: Any) -> None:
        self.context, self.kept, self.forgets = model.context, model.kept, getattr(model, "forgets", False)
        self.read_ids: list[torch.Tensor] = []

    def start(self, rows: int) -> torch.Tensor:
        return torch.zeros(rows)

    def join(self, states: list[torch.Tensor]) -> torch.Tensor:
        return torch.cat(states)

    def read(self, states: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        self.read_ids.append(ids)
        return torch.zeros(ids.numel())


def batches(model: Any, samples: list[TextSample], rows: int, window: int) -> list[tuple[torch.Tensor, int]]:
    """What a bare forward pass reads, and for how many subwords of it the output layer is needed.

    Full batches for a model that carries its state, else the rows of its limited context.
    """
    if model.context is None:
        ids = np.concatenate([s.subwords for s in samples])
        full = ids[: len(ids) // (rows * window) * rows * window].reshape(-1, rows, window)
        return [(torch.from_numpy(batch), batch.size) for batch in full]
    recorder = Recorder(model)
    slots = [Lane(sample) for sample in samples]
    scored = [len(w.targets) for w in windows(recorder, slots, rows, window)]  # type: ignore[arg-type]
    return list(zip(recorder.read_ids, scored, strict=True))


@torch.inference_mode()
def forward(model: Any, work: list[tuple[torch.Tensor, int]]) -> None:
    """Reading and the output layer alone."""
    for ids, scored in work:
        states = model.read(model.start(len(ids)), ids)
        for i in range(0, scored, 512):
            torch.log_softmax(model.logits(states[torch.arange(i, min(i + 512, scored))]), 1)


def peak_mib(run: Callable[[], Any]) -> float:
    """Largest resident memory of this process so far, after a call."""
    run()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu_s(run: Callable[[], Any]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def trained(folder: Path, config: dict[str, Any], steps: int, vocab_size: int, max_samples: int) -> Path:
    """A folder with a briefly trained model, its tokenizer and its data; made once."""
    place = (
        folder
        / f"{config['kind']}-{config.get('d_model', config.get('preset'))}-{vocab_size}-{steps}-{max_samples}"
    )
    if (place / "model" / "model.safetensors").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    tokenizer, shard = prepare(place, vocab_size, max_samples)
    (place / "model").mkdir()
    fit(
        task=Completion(),
        model=lookup(config["kind"]).Config(**config),
        training=TrainingConfig(
            batch_tokens=1024, window=32, max_steps=steps, validate_every=steps, learning_rate=5e-3
        ),
        tokenizer=tokenizer,
        train=[Part(folder=shard)],
        valid=[Part(folder=shard)],
        seed=1,
        out=place / "model",
        report=lambda row: None,
    )
    return place


def measure(place: Path, config: dict[str, Any], positions: int) -> dict[str, Any]:
    """Times each way of scoring the test set of a trained model."""
    model, vocabulary = load_model(place / "model"), Vocabulary(tokenizers.load(place / "tokenizer"))
    shard = place / "encoded"
    samples = [s for s in scored_samples([shard], vocabulary.size) if len(s.kinds)]
    tokens = sum(len(s.kinds) for s in samples)

    def score(ranks: bool) -> Scorer:
        scorer = Scorer(model=model, vocabulary=vocabulary, ranks=ranks)
        list(scorer.score(samples))
        return scorer

    work = batches(model, samples, 32, 64)
    runs: dict[str, Callable[[], object]] = {
        "forward": lambda: forward(model, work),
        "nll": lambda: score(False),
        "ranks": lambda: score(True),
    }
    peak = peak_mib(lambda: [run() for run in runs.values()])
    times = [{key: cpu_s(run) for key, run in runs.items()} for _ in range(ROUNDS)]
    for seconds in times:  # of as many subwords as are scored
        seconds["forward"] *= sum(len(s.subwords) for s in samples) / sum(scored for _, scored in work)
    seconds = {key: float(np.median([time[key] for time in times])) for key in runs}
    again = Scorer(model=model, vocabulary=vocabulary)
    grown = peak_mib(lambda: deque(again.score(s for _ in range(3) for s in samples), maxlen=0)) - peak
    scorer = Scorer(model=model, vocabulary=vocabulary)
    chosen = samples[:: max(1, len(samples) // TEXTS)][:TEXTS]
    exact = list(scorer.score(chosen))
    beams: list[list[Beam]] = []
    seconds["yardstick"] = cpu_s(
        lambda: beams.extend(yardstick(model, vocabulary, text, positions // TEXTS) for text in chosen)
    )
    rate = {key: tokens / value for key, value in seconds.items() if key != "yardstick"}
    rate["yardstick"] = sum(map(len, beams)) / seconds["yardstick"]
    counts = score(True).counts
    return {
        "model": config,
        "vocab_size": vocabulary.size,
        "tokens": tokens,
        "tokens_per_cpu_s": {key: round(value) for key, value in rate.items()},
        "nll_over_forward": ratio(times, "forward", "nll"),
        "ranks_cost_over_nll": ratio(times, "ranks", "nll"),
        "ranks_over_yardstick": round(rate["ranks"] / rate["yardstick"], 1),
        "share_searched": round(counts.searched / counts.tokens, 4),
        "cut_off": counts.cut_off,
        "peak_mib": round(peak),
        "peak_mib_more_for_three_times_the_set": round(grown),
        **agreement(exact, beams),
    }


def ratio(times: list[dict[str, float]], one: str, other: str) -> float:
    """Median over rounds of a ratio of seconds; what slows a machine down slows both down."""
    return round(float(np.median([time[one] / time[other] for time in times])), 2)


def agreement(exact: list[Scored], beams: list[list[Beam]]) -> dict[str, float]:
    """Share of positions with the rank that a beam gives, of all, and of those where the beam proves it."""
    same, proved = [], []
    for scored, own in zip(exact, beams, strict=True):
        starts = scored.text.token_starts
        for k, beam in enumerate(own):
            true, log_p = (
                tuple(scored.text.subwords[starts[k] : starts[k + 1]].tolist()),
                -float(scored.nll[k]),
            )
            same.append(beam.rank(true, log_p) == scored.rank[k])
            proved.append(beam.proves(log_p))
    return {
        "yardstick_proves_its_rank": round(float(np.mean(proved)), 4),
        "same_rank_as_yardstick": round(float(np.mean(same)), 4),
        "same_rank_where_it_proves_it": round(float(np.mean(np.array(same)[proved])), 4),
    }


def machine() -> dict[str, Any]:
    """What was measured on; no names of hosts."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    load = round(os.getloadavg()[0], 1)
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "threads": 1,
        "load": load,
        "torch": torch.__version__,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--positions", type=int, default=300)
    parser.add_argument(
        "--quick", action="store_true", help="tiny models: shows that it runs, measures nothing"
    )
    parser.add_argument(
        "--models", type=Path, help="where models are kept: trained once, then taken from there"
    )
    parser.add_argument("--case", type=int, choices=range(len(CASES)), help="one of the models; default: all")
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = []
    about = machine()
    positions, max_samples = (20, 40) if options.quick else (options.positions, 400)
    folder = options.models or Path(tempfile.mkdtemp())
    cases = QUICK if options.quick else CASES
    for config, steps, vocab_size in (
        cases if options.case is None else cases[options.case : options.case + 1]
    ):
        place = trained(folder, config, steps, vocab_size, max_samples)
        results.append(measure(place, config, positions))
        if vocab_size == 10_000:
            rate = results[-1]["tokens_per_cpu_s"]
            results[-1]["over_published"] = {
                "entropy": round(rate["nll"] / PUBLISHED["entropy_tokens_per_cpu_s"], 2),
                "mrr": round(rate["ranks"] / PUBLISHED["mrr_tokens_per_cpu_s"], 1),
            }
        print(json.dumps(results[-1], indent=1), flush=True)
        if options.json:
            text = json.dumps({"machine": about, "published": PUBLISHED, "results": results}, indent=1)
            options.json.write_text(text + "\n")
    if options.models is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
