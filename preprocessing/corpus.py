"""A corpus: what one source gives, cleaned, without duplicates, split, and cut into shards.

Texts stream: the first pass cleans and writes them aside, the second deals them out to the shards.
Between the two only a few dozen bytes for each sample are held in memory.
"""

import hashlib
import platform
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from preprocessing import parquet, reading, sources, split
from preprocessing.errors import BadInput, BadSource
from preprocessing.sources import AnySource, Excluded, RawFile
from preprocessing.split import SPLITS, SplitConfig
from preprocessing.tokens import lex

SCHEMA = pa.schema(
    [
        ("sample", pa.string()),
        ("project", pa.string()),
        ("path", pa.string()),
        ("license", pa.string()),
        ("split", pa.string()),
        ("sha256", pa.string()),
        ("text", pa.string()),
        ("n_tokens", pa.int32()),
        ("n_bytes", pa.int32()),
    ]
)
EXCLUDED_SCHEMA = pa.schema(
    [("project", pa.string()), ("path", pa.string()), ("reason", pa.string()), ("detail", pa.string())]
)


class KeepConfig(BaseModel):
    """Which files stay. Bytes are those of the text in UTF-8; tokens are counted without comments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_bytes: int = Field(default=1, ge=0)
    max_bytes: int = Field(default=1_000_000, ge=1, le=16 * 2**20)
    max_line_chars: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_samples: int | None = Field(default=None, ge=1)


class CorpusConfig(BaseModel):
    """One corpus, as it stands in a spec. `shards` is the number of files it is cut into: the unit of
    parallel work.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: AnySource
    unit: Literal["file"] = "file"
    keep: KeepConfig = KeepConfig()
    duplicates: Literal["none", "exact"] = "exact"
    split: SplitConfig = SplitConfig()
    shards: int = Field(default=4, ge=1, le=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One source text that passed the filters."""

    project: str
    path: str
    license: str
    text: str
    n_tokens: int
    n_bytes: int

    @property
    def name(self) -> str:
        """16 hex digits, from project, path and text."""
        return hashlib.sha256(f"{self.project}\0{self.path}\0{self.text}".encode()).hexdigest()[:16]


def raw_digest(config: CorpusConfig) -> str:
    """Digest of the source's raw data and of the Python version, which decides what parses."""
    version = ".".join(platform.python_version_tuple()[:2])
    content = sources.lookup(config.source.kind).raw_digest(config.source)
    return hashlib.sha256(f"{version}:{content}".encode()).hexdigest()


def build(config: CorpusConfig, out: Path) -> dict[str, Any]:
    """Build the corpus in the empty folder `out`: shard-00000.parquet … (SCHEMA) and excluded.parquet.

    Returns facts: samples, bytes, tokens and projects by split, excluded by reason, licences. Raises
    BadInput if the source can't be read, nothing is left after the filters, or a split would be empty.
    """
    with tempfile.TemporaryDirectory(dir=out, prefix=".spool-") as folder:
        spool = Path(folder) / "samples.parquet"
        with parquet.Writer(out / "excluded.parquet", EXCLUDED_SCHEMA) as rejects:
            excluded = _Excluded(rejects)
            index = _clean(config, spool, excluded)
            dropped = _choose(config, index)
            _check_not_empty(config, index, dropped, excluded)
            deal = _deal(config, index, dropped)
            facts = _write(config, spool, out, dropped, deal, excluded)
    return facts | {"excluded": dict(sorted(excluded.counts.items())), "python": platform.python_version()}


class _Excluded:
    """Writes down what is left out, and counts the reasons."""

    def __init__(self, writer: parquet.Writer) -> None:
        self.writer = writer
        self.counts: Counter[str] = Counter()

    def add(self, project: str, path: str, reason: str, detail: str = "") -> None:
        self.counts[reason] += 1
        self.writer.add({"project": project, "path": path, "reason": reason, "detail": detail})


@dataclass
class _Index:
    """What is remembered of each sample between the passes."""

    names: "array[int]" = field(default_factory=lambda: array("Q"))  # the sample's 16 hex digits as a number
    contents: "array[int]" = field(default_factory=lambda: array("Q"))  # of the text, whitespace normalised
    projects: "array[int]" = field(default_factory=lambda: array("L"))
    n_bytes: "array[int]" = field(default_factory=lambda: array("L"))
    project_ids: dict[str, int] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        normal = " ".join(sample.text.split()).encode()
        self.names.append(int(sample.name, 16))
        self.contents.append(int.from_bytes(hashlib.sha256(normal).digest()[:8]))
        self.projects.append(self.project_ids.setdefault(sample.project, len(self.project_ids)))
        self.n_bytes.append(sample.n_bytes)

    def __len__(self) -> int:
        return len(self.names)


def clean(raw: RawFile, keep: KeepConfig) -> Sample:
    """Check one file. Raises BadSource with the reason if it has to stay out."""
    text = reading.decode(raw.data)
    n_bytes = len(text.encode())
    if n_bytes < keep.min_bytes:
        raise BadSource("too_small", f"{n_bytes:,} bytes; keep.min_bytes is {keep.min_bytes:,}")
    if n_bytes > keep.max_bytes:
        raise BadSource("too_large", f"{n_bytes:,} bytes; keep.max_bytes is {keep.max_bytes:,}")
    longest = max((len(line) for line in text.splitlines()), default=0) if keep.max_line_chars else 0
    if keep.max_line_chars and longest > keep.max_line_chars:
        raise BadSource(
            "long_line", f"{longest:,} characters; keep.max_line_chars is {keep.max_line_chars:,}"
        )
    n_tokens = len(lex(text))
    if not n_tokens:
        raise BadSource("no_tokens", "nothing but blank lines and comments")
    if keep.max_tokens and n_tokens > keep.max_tokens:
        raise BadSource("too_many_tokens", f"{n_tokens:,} tokens; keep.max_tokens is {keep.max_tokens:,}")
    reading.check_syntax(text)
    return Sample(
        project=_printable(raw.project),
        path=_printable(raw.path),
        license=raw.license,
        text=text,
        n_tokens=n_tokens,
        n_bytes=n_bytes,
    )


def _printable(name: str) -> str:
    """File names needn't be UTF-8; tables must."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _clean(config: CorpusConfig, spool: Path, excluded: _Excluded) -> _Index:
    index = _Index()
    with parquet.Writer(spool, SCHEMA) as writer:
        for raw in sources.lookup(config.source.kind).read(config.source):
            if isinstance(raw, Excluded):
                excluded.add(_printable(raw.project), _printable(raw.path), raw.reason, raw.detail)
                continue
            try:
                sample = clean(raw, config.keep)
            except BadSource as bad:
                excluded.add(_printable(raw.project), _printable(raw.path), bad.reason, bad.detail)
                continue
            index.add(sample)
            writer.add(_row(sample))
    return index


def _row(sample: Sample) -> dict[str, Any]:
    return {
        "sample": sample.name,
        "project": sample.project,
        "path": sample.path,
        "license": sample.license,
        "split": "",
        "sha256": hashlib.sha256(sample.text.encode()).hexdigest(),
        "text": sample.text,
        "n_tokens": sample.n_tokens,
        "n_bytes": sample.n_bytes,
    }


def _choose(config: CorpusConfig, index: _Index) -> dict[int, str]:
    """Samples to leave out, by position, with the reason. Of duplicates the first stays."""
    dropped: dict[int, str] = {}
    _drop_repeated(index.names, "same_sample", dropped)
    if config.duplicates == "exact":
        _drop_repeated(index.contents, "duplicate", dropped)
    if config.keep.max_samples is not None:
        left = [position for position in range(len(index)) if position not in dropped]
        left.sort(key=lambda position: _lot(config.split.seed, index.names[position]))
        dropped.update(dict.fromkeys(left[config.keep.max_samples :], "not_drawn"))
    return dropped


def _drop_repeated(values: "array[int]", reason: str, dropped: dict[int, str]) -> None:
    _, first = np.unique(np.array(values, dtype=np.uint64), return_index=True)
    repeated = np.ones(len(values), dtype=bool)
    repeated[first] = False
    for position in np.flatnonzero(repeated):
        dropped.setdefault(int(position), reason)


def _lot(seed: int, name: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{name:016x}".encode(), digest_size=8).digest()


def _check_not_empty(
    config: CorpusConfig, index: _Index, dropped: dict[int, str], excluded: _Excluded
) -> None:
    if len(index) > len(dropped):
        return
    counts = excluded.counts + Counter(dropped.values())
    reasons = (
        ", ".join(f"{count} {reason}" for reason, count in counts.most_common()) or "the source is empty"
    )
    keep = ", ".join(f"{key} {value}" for key, value in config.keep.model_dump(exclude_none=True).items())
    raise BadInput(
        f"corpus: no sample is left of source {config.source.kind!r} after the filters "
        f"(keep: {keep}; duplicates: {config.duplicates}). Left out: {reasons}"
    )


@dataclass(frozen=True)
class _Deal:
    """Split of each sample (index of SPLITS) and shard, by position."""

    splits: np.ndarray
    shards: np.ndarray


def _deal(config: CorpusConfig, index: _Index, dropped: dict[int, str]) -> _Deal:
    kept = np.array([position for position in range(len(index)) if position not in dropped])
    if config.split.by == "project":
        names = list(index.project_ids)
        units = [names[index.projects[position]] for position in kept]
    else:
        units = [f"{index.names[position]:016x}" for position in kept]
    sizes: Counter[str] = Counter()
    for unit, position in zip(units, kept, strict=True):
        sizes[unit] += index.n_bytes[position]
    assigned = split.assign(sizes, config.split)
    splits = np.zeros(len(index), dtype=np.int8)
    splits[kept] = [SPLITS.index(assigned[unit]) for unit in units]
    return _Deal(splits, _even(np.array(index.n_bytes), kept, config.shards))


def _even(n_bytes: np.ndarray, kept: np.ndarray, shards: int) -> np.ndarray:
    """Shard of each sample: shards are contiguous runs of about the same bytes, in the source's order."""
    result = np.zeros(len(n_bytes), dtype=np.int32)
    before = np.cumsum(n_bytes[kept]) - n_bytes[kept] / 2
    result[kept] = np.minimum(before / n_bytes[kept].sum() * shards, shards - 1).astype(np.int32)
    return result


def _write(
    config: CorpusConfig, spool: Path, out: Path, dropped: dict[int, str], deal: _Deal, excluded: _Excluded
) -> dict[str, Any]:
    facts = {name: Counter[str]() for name in SPLITS}
    projects: dict[str, set[str]] = {name: set() for name in SPLITS}
    licenses: Counter[str] = Counter()
    with ExitStack() as stack:
        writers = [
            stack.enter_context(parquet.Writer(out / f"shard-{number:05}.parquet", SCHEMA))
            for number in range(config.shards)
        ]
        for position, row in enumerate(parquet.rows(spool)):
            if position in dropped:
                excluded.add(row["project"], row["path"], dropped[position])
                continue
            row["split"] = SPLITS[deal.splits[position]]
            writers[deal.shards[position]].add(row)
            counts = facts[row["split"]]
            counts.update(samples=1, bytes=row["n_bytes"], tokens=row["n_tokens"])
            counts["lines"] += len(row["text"].splitlines())
            projects[row["split"]].add(row["project"])
            licenses[row["license"] or "unknown"] += 1
    return {
        "splits": {name: dict(facts[name], projects=len(projects[name])) for name in SPLITS},
        "licenses": dict(licenses.most_common()),
    }


def shard_paths(folder: Path) -> Iterator[Path]:
    """The shards of a built corpus, in order."""
    return iter(sorted(folder.glob("shard-*.parquet")))
