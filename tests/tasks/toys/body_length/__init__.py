"""body_length: how many lines the body of a function has, in bins, from what is seen of it at a glance.

def area(width, height):          2 parameters, 3 names
    both = width * height    →    which bin: 1–2 lines, 3–5, 6–10, 11–20, more?
    return both

The answer is that of the original function. Where statements were inserted, other things are seen, and the
same is asked.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.statistics.descriptions import Description, Scope, SumColumn, Unit
from analysis.statistics.metrics import ByBin, Metric, Ratio
from tasks import Encoding, EvaluationConfig, TaskConfig, Test
from tasks.units import Sum, Units

if TYPE_CHECKING:
    import pyarrow as pa

LONG = 10  # lines


class Config(TaskConfig):
    """bins: the most lines of each bin but the last, which has no end."""

    kind: Literal["body_length"] = "body_length"
    bins: tuple[int, ...] = Field(default=(2, 5, 10, 20), min_length=1)


Evaluation = EvaluationConfig
CORPUS = {"unit": frozenset({"function"})}
MODELS = frozenset({"frequent"})
POOL = False

UNITS = Units(
    file="functions.parquet",
    count="n_functions",
    places=("lines",),
    scopes=lambda lines: iter([("all", lines > 0), ("long", lines > LONG)]),
    sums=tuple(
        Sum(name=name, needs=(name,), of=lambda values: values) for name in ("exact", "bits", "confidence")
    ),
)
DESCRIPTION = Description(
    name="body_length",
    version=1,
    unit=Unit(singular="function", plural="functions", count=UNITS.count),
    sums=tuple(SumColumn(name=one.name) for one in UNITS.sums),
    metrics=(
        Metric(
            name="exact",
            label="Exact match",
            unit="share of functions",
            form=Ratio(numerator="exact", denominator=UNITS.count),
        ),
        Metric(
            name="bits",
            label="Bits of the bin",
            unit="bits per function",
            form=Ratio(numerator="bits", denominator=UNITS.count),
            higher_is_better=False,
        ),
        Metric(
            name="ece",
            label="Calibration error",
            unit="ECE, in probability",
            form=ByBin(first="confidence", second="exact", count=UNITS.count, by="confidence", bins=5),
            higher_is_better=False,
        ),
    ),
    scopes=(
        Scope(name="all", label="functions", rewritten="all"),
        Scope(name="long", label=f"functions of more than {LONG} lines", rewritten="long"),
    ),
    leads=("exact", "bits"),
    validation="bits per function",
    pairing="Each test function is asked about as it was written, and rewritten; the answer is the same.",
)


def refuses(rewrite: str, options: Mapping[str, Any]) -> str:
    """A second function would leave open whose body is meant."""
    return "it adds a function, whose body could be meant" if rewrite == "dead_function" else ""


def encode(config: Config, encoding: Encoding) -> dict[str, Any]:
    """What is seen of each function, and in which bin its lines are."""
    import pyarrow as pa

    from tasks import example_tables

    def example(row: example_tables.Row, original: example_tables.Row) -> example_tables.Row:
        seen, asked = _function(row["text"]), _function(original["text"])
        lines = (asked.body[-1].end_lineno or 0) - asked.body[0].lineno + 1
        names = {node.id for node in ast.walk(seen) if isinstance(node, ast.Name)}
        parameters = sum(isinstance(node, ast.arg) for node in ast.walk(seen.args))
        right = int(np.searchsorted(config.bins, lines))
        return {"parameters": parameters, "names": len(names), "lines": lines, "bin": right}

    columns = [(name, pa.int64()) for name in ("parameters", "names", "lines", "bin")]
    return example_tables.write(encoding, columns, example)


def _function(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    body = ast.parse(text).body
    return next(node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@dataclass(frozen=True)
class Lengths:
    """The examples, for a model that counts."""

    n_bins: int
    train: "pa.Table"
    valid: "pa.Table"

    def identity(self) -> list[int]:
        return [self.n_bins, len(self.train), len(self.valid)]

    def facts(self) -> dict[str, Any]:
        return {"train_functions": len(self.train), "valid_functions": len(self.valid)}


def objective(config: Config, train: Sequence[Any], valid: Sequence[Any], vocabulary: Any) -> Lengths:
    """Nothing that needs gradients."""
    from tasks import example_tables

    parts = (example_tables.of_parts(parts, split) for parts, split in ((train, "train"), (valid, "valid")))
    return Lengths(len(config.bins) + 1, *parts)


def evaluate(
    config: Config,
    evaluation: EvaluationConfig,
    *,
    model_folder: Path,
    tokenizer: Path,
    tests: Sequence[Test],
    pool: Sequence[Path],
    report: Any,
) -> list[dict[str, Any]]:
    """functions.parquet and samples.parquet of each test set."""
    import pyarrow as pa

    from tasks import evaluating, example_tables

    model = evaluating.load(model_folder, tokenizer=tokenizer, threads=evaluation.threads)

    def score(test: Test, tell: Any) -> dict[str, Any]:
        asked = example_tables.read(test.parts, "test")
        right, p = asked["bin"].to_numpy(), model.probabilities(asked)  # (N,), (N, bins)
        bits = -np.log2(p[np.arange(len(p)), right])
        for name, values in (("exact", p.argmax(1) == right), ("bits", bits), ("confidence", p.max(1))):
            asked = asked.append_column(name, pa.array(values))
        UNITS.write(test.out, asked)
        return {"functions": len(asked)}

    return evaluating.each(tests, score, report)
