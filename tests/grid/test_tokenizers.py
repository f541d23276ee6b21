"""Models on a closed vocabulary, and one with a tokenizer of its own, side by side in a grid."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from grid.cli.app import app
from grid.plan.opening import open_grid
from tests.grid.conftest import MiniGrid

FUNCTION = """\
def area_{n}(width, height):
    total = width * height + {n}
    for {word} in range(total):
        total = total - {word}
    return total
"""
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, mini_grid: MiniGrid) -> Path:
    transformers = pytest.importorskip("transformers", reason="needs the extra huggingface")
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("vocabularies")
    alphabet = ["<|endoftext|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    library = Tokenizer(models.BPE({word: i for i, word in enumerate(alphabet)}, []))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    (folder / "model").mkdir()
    library.save(str(folder / "model" / "tokenizer.json"))
    sizes = {"n_positions": 32, "n_embd": 8, "n_layer": 1, "n_head": 1, "vocab_size": 257}
    config = transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)
    transformers.GPT2LMHeadModel(config).save_pretrained(folder / "model")
    spec = mini_grid(
        folder,
        code={f"m{n}.py": FUNCTION.format(n=n, word=word) for n, word in enumerate(WORDS)},
        name="vocabularies",
        tokenizer={"kind": "subtoken", "vocab_size": 60, "min_count": 5},
        models={
            "gru": {"kind": "gru", "d_model": 8},
            "trigram": {"kind": "ngram", "order": 3},
            "pretrained": {"kind": "huggingface", "path": str(folder / "model"), "context": 32},
        },
        axes={
            "rewrites": ["rename"],
            "intensity": [1],
            "train_on": ["original"],
            "model": ["gru", "trigram", "pretrained"],
        },
        override=[
            {
                "when": {"model": "pretrained"},
                "set": {"tokenizer": {"kind": "huggingface", "path": str(folder / "model")}},
            }
        ],
    )
    run = ["run", str(spec), "--results", str(folder / "results"), "--executor", "inprocess", "--no-report"]
    result = CliRunner().invoke(app, run, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder / "results" / "vocabularies"


def test_all_models_have_scores(results: Path) -> None:
    cells = pd.read_parquet(results / "cells.parquet")
    assert set(cells["status"]) == {"done"}
    assert len(cells) == 6
    metrics = pd.read_parquet(results / "metrics.parquet").merge(cells[["cell", "model"]], on="cell")
    entropy = metrics.query("metric == 'entropy' and scope == 'all' and samples == 'all'")
    assert entropy["value"].between(0.01, 100).all()
    assert set(entropy.groupby("model").size()) == {3}  # the baseline on the original, and a cell on both
    assert not metrics["value"].isna().any()


def test_a_model_with_its_own_tokenizer_has_the_same_tokens_and_bytes_and_ranks_of_its_own(
    results: Path,
) -> None:
    cells = pd.read_parquet(results / "cells.parquet")
    samples = pd.read_parquet(results / "samples.parquet").merge(cells[["cell", "model"]], on="cell")
    everything = samples.query("scope == 'all'").groupby("model")
    assert everything["n_tokens"].sum().nunique() == 1
    metrics = pd.read_parquet(results / "metrics.parquet").merge(cells[["cell", "model"]], on="cell")
    own = set(metrics[metrics["model"] == "pretrained"]["metric"])
    assert {
        "entropy",
        "bits_per_byte",
        "perplexity",
        "accuracy_1",
        "accuracy_5",
        "accuracy_10",
        "mrr_10",
    } <= own
    assert not own & {"f1_subtokens", "ece"}  # which nobody asked for


@pytest.mark.parametrize("model", ["gru", "trigram"])
def test_what_is_unknown_is_never_predicted(results: Path, model: str) -> None:
    cells = pd.read_parquet(results / "cells.parquet")
    [cell] = cells.query(f"model == '{model}' and baseline")["cell"]
    tokens = pd.read_parquet(results / "tokens" / f"{cell}-original.parquet")
    metrics = pd.read_parquet(results / "metrics.parquet").query(f"cell == '{cell}' and test == 'original'")
    rare = tokens[tokens["rank"] == 0]
    assert len(rare) > 0
    assert (tokens["nll_bits"] > 0).all()
    accuracy = metrics.query("scope == 'all' and samples == 'all' and metric == 'accuracy_10'")[
        "value"
    ].item()
    assert accuracy == pytest.approx((tokens["rank"] > 0).mean())


def test_other_weights_are_another_training(results: Path) -> None:
    def keys(kind: str) -> set[str]:
        steps = open_grid(str(results.parent.parent / "vocabularies.yaml")).plan.steps
        return {key for key, step in steps.items() if step.kind == kind}

    trainings, tokenizers = keys("train"), keys("tokenizer")
    weights = results.parent.parent / "model" / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        assert len(trainings - keys("train")) == 1
        assert keys("tokenizer") == tokenizers
    finally:
        weights.write_bytes(content)
