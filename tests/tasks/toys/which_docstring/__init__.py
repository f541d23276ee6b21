"""which_docstring: which of the functions of the test split has this docstring?

query      Area of a rectangle.              →   the rank of the function that it was taken from
functions  def area(w, h): …  def name(): …

Only the query's own function is ever rewritten; all others are those of the original test split.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from analysis.statistics.descriptions import Description, Scope, SumColumn, Unit
from analysis.statistics.metrics import Metric, Ratio
from tasks import Encoding, EvaluationConfig, TaskConfig, Test
from tasks.units import Sum, Units

if TYPE_CHECKING:
    from models.training.objective import Objective

WORD = re.compile(r"[^\W_]+")
SHORT = 5  # words


class Config(TaskConfig):
    """It has no options."""

    kind: Literal["which_docstring"] = "which_docstring"


class Evaluation(EvaluationConfig):
    """tie: functions whose similarities differ by no more are equally good."""

    tie: float = Field(default=1e-6, ge=0)


CORPUS = {"unit": frozenset({"function"}), "functions.docstring": frozenset({"split"})}
MODELS = frozenset({"bags"})
POOL = True

UNITS = Units(
    file="queries.parquet",
    count="n_queries",
    places=("words",),
    scopes=lambda words: iter([("all", words > 0), ("short", words <= SHORT)]),
    sums=(
        Sum(name="reciprocal_rank", needs=("rank",), of=lambda rank: 1 / rank),
        Sum(name="first", needs=("rank",), of=lambda rank: rank <= 1, whole=True),
        Sum(name="first_5", needs=("rank",), of=lambda rank: rank <= 5, whole=True),
    ),
)
DESCRIPTION = Description(
    name="which_docstring",
    version=1,
    unit=Unit(singular="query", plural="queries", count=UNITS.count),
    sums=tuple(SumColumn(name=one.name) for one in UNITS.sums),
    metrics=tuple(
        Metric(name=name, label=label, unit=unit, form=Ratio(numerator=total, denominator=UNITS.count))
        for name, label, unit, total in (
            ("mrr", "MRR", "mean reciprocal rank", "reciprocal_rank"),
            ("recall_1", "Recall@1", "share of queries", "first"),
            ("recall_5", "Recall@5", "share of queries", "first_5"),
        )
    ),
    scopes=(
        Scope(name="all", label="queries", rewritten="all"),
        Scope(name="short", label=f"queries of at most {SHORT} words", rewritten="short"),
    ),
    leads=("mrr",),
    validation="bits per query",
    pairing=(
        "Each docstring is searched for among all functions of the original test split, and among the same "
        "functions with its own one rewritten."
    ),
)


def refuses(rewrite: str, options: Mapping[str, Any]) -> str:
    """Every rewrite fits: docstrings are those of the corpus."""
    return ""


def encode(config: Config, encoding: Encoding) -> dict[str, Any]:
    """The words of the docstring's first paragraph and of the code, as subwords."""
    import pyarrow as pa

    from preprocessing import tokenizers
    from tasks import example_tables

    trained = tokenizers.load(encoding.tokenizer)

    def subwords(words: list[str]) -> list[int]:
        return [i for ids in trained.encode(words) for i in ids]

    def example(row: example_tables.Row, original: example_tables.Row) -> example_tables.Row | None:
        query = WORD.findall((original["docstring"] or "").partition("\n\n")[0])
        if not query:
            return None
        code = subwords(WORD.findall(row["text"]))
        return {"words": len(query), "query": subwords(query), "code": code}

    ids = pa.list_(pa.int64())
    return example_tables.write(encoding, [("words", pa.int64()), ("query", ids), ("code", ids)], example)


def objective(config: Config, train: Sequence[Any], valid: Sequence[Any], vocabulary: Any) -> "Objective":
    """Each docstring is to be nearer to its own function than to all others of the batch."""
    from tasks import example_tables

    from .contrast import Contrast

    return Contrast(example_tables.of_parts(train, "train"), example_tables.of_parts(valid, "valid"))


def evaluate(
    config: Config,
    evaluation: Evaluation,
    *,
    model_folder: Path,
    tokenizer: Path,
    tests: Sequence[Test],
    pool: Sequence[Path],
    report: Any,
) -> list[dict[str, Any]]:
    """queries.parquet and samples.parquet of each test set."""
    import pyarrow as pa

    from tasks import evaluating, example_tables

    from .contrast import ranks, vectors

    model = evaluating.load(model_folder, tokenizer=tokenizer, threads=evaluation.threads)
    functions = example_tables.read(pool, "test")
    place = {name: place for place, name in enumerate(functions["sample"].to_pylist())}
    codes = vectors(model, functions["code"], 1)

    def score(test: Test, tell: Any) -> dict[str, Any]:
        asked = example_tables.read(test.parts, "test")
        places = [place[name] for name in asked["sample"].to_pylist()]
        queries, own = (vectors(model, asked[name], tower) for tower, name in enumerate(("query", "code")))
        found = ranks(queries, codes, places, own, evaluation.tie)
        UNITS.write(test.out, asked.append_column("rank", pa.array(found)))
        return {"queries": len(asked), "functions": len(functions)}

    return evaluating.each(tests, score, report)
