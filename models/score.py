"""The body of a scoring step: one trained model, all its test sets, a table of tokens and one of samples for
each.
"""

import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from models.adapting import score_dynamic
from models.checkpoints import load_model
from models.config import EvaluationConfig
from models.data import Sample, scored_samples
from models.job import Report
from models.metrics import SAMPLES, TOKENS, sums
from models.scoring import Counts, Scorer
from models.vocabulary import Vocabulary
from preprocessing import tokenizers

ROW_GROUP = 250_000  # tokens that are written together


Scored = tuple[Sample, NDArray[np.float64], NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class Test:
    """A test set: encoded shards, of which the "test" samples count, and the empty folder for its tables."""

    parts: Sequence[Path]
    out: Path


def run(
    *, model_folder: Path, tokenizer: Path, tests: Sequence[Test], config: EvaluationConfig, report: Report
) -> list[dict[str, Any]]:
    """Scores every test set; for each its facts, or {"error": last line, "traceback": text} if it failed.

    Writes tokens.parquet and samples.parquet (see models.metrics) into each test's folder, sample by sample:
    memory
    does not grow with the test set. Raises BadInput if the model can't be loaded.
    """
    torch.set_num_threads(config.threads)
    model = load_model(model_folder, tokenizer=tokenizer)
    vocabulary = Vocabulary(tokenizers.load(tokenizer))
    scorer = Scorer(
        model=model,
        vocabulary=vocabulary,
        rows=config.rows,
        window=config.window,
        ranks=config.ranks,
        max_expansions=config.max_expansions,
    )
    results = []
    for number, test in enumerate(tests):
        scorer.counts = Counts()
        try:
            facts = _score(scorer, config, test, partial(_tell, report, number))
        except Exception as error:  # one test set that fails does not stop the others
            facts = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        results.append(facts)
    return results


def _tell(report: Report, test: int, row: dict[str, Any]) -> None:
    report({"kind": "scoring", "test": test, **row})


def _score(scorer: Scorer, config: EvaluationConfig, test: Test, report: Report) -> dict[str, Any]:
    started = time.monotonic()
    totals = {"samples": 0, "empty_samples": 0, "bits": 0.0}
    bytes_of = scorer.vocabulary.bytes
    with (
        pq.ParquetWriter(test.out / "tokens.parquet", TOKENS, compression="zstd") as tokens_file,
        pq.ParquetWriter(test.out / "samples.parquet", SAMPLES, compression="zstd") as samples_file,
    ):
        for batch in _row_groups(_scored(scorer, config, test.parts)):
            tables, projects = [], {}
            for sample, nll, rank in batch:
                totals["samples"] += 1
                totals["empty_samples"] += not len(nll)
                tables.append(_table(sample, nll, rank if scorer.ranks else None, bytes_of))
                projects[sample.sample] = sample.project
            table = pa.concat_tables(tables).unify_dictionaries()
            totals["bits"] += float(np.sum(table.column("nll_bits").to_numpy(), dtype=np.float64))
            tokens_file.write_table(table)
            samples_file.write_table(sums(table, projects))
            report({"tokens": scorer.counts.tokens, "seconds": time.monotonic() - started})
    seconds = time.monotonic() - started
    counts = asdict(scorer.counts)
    return {
        **counts,
        "samples": totals["samples"],
        "empty_samples": totals["empty_samples"],
        "bits_per_token": totals["bits"] / counts["tokens"] if counts["tokens"] else None,
        "seconds": seconds,
        "tokens_per_s": counts["tokens"] / seconds if seconds else None,
    }


def _scored(scorer: Scorer, config: EvaluationConfig, parts: Sequence[Path]) -> Iterator[Scored]:
    dynamic = config.adapt == "dynamic"
    samples = scored_samples(parts, scorer.vocabulary.size, by_project=dynamic)
    if dynamic:
        yield from score_dynamic(scorer, samples, config.adapt_rate, config.window)
        return
    for text, nll, rank in scorer.score(samples):
        assert isinstance(text, Sample)
        yield text, nll, rank


def _row_groups(scored: Iterable[Scored]) -> Iterator[list[Scored]]:
    batch: list[Scored] = []
    size = 0
    for entry in scored:
        batch.append(entry)
        size += len(entry[1])
        if size >= ROW_GROUP:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _table(
    sample: Sample, nll: NDArray[np.float64], rank: NDArray[np.uint8] | None, bytes_of: NDArray[np.int64]
) -> pa.Table:
    n = len(nll)
    starts = sample.token_starts
    sizes = np.r_[0, np.cumsum(bytes_of[sample.subwords])]
    name = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, dtype=np.int32)), pa.array([sample.sample]))
    columns = [
        name,
        pa.array(np.arange(n, dtype=np.int32)),
        pa.array(sample.kinds),
        pa.array(sample.origins),
        pa.array(sample.changes),
        pa.array((nll / np.log(2)).astype(np.float32)),
        pa.nulls(n, pa.uint8()) if rank is None else pa.array(rank),
        pa.array(np.diff(starts).astype(np.int32)),
        pa.array((sizes[starts[1:]] - sizes[starts[:-1]]).astype(np.int32)),
    ]
    return pa.Table.from_arrays(columns, schema=TOKENS)
