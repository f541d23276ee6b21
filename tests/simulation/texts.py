"""The examples and logs that a simulated grid writes: a made-up function, renamed and added to."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

ORIGINAL = 'def area(width, height):\n    total = width * height\n    return total  # <b>"&"\n'
REWRITTEN = (
    'def area(width, height):\n    unused = 0\n    size_3 = width * height\n    return size_3  # <b>"&"\n'
)
_NAME, _KEYWORD, _OPERATOR, _NUMBER, _NEWLINE, _INDENT = 0, 1, 2, 3, 5, 6
_WORDS: dict[str, tuple[int, int]] = {  # kind, change; the newlines that a token stands for follow it
    "def": (_KEYWORD, 0),
    "return": (_KEYWORD, 0),
    "size_3": (_NAME, 1),
    "unused": (_NAME, 2),
    "0": (_NUMBER, 2),
}
CHOICES = ("largest rise", "median", "largest fall")


def examples(grid: Sequence[dict[str, Any]]) -> pa.Table:
    """Three examples for each rewrite set and model, as grid.examples writes them."""
    rows = []
    unaugmented = [cell for cell in grid if not cell["baseline"] and cell["train_on"] == "original"]
    cells = [cell for cell in unaugmented if cell["seed"] == grid[0]["seed"]]
    for _, group in itertools.groupby(cells, lambda cell: (cell["model"], cell["rewrites"])):
        cell = max(group, key=lambda cell: float(cell["intensity_value"]))
        rng = np.random.default_rng(int(cell["cell"], 16))
        for choice, change in zip(CHOICES, (2.5, 0.2, -1.5), strict=True):
            original, rewritten = _sides(rng, change)
            rows.append(
                {
                    "cell": cell["cell"],
                    "choice": choice,
                    "sample": "0123456789abcdef",
                    "project": "geometry",
                    "path": "geometry/<area>.py",
                    "license": "MIT",
                    "n_tokens": len(original["tokens"]),
                    "n_candidates": 40,
                    "change_bits": change,
                    "original": original,
                    "rewritten": rewritten,
                }
            )
    return pa.Table.from_pylist(rows)


def jobs(grid: Sequence[dict[str, Any]]) -> pa.Table:
    """A shared job, and one training each, as grid.job_logs writes them."""
    by_key: dict[str, list[str]] = {}
    for cell in grid:
        by_key.setdefault(cell["train_key"], []).append(cell["cell"])
    every: dict[str, Any] = {"n_steps": 1, "n_done": 1, "wall_s": 12.5}
    first = {"job": "corpus-0", "kind": "corpus", "log": None, "cells": [cell["cell"] for cell in grid]}
    rows = [every | first]
    for key, cells in by_key.items():
        log = f"--- 2026-01-01 00:00:00 train-{key} on cpu0, 1 steps\nstep 450: <loss> 4.1"
        rows.append({**every, "job": f"train-{key}", "kind": "train", "log": log, "cells": cells})
    return pa.Table.from_pylist(rows)


def _sides(rng: np.random.Generator, change: float) -> tuple[dict[str, Any], dict[str, Any]]:
    rewritten, original = list(_tokens(REWRITTEN)), list(_tokens(ORIGINAL))
    aligned = [token for token in rewritten if token["change"] < 2]
    for token in rewritten:
        token |= {"bits": 7.5, "bits_other": None}
    for before, after in zip(original, aligned, strict=True):
        bits = float(rng.gamma(1.5, 1.5))
        moved = max(0.0, bits + change * (3.0 if after["change"] else 0.5))
        before |= {"bits": bits, "bits_other": moved}
        after |= {"bits": moved, "bits_other": bits}
    return {"text": ORIGINAL, "line": 7, "tokens": original}, {
        "text": REWRITTEN,
        "line": 7,
        "tokens": rewritten,
    }


def _tokens(text: str) -> Iterator[dict[str, Any]]:
    """Words and operators of the two texts above; what the inserted line holds is inserted."""
    place = 0
    for line in text.splitlines(keepends=True):
        code = line.partition("#")[0].rstrip()
        column = 0
        for word in (
            code.replace("(", " ( ").replace(")", " ) ").replace(",", " , ").replace(":", " : ").split()
        ):
            column = code.index(word, column)
            start, column = place + column, column + len(word)
            kind, change = _WORDS.get(word, (_NAME if word[0].isalpha() else _OPERATOR, 0))
            change = 2 if "unused" in line else change
            yield {"start": start, "end": place + column, "kind": kind, "change": change}
        end = place + len(line)
        yield {"start": end - 1, "end": end, "kind": _NEWLINE, "change": 2 if "unused" in line else 0}
        place = end
