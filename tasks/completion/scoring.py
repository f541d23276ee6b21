"""The body of a scoring step: one trained model, all its test sets, a table of tokens and one of samples for
each.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.encoded import TextSample, scored_samples
from models.interface import LanguageModel
from models.scoring.scorer import Best, Counts, Scored, Scorer
from models.scoring.windows import first_in_view
from models.subtokens import overlap, subtokens
from models.training.training_job import Report
from models.vocabulary import Vocabulary
from preprocessing import tokenizers
from preprocessing.lexer.tokens import NAME
from tasks import Test, evaluating
from tasks.completion.adapting import score_dynamic
from tasks.completion.config import Evaluation
from tasks.completion.scored_tokens import SCORED

ROW_GROUP = 250_000  # tokens that are written together
TOKENS = pa.schema(
    [
        ("sample", pa.dictionary(pa.int32(), pa.string())),
        ("token", pa.int32()),
        ("kind", pa.uint8()),
        ("origin", pa.int32()),
        ("change", pa.uint8()),
        ("nll_bits", pa.float32()),
        ("rank", pa.uint8()),  # 1 to 10, 0 beyond, null if no metric asked for it
        ("n_subwords", pa.int32()),
        ("n_bytes", pa.int32()),
        ("best_bits", pa.float32()),  # of the most probable token, null if no metric asked for it
        ("f1_shared", pa.uint16()),  # sub-tokens that the most probable token shares with the true one
        ("f1_both", pa.uint16()),  # sub-tokens of both together; 0 but for identifiers, null if not asked for
        ("n_seen", pa.int32()),  # original tokens before it that the model could see
    ]
)
SAMPLES = SCORED.table_of()


@runtime_checkable
class RanksTokens(Protocol):
    """A model with a tokenizer of its own, that says itself what the rank of a token is, and the best one."""

    def rank_tokens(self, tokenizer: Any, sample: TextSample, best: bool) -> Any: ...


def run(
    *, model_folder: Path, tokenizer: Path, tests: Sequence[Test], config: Evaluation, report: Report
) -> list[dict[str, Any]]:
    """Scores every test set; for each its facts, or {"error": last line, "traceback": text} if it failed.

    Writes tokens.parquet and samples.parquet (tasks.units) into each test's folder, sample by sample: memory
    does not grow with the test set. Raises BadInput if the model can't be loaded.
    """
    model = evaluating.load(model_folder, tokenizer=tokenizer, threads=config.threads)
    vocabulary = Vocabulary(tokenizers.load(tokenizer))
    scorer = Scorer(
        model=model,
        vocabulary=vocabulary,
        rows=config.rows,
        window=config.window,
        ranks=config.ranks and vocabulary.closed,
        best=config.best and vocabulary.closed,
        max_expansions=config.max_expansions,
    )
    return evaluating.each(tests, partial(_score, scorer, config), report)


def _score(scorer: Scorer, config: Evaluation, test: Test, report: Report) -> dict[str, Any]:
    started, scorer.counts = time.monotonic(), Counts()
    ranked = scorer.ranks or (config.ranks and isinstance(scorer.model, RanksTokens))
    totals = {"samples": 0, "empty_samples": 0, "tokens": 0, "bits": 0.0}
    with (
        pq.ParquetWriter(test.out / SCORED.file, TOKENS, compression="zstd") as tokens_file,
        pq.ParquetWriter(test.out / "samples.parquet", SAMPLES, compression="zstd") as samples_file,
    ):
        for batch in _row_groups(_scored(scorer, config, test.parts)):
            tables, projects = [], {}
            for scored in batch:
                totals["samples"] += 1
                totals["empty_samples"] += not len(scored.nll)
                tables.append(_table(scored, ranked, scorer))
                projects[scored.text.sample] = scored.text.project
            table = pa.concat_tables(tables).unify_dictionaries()
            totals["tokens"] += len(table)
            totals["bits"] += float(np.sum(table.column("nll_bits").to_numpy(), dtype=np.float64))
            tokens_file.write_table(table)
            samples_file.write_table(SCORED.summed(table, projects, SCORED.sums))
            report({"tokens": scorer.counts.tokens, "seconds": time.monotonic() - started})
    seconds = time.monotonic() - started
    counts = asdict(scorer.counts)
    return {
        **counts,
        "tokens": totals["tokens"],
        "samples": totals["samples"],
        "empty_samples": totals["empty_samples"],
        "bits_per_token": totals["bits"] / totals["tokens"] if totals["tokens"] else None,
        "seconds": seconds,
        "tokens_per_s": counts["tokens"] / seconds if seconds else None,
    }


def _scored(scorer: Scorer, config: Evaluation, parts: Sequence[Path]) -> Iterator[Scored]:
    dynamic = config.adapt == "dynamic"
    samples = scored_samples(parts, scorer.vocabulary.size, by_project=dynamic)
    if dynamic:
        found = score_dynamic(scorer, samples, config.adapt_rate, config.window)
    else:
        found = scorer.score(samples)
    for scored in found:
        unknown = scored.text.holds(scorer.vocabulary.unknown)
        scorer.counts.unknown += int(unknown.sum())
        nll = scored.text.of_tokens(scored.nll)
        rank = np.where(unknown, 0, scored.rank).astype(np.uint8)  # nobody could complete it
        best = scored.best
        if config.ranks and isinstance(scorer.model, RanksTokens):
            ranks = scorer.model.rank_tokens(scorer.vocabulary.tokenizer, scored.text, config.best)
            rank, best = ranks.rank, ranks.best
            if config.best and best is None:  # given up: wrong everywhere
                best = Best(nll, spelled=[""] * len(nll))
            scorer.counts.searched += ranks.searched
            scorer.counts.cut_off += ranks.cut_off
            scorer.counts.best_cut_off += ranks.best_cut_off
            scorer.counts.expansions += ranks.expansions
        yield scored._replace(nll=nll, rank=rank, best=best)


def _row_groups(scored: Iterable[Scored]) -> Iterator[list[Scored]]:
    batch: list[Scored] = []
    size = 0
    for entry in scored:
        batch.append(entry)
        size += len(entry.nll)
        if size >= ROW_GROUP:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def tokens_in_view(sample: TextSample, model: LanguageModel) -> NDArray[np.int32]:
    """(T) how many whole original tokens before each token the model reads with it.

    With a limited context those of its window, otherwise all: a state was carried over the whole text.
    """
    before = np.r_[0, np.cumsum(sample.origins >= 0)]
    if model.context is None or not len(sample.subwords):
        return np.asarray(before[:-1], np.int32)
    view = first_in_view(sample, model.context, model.kept)
    begins = sample.token_starts[:-1]
    if sample.ends is not None:
        begins = np.floor(np.r_[0.0, sample.ends[:-1]]).astype(np.int64)
        view = view[np.minimum(begins, len(view) - 1)]
    hidden = before[np.searchsorted(begins, view)]
    return np.asarray(np.maximum(before[:-1] - hidden, 0), np.int32)


def _table(scored: Scored, ranks: bool, scorer: Scorer) -> pa.Table:
    sample: TextSample = scored.text
    vocabulary = scorer.vocabulary
    n = len(scored.nll)
    name = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, dtype=np.int32)), pa.array([sample.sample]))
    columns = [
        name,
        pa.array(np.arange(n, dtype=np.int32)),
        pa.array(sample.kinds),
        pa.array(sample.origins),
        pa.array(sample.changes),
        pa.array((scored.nll / np.log(2)).astype(np.float32)),
        pa.array(scored.rank) if ranks else pa.nulls(n, pa.uint8()),
        pa.array(sample.subword_counts()),
        pa.array(sample.byte_counts(vocabulary.bytes)),
    ]
    if scored.best is None:
        columns += [pa.nulls(n, pa.float32()), *[pa.nulls(n, pa.uint16())] * 2]
    else:
        columns.append(pa.array((scored.best.nats / np.log(2)).astype(np.float32)))
        columns += map(pa.array, _overlaps(scored, scored.best, vocabulary).T)
    columns.append(pa.array(tokens_in_view(sample, scorer.model)))
    return pa.Table.from_arrays(columns, schema=TOKENS)


def _overlaps(scored: Scored, best: Best, vocabulary: Vocabulary) -> NDArray[np.uint16]:
    """Sub-tokens that the most probable token shares with the true one, and of both together; (K, 2)."""
    sample: TextSample = scored.text
    counts = np.zeros((len(scored.nll), 2), dtype=np.uint16)
    for k in np.flatnonzero(sample.kinds == NAME).tolist():
        if best.spelled is None:
            first, last = sample.token_starts[k : k + 2]
            true = vocabulary.subtokens(sample.subwords[first:last].tolist())
        else:
            true = subtokens(best.spelled[k])
        token = best.tokens.get(k)
        if token is not None:
            words = subtokens(token) if isinstance(token, str) else vocabulary.subtokens(token)
            counts[k] = overlap(true, words)
        elif scored.rank[k]:  # the true token itself
            counts[k] = true.total(), 2 * true.total()
        else:  # the search was cut off
            counts[k] = 0, true.total()
    return counts
