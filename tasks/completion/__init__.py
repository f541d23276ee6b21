"""Completion: the next token, scored exactly: its probability, its rank among all tokens, the best one.

A metric is a descriptor in METRICS. If it needs a sum that isn't in SUMS, that is one more line there: scored
tokens are kept, so the sum is made of them when tables are written, and nothing is scored again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.statistics.descriptions import Description, Scope, SumColumn, TokenCodes, Unit
from analysis.statistics.metrics import ByBin, Difference, Metric, MostConfident, PowerOfTwo, Ratio
from preprocessing.lexer.tokens import KINDS
from tasks import Encoding, Test
from tasks.completion import places, scored_tokens
from tasks.completion.config import Config as Config
from tasks.completion.config import Evaluation as Evaluation
from tasks.units import Sum

if TYPE_CHECKING:
    from models.config import ModelConfig
    from models.encoded import Part
    from models.scoring.candidates import Completion, Context
    from models.training.objective import Objective
    from models.training.training_job import Report
    from models.vocabulary import Vocabulary
    from tasks.completion.check import Check

CORPUS = {"unit": frozenset({"file", "function"})}
MODELS = frozenset({"gpt", "gru", "huggingface", "ngram"})
POOL = False

UNIT = Unit(singular="token", plural="tokens", count=scored_tokens.SCORED.count)
CHANGES = ("unchanged", "renamed", "inserted")
SUMS = (
    *scored_tokens.SUMS,
    Sum(name="above_ten_bits", needs=("nll_bits",), of=lambda bits: bits > 10),
    Sum(name="whole_bits", needs=("nll_bits", "origin", "token"), of=scored_tokens.with_inserted),
    Sum(name="n_seen", needs=("n_seen",), of=lambda n: n, whole=True, optional=True),
)
UNITS = replace(scored_tokens.SCORED, sums=SUMS, paired=places.PAIRED)

METRICS = (
    Metric(
        name="entropy",
        label="Entropy",
        unit="bits per token",
        form=Ratio(numerator="nll_bits", denominator="n_tokens"),
        higher_is_better=False,
        digits=2,
    ),
    Metric(
        name="bits_per_byte",
        label="Entropy",
        unit="bits per byte",
        form=Ratio(numerator="nll_bits", denominator="n_bytes"),
        higher_is_better=False,
        differences="on_request",
    ),
    Metric(
        name="perplexity",
        label="Perplexity",
        unit="equally probable tokens",
        form=PowerOfTwo(numerator="nll_bits", denominator="n_tokens"),
        higher_is_better=False,
        digits=1,
        differences="never",
    ),
    Metric(
        name="accuracy_1",
        label="Accuracy@1",
        unit="share of tokens",
        form=Ratio(numerator="accuracy_1", denominator="n_tokens"),
        searched=True,
    ),
    Metric(
        name="accuracy_5",
        label="Accuracy@5",
        unit="share of tokens",
        form=Ratio(numerator="accuracy_5", denominator="n_tokens"),
        searched=True,
        differences="on_request",
    ),
    Metric(
        name="accuracy_10",
        label="Accuracy@10",
        unit="share of tokens",
        form=Ratio(numerator="accuracy_10", denominator="n_tokens"),
        searched=True,
        differences="on_request",
    ),
    Metric(
        name="mrr_10",
        label="MRR@10",
        unit="mean reciprocal rank",
        form=Ratio(numerator="reciprocal_rank_10", denominator="n_tokens"),
        searched=True,
    ),
    Metric(
        name="confidence",
        label="Confidence",
        unit="mean probability of the best token",
        form=Ratio(numerator="confidence", denominator="n_tokens"),
        higher_is_better=None,
    ),
    Metric(
        name="f1_subtokens",
        label="F1 of sub-tokens",
        unit="F1 of identifiers",
        form=Ratio(numerator="f1_shared", denominator="f1_both", factor=2.0),
    ),
    Metric(
        name="ece",
        label="Calibration error",
        unit="ECE, in probability",
        form=ByBin(first="confidence", second="accuracy_1", count="n_tokens", by="confidence", bins=15),
        higher_is_better=False,
        searched=True,
    ),
    Metric(
        name="overconfidence",
        label="Confidence − accuracy",
        unit="probability",
        form=Difference(plus="confidence", minus="accuracy_1", denominator="n_tokens"),
        higher_is_better=None,
        searched=True,
    ),
    *(
        Metric(
            name=f"accuracy_1_top_{percent}",
            label=f"Accuracy@1 at {percent} % coverage",
            unit="share of the most confident tokens",
            form=MostConfident(
                numerator="accuracy_1", count="n_tokens", by="confidence", coverage=percent / 100
            ),
            searched=True,
        )
        for percent in (50, 80)
    ),
    Metric(
        name="above_ten_bits",
        label="Tokens above ten bits",
        unit="share of tokens",
        form=Ratio(numerator="above_ten_bits", denominator="n_tokens"),
        higher_is_better=False,
    ),
    Metric(
        name="whole_entropy",
        label="Entropy of the whole text",
        unit="bits per original token",
        form=Ratio(numerator="whole_bits", denominator="n_tokens"),
        higher_is_better=False,
        digits=2,
        differences="on_request",
    ),
    Metric(
        name="n_seen",
        label="Original tokens in view",
        unit="tokens before",
        form=Ratio(numerator="n_seen", denominator="n_tokens"),
        higher_is_better=None,
        digits=1,
        differences="on_request",
    ),
)
"""Calibration: Guo et al. 2017, with bins of equally many tokens (Nguyen & O'Connor 2015); the most
confident: Geifman & El-Yaniv 2017; F1: micro-averaged, of the multisets of sub-tokens (Allamanis et al. 2015;
Alon et al. 2019)."""

SCOPES = (
    Scope(name="all", label="tokens", rewritten="aligned", also=("bits_per_byte", "whole_entropy", "n_seen")),
    Scope(name="identifier", label="identifiers", rewritten="aligned_identifier"),
    Scope(name="aligned", label="aligned tokens"),
    Scope(name="aligned_identifier", label="aligned identifiers"),
    Scope(name="unchanged", label="unchanged tokens"),
    Scope(name="renamed", label="renamed tokens"),
    Scope(name="inserted", label="inserted tokens"),
    *(Scope(name=f"kind:{kind}", label=f"tokens of kind {kind}") for kind in KINDS),
    *places.SCOPES,
)

DESCRIPTION = Description(
    name="completion",
    version=1,
    unit=UNIT,
    sums=tuple(SumColumn(name=one.name, optional=one.optional) for one in SUMS),
    metrics=METRICS,
    scopes=SCOPES,
    leads=("entropy", "accuracy_1", "mrr_10"),
    validation="bits per token",
    pairing=(
        "Rewritten and original test samples are compared token by token: the rewrites only insert tokens or "
        "rename identifiers, so each original token is scored once before and once after; inserted tokens "
        "are left out."
    ),
    tokens=TokenCodes(kinds=KINDS, changes=CHANGES),
)


def refuses(rewrite: str, options: Mapping[str, Any]) -> str:
    """Every rewrite fits: what was inserted isn't scored."""
    return ""


def encode(config: Config, encoding: Encoding) -> dict[str, Any]:
    """Subwords token by token, with the origin of each token: preprocessing.shards."""
    from preprocessing.encoding import build

    return build(
        encoding.shard,
        encoding.tokenizer,
        encoding.tokens,
        encoding.out,
        original=encoding.original if encoding.align is not None else None,
        align=encoding.align,
    )


def objective(
    config: Config, train: "Sequence[Part]", valid: "Sequence[Part]", vocabulary: "Vocabulary"
) -> "Objective":
    """Each subword of a text from those before it; validated in bits per token."""
    from models.training.texts import Texts

    return Texts(train, valid, vocabulary)


def evaluate(
    config: Config,
    evaluation: Evaluation,
    *,
    model_folder: Path,
    tokenizer: Path,
    tests: Sequence[Test],
    pool: Sequence[Path],
    report: "Report",
) -> list[dict[str, Any]]:
    """tokens.parquet and samples.parquet of each test set."""
    from tasks.completion import scoring

    return scoring.run(
        model_folder=model_folder, tokenizer=tokenizer, tests=tests, config=evaluation, report=report
    )


def check_model(model: "ModelConfig") -> "Check":
    """A few lines are learnt by heart."""
    from tasks.completion import check

    return check.check_model(model)


def complete(*, model_folder: Path, tokenizer: Path, contexts: "Sequence[Context]") -> "list[Completion]":
    """The most probable next tokens at each place."""
    from models.checkpoints import load_model
    from models.scoring import candidates
    from preprocessing import tokenizers

    model, trained = load_model(model_folder, tokenizer=tokenizer), tokenizers.load(tokenizer)
    return [candidates.complete(model=model, tokenizer=trained, context=context) for context in contexts]
