"""Naturalness step: a variant beside its corpus, by models that made nothing; a job learns a corpus once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grid.steps.worker import Result, Work, Workplace, each

if TYPE_CHECKING:
    from models.naturalness.pairs import Pair, Text

SAMPLE: Mapping[str, int] = {"max_bytes": 300_000, "max_texts": 300}
"""How much of a corpus is looked at, of all splits: about a second of work for each variant."""
FILE = "naturalness.json"


def version() -> int:
    """Raised when the same corpus and variant give other numbers."""
    return 1


def make(works: Sequence[Work], context: Workplace) -> Iterator[Result]:
    """naturalness.json of each variant: `models.naturalness.yardstick.Naturalness`, or null."""
    from models.naturalness.yardstick import Yardstick

    corpus = context.input(works[0], "corpus")
    originals = {text.sample: text for text in drawn(corpus, **works[0].parameters)}
    halves = len({text.project for text in originals.values()}) > 1
    yardstick = Yardstick(list(originals.values())) if halves else None

    def one(work: Work, context: Workplace) -> dict[str, object]:
        shards = [folder / "shard.parquet" for folder in context.inputs(work, "variant")]
        found = asdict(yardstick.measure(_pairs(shards, originals))) if yardstick else None
        (work.out / FILE).write_text(json.dumps(found), encoding="utf-8")
        return found or {}

    yield from each(works, context, one)


def drawn(corpus: Path, *, max_bytes: int, max_texts: int) -> list[Text]:
    """Texts of a corpus, taken in the order of their names, which are digests, as long as there is room."""
    import pyarrow.parquet as pq

    from models.naturalness.pairs import Text
    from preprocessing.corpus import building

    shards = list(building.shard_paths(corpus))
    sizes: list[tuple[str, int]] = []
    for shard in shards:
        table = pq.read_table(shard, columns=["sample", "n_bytes"])
        sizes += zip(table["sample"].to_pylist(), table["n_bytes"].to_pylist(), strict=True)
    chosen: set[str] = set()
    for sample, size in sorted(sizes):
        if len(chosen) < max_texts and size <= max_bytes:
            chosen.add(sample)
            max_bytes -= size
    rows = [row for shard in shards for row in _rows(shard, chosen, ["sample", "project", "text"])]
    return [Text(row["sample"], row["project"], row["text"]) for row in rows]


def _pairs(shards: Sequence[Path], originals: Mapping[str, Text]) -> Iterator[Pair]:
    """Those of the originals that a variant rewrote and kept."""
    from models.naturalness.pairs import pair
    from transformers_py import align

    for shard in shards:
        for row in _rows(shard, originals, ["sample", "text", "edits", "outcome"]):
            if row["outcome"] == "rewritten":
                edits = [(edit["start"], edit["end"], edit["text"]) for edit in row["edits"]]
                yield pair(originals[row["sample"]], row["text"], edits, align)


def _rows(shard: Path, samples: Any, columns: Sequence[str]) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    filters = [("sample", "in", sorted(samples))]
    rows: list[dict[str, Any]] = pq.read_table(shard, columns=list(columns), filters=filters).to_pylist()
    return rows
