"""The data section of a paper, in numbers: what a corpus holds, what it leaves out, whether splits leak."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from preprocessing import parquet_files
from preprocessing.corpus import building, duplicates
from preprocessing.corpus.duplicates import NearConfig, NearIndex
from preprocessing.corpus.split import SPLITS
from preprocessing.lexer.tokens import COMMENT, NAME, NEWLINE, Tokens, lex

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
_BINS_PER_DOUBLING = 2
_GROWTH_STEP = 1.15  # ratio of tokens between two points of the curve
_MERGED_AT_ONCE = 500_000


def describe(folder: Path) -> dict[str, Any]:
    """Facts about a built corpus, from one pass over its shards.

    `splits`: samples, projects, bytes, lines, tokens, identifiers. `percentiles`: of bytes, lines and
    tokens of a sample. `lengths`: for each of these and each split, bins (from, to, samples), to excluded.
    `vocabulary`: distinct tokens and identifiers, and `growth`, a list of (tokens read, distinct tokens,
    distinct identifiers so far) in the order of the shards (Heaps' law). `licenses` and `excluded` count
    samples and files by licence and reason.
    """
    splits = {name: Counter[str]() for name in SPLITS}
    projects: dict[str, set[str]] = {name: set() for name in SPLITS}
    lengths = {(unit, name): array("q") for unit in ("bytes", "lines", "tokens") for name in SPLITS}
    licenses: Counter[str] = Counter()
    vocabulary = _Vocabulary()
    for shard in building.shard_paths(folder):
        for row in parquet_files.rows(shard):
            tokens = lex(row["text"])
            sizes = {"bytes": row["n_bytes"], "lines": len(row["text"].splitlines()), "tokens": len(tokens)}
            splits[row["split"]].update(samples=1, identifiers=tokens.kinds.count(NAME), **sizes)
            projects[row["split"]].add(row["project"])
            licenses[row["license"] or "unknown"] += 1
            vocabulary.add(row["text"], tokens)
            for unit, size in sizes.items():
                lengths[unit, row["split"]].append(size)
    return {
        "splits": {name: dict(splits[name], projects=len(projects[name])) for name in SPLITS},
        "percentiles": {
            unit: _percentiles(np.concatenate([lengths[unit, name] for name in SPLITS]))
            for unit in ("bytes", "lines", "tokens")
        },
        "lengths": _bins(lengths),
        "vocabulary": vocabulary.facts(),
        "licenses": dict(licenses.most_common()),
        "excluded": excluded(folder),
    }


def excluded(folder: Path) -> dict[str, int]:
    """Files (or functions) that were left out of a built corpus, by reason, the most frequent first."""
    reasons = pq.read_table(folder / "excluded.parquet", columns=["reason"])["reason"].to_pylist()
    return dict(Counter(reasons).most_common())


def leaks(folder: Path, near: NearConfig) -> dict[str, Any]:
    """What is in more than one split of a built corpus: projects, and near duplicates.

    `projects` lists the shared projects, `near_duplicates` pairs of samples in different splits, each
    as two of "split project path"; `sample_share` is the share of valid and test samples that have a
    near duplicate in another split.
    """
    index = NearIndex(near.model_copy(update={"clusters": "together"}))
    names: list[str] = []
    split_of: list[str] = []
    in_splits: dict[str, set[str]] = {}
    pairs: list[tuple[str, str]] = []
    leaking: set[int] = set()
    for shard in building.shard_paths(folder):
        for row in parquet_files.rows(shard, ["project", "path", "split", "text"]):
            position = len(names)
            names.append(f"{row['split']} {row['project']} {row['path']}")
            split_of.append(row["split"])
            in_splits.setdefault(row["project"], set()).add(row["split"])
            signed = duplicates.signature(row["text"], lex(row["text"]), near)
            for other in index.similar(signed):
                if split_of[other] != row["split"]:
                    pairs.append((names[other], names[position]))
                    leaking.update(n for n in (other, position) if split_of[n] != "train")
            index.add(position, signed)
    held_out = sum(name != "train" for name in split_of)
    return {
        "projects": sorted(project for project, found in in_splits.items() if len(found) > 1),
        "near_duplicates": pairs,
        "sample_share": len(leaking) / held_out if held_out else 0.0,
    }


def _percentiles(values: "np.ndarray[Any, Any]") -> dict[str, float]:
    return {f"p{p}": float(np.percentile(values, p)) for p in PERCENTILES} if len(values) else {}


def _bins(lengths: Mapping[tuple[str, str], "array[int]"]) -> dict[str, dict[str, list[list[int]]]]:
    """Unit → split → (from, to, samples) of bins that are equally wide on a logarithmic scale."""
    found: dict[str, dict[str, list[list[int]]]] = {}
    for (unit, name), values in lengths.items():
        top = max((max(some, default=1) for (u, _), some in lengths.items() if u == unit), default=1)
        n_edges = int(np.ceil(np.log2(top + 1) * _BINS_PER_DOUBLING)) + 1
        edges = np.unique(np.ceil(2.0 ** (np.arange(n_edges) / _BINS_PER_DOUBLING))).astype(int)
        counts, _ = np.histogram(values, edges)
        rows = zip(edges, edges[1:], counts, strict=False)
        found.setdefault(unit, {})[name] = [[int(low), int(high), int(n)] for low, high, n in rows]
    return found


class _Vocabulary:
    """Distinct tokens and identifiers, as 64-bit hashes; what ends lines and blocks is not counted."""

    def __init__(self) -> None:
        self.identifiers, self.others = _Distinct(), _Distinct()
        self.curve: list[tuple[int, int, int]] = [(0, 0, 0)]
        self.n_tokens = 0

    def add(self, text: str, tokens: Tokens) -> None:
        words: tuple[set[str], set[str]] = (set(), set())
        for start, end, kind in zip(tokens.starts, tokens.ends, tokens.kinds, strict=True):
            if kind < NEWLINE or kind == COMMENT:
                words[kind == NAME].add(text[start:end])
                self.n_tokens += 1
        others, identifiers = words
        self.others.add(others)
        self.identifiers.add(identifiers)
        if self.n_tokens >= _GROWTH_STEP * self.curve[-1][0]:
            self._mark()

    def _mark(self) -> None:
        identifiers = len(self.identifiers)
        self.curve.append((self.n_tokens, identifiers + len(self.others), identifiers))

    def facts(self) -> dict[str, Any]:
        if self.n_tokens > self.curve[-1][0]:
            self._mark()
        _, tokens, identifiers = self.curve[-1]
        return {"tokens": tokens, "identifiers": identifiers, "growth": self.curve}


class _Distinct:
    """How many different words there were: eight bytes each, where a set of numbers has about a hundred."""

    def __init__(self) -> None:
        self._seen = np.empty(0, dtype=np.int64)
        self._new = array("q")

    def add(self, words: Iterable[str]) -> None:
        self._new.extend(map(hash, words))
        if len(self._new) > _MERGED_AT_ONCE:
            self._merge()

    def _merge(self) -> None:
        self._seen = np.union1d(self._seen, np.array(self._new, dtype=np.int64))
        self._new = array("q")

    def __len__(self) -> int:
        self._merge()
        return len(self._seen)
