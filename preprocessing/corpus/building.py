"""A corpus: what one source gives, cleaned, without duplicates, split, and cut into shards.

Texts stream: the first pass cleans and writes them aside, the second deals them out to the shards.
Between the two only some dozen bytes for each sample are held in memory, and the index of near
duplicates if they are looked for.
"""

import hashlib
import platform
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from preprocessing import parquet_files, sources
from preprocessing.corpus import cleaning
from preprocessing.corpus.cleaning import CleaningRules, KeepConfig, Sample
from preprocessing.corpus.duplicates import NearConfig
from preprocessing.corpus.functions import FunctionsConfig
from preprocessing.corpus.index import Index
from preprocessing.corpus.split import SPLITS, SplitConfig
from preprocessing.errors import BadInput
from preprocessing.fetching.raw import Excluded, RawFile
from preprocessing.frozen import Frozen
from preprocessing.sources import AnySource

SCHEMA = pa.schema(
    [
        ("sample", pa.string()),
        ("project", pa.string()),
        ("path", pa.string()),
        ("license", pa.string()),
        ("split", pa.string()),
        ("sha256", pa.string()),
        ("text", pa.string()),
        ("docstring", pa.string()),
        ("n_tokens", pa.int32()),
        ("n_bytes", pa.int32()),
    ]
)
EXCLUDED_SCHEMA = pa.schema(
    [("project", pa.string()), ("path", pa.string()), ("reason", pa.string()), ("detail", pa.string())]
)
_BATCH_BYTES = 2**20  # so much goes to a worker at once


class CorpusConfig(Frozen):
    """One corpus, as it stands in a spec.

    `functions` matters with `unit: function`, `near` with `duplicates: near`. Exact duplicates are
    equal but for whitespace; looking for near ones finds them too. `shards` is the number of files that
    the corpus is cut into: the unit of parallel work.
    """

    source: AnySource
    unit: Literal["file", "function"] = "file"
    functions: FunctionsConfig = FunctionsConfig()
    keep: KeepConfig = KeepConfig()
    duplicates: Literal["none", "exact", "near"] = "exact"
    near: NearConfig = NearConfig()
    split: SplitConfig = SplitConfig()
    shards: int = Field(default=4, ge=1, le=10_000)

    def rules(self) -> CleaningRules:
        """What cleaning needs to know."""
        return CleaningRules(
            keep=self.keep,
            functions=self.functions if self.unit == "function" else None,
            near=self.near if self.duplicates == "near" else None,
        )


def raw_digest(config: CorpusConfig) -> str:
    """Digest of the source's raw data, of a given split, and of the version of Python that parses them."""
    content = sources.lookup(config.source.kind).raw_digest(config.source)
    given = ""
    if config.split.file is not None:
        path = Path(config.split.file)
        if not path.is_file():
            raise BadInput(f"corpus.split.file: no file {str(path)!r}")
        given = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(f"{_python()}:{content}:{given}".encode()).hexdigest()


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def build(config: CorpusConfig, out: Path, *, workers: int = 1) -> dict[str, Any]:
    """Build the corpus in the empty folder `out`: shard-00000.parquet … (SCHEMA) and excluded.parquet.

    `workers` processes clean; the result does not depend on their number. Returns facts: samples,
    bytes, tokens, lines and projects by split, how many projects stand in train and in test, excluded by
    reason, licences. Raises BadInput if the source can't be read, nothing is left after the filters, or
    a split would be empty.
    """
    with tempfile.TemporaryDirectory(dir=out, prefix=".spool-") as folder:
        spool = Path(folder) / "samples.parquet"
        with parquet_files.RowWriter(out / "excluded.parquet", EXCLUDED_SCHEMA) as rejects:
            excluded = _Excluded(rejects)
            index = _clean(config, spool, excluded, workers)
            dropped = index.choose(exact=config.duplicates != "none", seed=config.split.seed,
                                   max_samples=config.keep.max_samples)  # fmt: skip
            _check_not_empty(config, len(index) - len(dropped), dropped, excluded)
            deal = index.deal(dropped, config.split, config.shards)
            facts = _write(config, spool, out, dropped, deal, excluded)
    return facts | {"excluded": dict(sorted(excluded.counts.items())), "python": _python()}


def shard_paths(folder: Path) -> Iterator[Path]:
    """The shards of a built corpus, in order."""
    return iter(sorted(folder.glob("shard-*.parquet")))


