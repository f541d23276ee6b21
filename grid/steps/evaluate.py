"""Evaluate step: a trained model on one test set; a job loads the model once for all its test sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from grid.steps.worker import Context, Result, Work


def version() -> int:
    """Raised when the same model and test set give other scores."""
    return 3


def make(works: Sequence[Work], context: Context) -> Iterator[Result]:
    """tokens.parquet and samples.parquet of each test set."""
    from models.config import EvaluationConfig
    from models.scoring import evaluate
    from models.scoring.evaluate import Test

    for config in {repr(work.parameters["config"]): work.parameters["config"] for work in works}.values():
        same = [work for work in works if work.parameters["config"] == config]
        results = evaluate.run(
            model_folder=context.input(same[0], "train"),
            tokenizer=context.input(same[0], "tokenizer"),
            tests=[Test(parts=context.inputs(work, "test"), out=work.out) for work in same],
            config=EvaluationConfig.model_validate(config),
            report=partial(_report, context, same),
        )
        for work, facts in zip(same, results, strict=True):
            yield work, RuntimeError(facts["error"]) if "error" in facts else facts


def _report(context: Context, works: Sequence[Work], row: Mapping[str, Any]) -> None:
    context.report(works[row.get("test", 0)], row)
