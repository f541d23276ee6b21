"""Speed of exact scores, in CPU seconds of one run: `python -m benchmarks.scoring [--json FILE]`.

bare forward pass · nll only · nll with exact ranks · the yardstick: a beam search of one position at a time.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models import lookup, train
from models.checkpoints import load_model
from models.config import TrainingConfig
from models.data import Part, Sample, scored_samples
from models.packing import FILE
from models.scoring import Scorer
from models.vocabulary import Vocabulary
from preprocessing import corpus, encode, tokenizers
from preprocessing.tokenizers import bpe
from preprocessing.tokens import TokensConfig

BEAM = 32
CORPUS = {
    "source": {"kind": "stdlib"},
    "keep": {"min_bytes": 500, "max_bytes": 20_000, "max_samples": 200},
    "split": {"by": "project", "train": 0.7, "valid": 0.1, "test": 0.2, "seed": 1},
    "shards": 1,
}


def prepare(folder: Path, vocab_size: int) -> tuple[Path, Path]:
    """A part of the standard library, its tokenizer, one encoded shard."""
    places = [folder / name for name in ("corpus", "tokenizer", "encoded")]
    for place in places:
        place.mkdir()
    corpus.build(corpus.CorpusConfig.model_validate(CORPUS), places[0])
    shards = list(corpus.shard_paths(places[0]))
    tokenizers.build(bpe.Config(vocab_size=vocab_size), shards, TokensConfig(), places[1])
    encode.build(shards[0], places[1], TokensConfig(), places[2])
    return places[1], places[2]


@torch.inference_mode()
def beam_rank(model: Any, vocabulary: Vocabulary, state: Any, true: tuple[int, ...]) -> int:
    """Rank among ten complete tokens found by a beam of one position, as users write it; 0 beyond."""
    done: list[tuple[float, tuple[int, ...]]] = []
    beam: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    for _ in range(8):
        log_probs = torch.log_softmax(model.logits(state), 1)
        totals = log_probs + torch.tensor([entry[0] for entry in beam])[:, None]
        best, where = totals.flatten().topk(2 * BEAM)
        rows, grown = [], []
        for value, place in zip(best.tolist(), where.tolist(), strict=True):
            row, piece = divmod(place, vocabulary.size)
            path = (*beam[row][1], piece)
            if not vocabulary.ends[piece]:
                rows.append(row)
                grown.append((value, path))
            elif vocabulary.canonical(path) and path != (FILE,):
                done.append((value, path))
        done = sorted(done, reverse=True)[:10]
        if not grown or (len(done) == 10 and grown[0][0] < done[-1][0]):
            break
        beam = grown[:BEAM]
        before = state[torch.tensor(rows[:BEAM])]
        state = model.extend(before, torch.tensor([entry[1][-1] for entry in beam]))
    return next((i for i, (_, path) in enumerate(done, 1) if path == true), 0)


@torch.inference_mode()
def yardstick(model: Any, vocabulary: Vocabulary, sample: Sample, positions: int) -> list[int]:
    """Ranks of the first positions of a sample, one after the other."""
    state, ranks = model.read(model.start(1), torch.tensor([[FILE]])), []
    for k in range(min(positions, len(sample.kinds))):
        token = sample.subwords[sample.token_starts[k] : sample.token_starts[k + 1]].tolist()
        ranks.append(beam_rank(model, vocabulary, state, tuple(token)))
        states = model.read(state, torch.tensor([token]))
        state = states[torch.tensor([len(token) - 1])]
    return ranks


@torch.inference_mode()
def forward(model: Any, samples: list[Sample], window: int, rows: int = 32) -> None:
    """Reading and the output layer alone, over the same number of subwords in full batches."""
    ids = np.concatenate([s.subwords for s in samples])
    ids = ids[: len(ids) // (rows * window) * rows * window].reshape(-1, rows, window)
    for batch in ids:
        states = model.read(model.start(rows), torch.from_numpy(batch))
        for i in range(0, rows * window, 512):
            torch.log_softmax(model.logits(states[torch.arange(i, i + 512)]), 1)


def cpu_s(run: Callable[[], Any]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def measure(config: dict[str, Any], steps: int, vocab_size: int, positions: int) -> dict[str, Any]:
    """Trains one model briefly, then times each way of scoring its test set."""
    with tempfile.TemporaryDirectory() as name:
        tokenizer, shard = prepare(Path(name), vocab_size)
        out = Path(name) / "model"
        out.mkdir()
        training = TrainingConfig(
            batch_tokens=1024, window=32, max_steps=steps, validate_every=steps, learning_rate=5e-3
        )
        model_config = lookup(config["kind"]).Config(**config)
        part = [Part(folder=shard)]
        facts = train.run(
            model=model_config,
            training=training,
            tokenizer=tokenizer,
            train=part,
            valid=part,
            seed=1,
            out=out,
            report=lambda row: None,
        )
        model, vocabulary = load_model(out), Vocabulary(tokenizers.load(tokenizer))
        samples = [s for s in scored_samples([shard], vocabulary.size) if len(s.kinds)]
        tokens = sum(len(s.kinds) for s in samples)

        def score(ranks: bool) -> Scorer:
            scorer = Scorer(model=model, vocabulary=vocabulary, ranks=ranks)
            list(scorer.score(samples))
            return scorer

        seconds = {
            "forward": cpu_s(lambda: forward(model, samples, 64)),
            "nll": cpu_s(lambda: score(False)),
            "ranks": cpu_s(lambda: score(True)),
        }
        scorer = Scorer(model=model, vocabulary=vocabulary)
        one = samples[0]
        exact = next(iter(scorer.score([one])))[2][:positions]
        beam: list[int] = []
        seconds["yardstick"] = cpu_s(lambda: beam.extend(yardstick(model, vocabulary, one, positions)))
        rate = {key: tokens / value for key, value in seconds.items() if key != "yardstick"}
        rate["yardstick"] = len(beam) / seconds["yardstick"]
        counts = score(True).counts
        return {
            "model": config,
            "valid_bits": round(facts["valid_bits"], 2),
            "tokens": tokens,
            "tokens_per_cpu_s": {key: round(value) for key, value in rate.items()},
            "nll_over_forward": round(rate["nll"] / rate["forward"], 2),
            "ranks_cost_over_nll": round(seconds["ranks"] / seconds["nll"], 2),
            "ranks_over_yardstick": round(rate["ranks"] / rate["yardstick"], 1),
            "share_searched": round(counts.searched / counts.tokens, 4),
            "cut_off": counts.cut_off,
            "same_rank_as_yardstick": round(float(np.mean(np.array(beam) == exact[: len(beam)])), 4),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--positions", type=int, default=300)
    parser.add_argument("--model", default='{"kind": "gru", "d_model": 512, "dropout": 0.0}')
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = measure(json.loads(options.model), options.steps, 2000, options.positions)
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps({"torch": torch.__version__, **result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