class _Excluded:
    """Writes down what is left out, and counts the reasons."""

    def __init__(self, writer: parquet_files.RowWriter) -> None:
        self.writer = writer
        self.counts: Counter[str] = Counter()

    def add(self, project: str, path: str, reason: str, detail: str = "") -> None:
        self.counts[reason] += 1
        self.writer.add({"project": project, "path": path, "reason": reason, "detail": detail})


def _clean(config: CorpusConfig, spool: Path, excluded: _Excluded, workers: int) -> Index:
    index = Index(config.near if config.duplicates == "near" else None, config.split)
    raw = sources.lookup(config.source.kind).read(config.source)
    with parquet_files.RowWriter(spool, SCHEMA) as writer:
        for cleaned in _cleaned(raw, config.rules(), workers):
            if isinstance(cleaned, Excluded):
                excluded.add(cleaned.project, cleaned.path, cleaned.reason, cleaned.detail)
            else:
                index.add(cleaned)
                writer.add(_row(cleaned))
    return index


def _cleaned(
    raw: Iterator[RawFile | Excluded], rules: CleaningRules, workers: int
) -> Iterable[Sample | Excluded]:
    """In the order of the source, whoever did the work."""
    if workers == 1:
        return chain.from_iterable(cleaning.clean(file, rules) for file in raw)
    from joblib import Parallel, delayed

    work = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="2*n_jobs")
    return chain.from_iterable(work(delayed(_clean_batch)(batch, rules) for batch in _batches(raw)))


def _clean_batch(batch: list[RawFile | Excluded], rules: CleaningRules) -> list[Sample | Excluded]:
    return [cleaned for raw in batch for cleaned in cleaning.clean(raw, rules)]


def _batches(raw: Iterator[RawFile | Excluded]) -> Iterator[list[RawFile | Excluded]]:
    batch: list[RawFile | Excluded] = []
    size = 0
    for file in raw:
        batch.append(file)
        size += len(file.data) if isinstance(file, RawFile) else 0
        if size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _row(sample: Sample) -> dict[str, Any]:
    return {
        "sample": sample.name,
        "project": sample.project,
        "path": sample.path,
        "license": sample.license,
        "split": "",
        "sha256": hashlib.sha256(sample.text.encode()).hexdigest(),
        "text": sample.text,
        "docstring": sample.docstring,
        "n_tokens": sample.n_tokens,
        "n_bytes": sample.n_bytes,
    }


def _check_not_empty(config: CorpusConfig, left: int, dropped: dict[int, str], excluded: _Excluded) -> None:
    if left:
        return
    counts = excluded.counts + Counter(dropped.values())
    reasons = (
        ", ".join(f"{count} {reason}" for reason, count in counts.most_common()) or "the source is empty"
    )
    keep = ", ".join(f"{key} {value}" for key, value in config.keep.model_dump(exclude_none=True).items())
    raise BadInput(
        f"corpus: no sample is left of source {config.source.kind!r} after the filters "
        f"(unit: {config.unit}; keep: {keep}; duplicates: {config.duplicates}). Left out: {reasons}"
    )


def _write(
    config: CorpusConfig,
    spool: Path,
    out: Path,
    dropped: dict[int, str],
    deal: list[tuple[str, int]],
    excluded: _Excluded,
) -> dict[str, Any]:
    """Samples are dealt in runs, so one shard is open at a time."""
    facts = {name: Counter[str]() for name in SPLITS}
    projects: dict[str, set[str]] = {name: set() for name in SPLITS}
    licenses: Counter[str] = Counter()
    rows = _dealt(spool, dropped, deal, excluded)
    row, of = next(rows)
    for number in range(config.shards):
        with parquet_files.RowWriter(out / f"shard-{number:05}.parquet", SCHEMA) as writer:
            while of == number:
                writer.add(row)
                lines = len(row["text"].splitlines())
                facts[row["split"]].update(
                    samples=1, bytes=row["n_bytes"], tokens=row["n_tokens"], lines=lines
                )
                projects[row["split"]].add(row["project"])
                licenses[row["license"] or "unknown"] += 1
                row, of = next(rows, (row, config.shards))
    return {
        "splits": {name: dict(facts[name], projects=len(projects[name])) for name in SPLITS},
        "shared_projects": len(projects["train"] & projects["test"]),
        "licenses": dict(licenses.most_common()),
    }


def _dealt(
    spool: Path, dropped: dict[int, str], deal: list[tuple[str, int]], excluded: _Excluded
) -> Iterator[tuple[dict[str, Any], int]]:
    """The samples that stay, with their shard; the others are written down."""
    for position, row in enumerate(parquet_files.rows(spool)):
        if position in dropped:
            excluded.add(row["project"], row["path"], dropped[position])
        else:
            row["split"], shard = deal[position]
            yield row, shard
