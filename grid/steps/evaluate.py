"""Evaluate step: a trained model on one test set; a job loads the model once for all its test sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from grid.steps.worker import Result, Work, Workplace


def version() -> int:
    """Raised when the same model and test set give other scores."""
    return 3


def make(works: Sequence[Work], context: Workplace) -> Iterator[Result]:
    """The table of units and samples.parquet of each test set."""
    from tasks import Test, configured

    for config in {repr(work.parameters): work.parameters for work in works}.values():
        same = [work for work in works if work.parameters == config]
        task, asked = configured(config.get("task"))
        results = task.evaluate(
            asked,
            task.Evaluation.model_validate(config["config"]),
            model_folder=context.input(same[0], "train"),
            tokenizer=context.input(same[0], "tokenizer"),
            tests=[Test(parts=context.inputs(work, "test"), out=work.out) for work in same],
            pool=context.inputs(same[0], "pool"),
            report=partial(_report, context, same),
        )
        for work, facts in zip(same, results, strict=True):
            yield work, RuntimeError(facts["error"]) if "error" in facts else facts


def _report(context: Workplace, works: Sequence[Work], row: Mapping[str, Any]) -> None:
    context.report(works[row.get("test", 0)], row)
