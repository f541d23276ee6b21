"""A gzipped JSONL file for each split, one sample a line; the source `jsonl` reads it with preset `plain`."""

import gzip
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from preprocessing import exports
from preprocessing.corpus.split import SPLITS
from preprocessing.lexer.tokens import TokensConfig

_FIELDS = ("sample", "project", "path", "license", "split", "outcome", "text", "docstring")


def write(shards: Sequence[Path], out: Path, tokens: TokensConfig) -> None:
    """Write train.jsonl.gz, valid.jsonl.gz and test.jsonl.gz; the same samples make the same bytes."""
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(gzip.GzipFile(out / f"{name}.jsonl.gz", "wb", mtime=0))
            for name in SPLITS
        }
        for row in exports.rows(shards):
            record = {name: row[name] for name in _FIELDS if row.get(name) is not None}
            files[row["split"]].write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
