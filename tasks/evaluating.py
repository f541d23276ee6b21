"""One trained model and all its test sets: what every scoring has in common."""

import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from models.checkpoints import load_model
from models.interface import device
from models.training.training_job import Report
from tasks import Test

Score = Callable[[Test, Report], dict[str, Any]]


def load(model_folder: Path, *, tokenizer: Path, threads: int) -> Any:
    """A trained model where it is to compute. Raises BadInput if it can't be loaded."""
    torch.set_num_threads(threads)
    model = load_model(model_folder, tokenizer=tokenizer)
    if isinstance(model, torch.nn.Module):
        model.to(device())
    return model


def each(tests: Sequence[Test], score: Score, report: Report) -> list[dict[str, Any]]:
    """The facts of each test set, or {"error": last line, "traceback": text} of one that failed."""
    results = []
    for number, test in enumerate(tests):
        try:
            facts = score(test, partial(_tell, report, number))
        except Exception as error:  # one test set that fails does not stop the others
            facts = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        results.append(facts)
    return results


def _tell(report: Report, test: int, row: dict[str, Any]) -> None:
    report({"kind": "scoring", "test": test, **row})
