"""A corpus, or a variant of one, in formats that others read: one module per format, found by its name.

Each module has `write(shards, out, tokens)`: shards of a corpus or of a variant, and an empty folder.
Samples that were thrown out of a variant are left out.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from preprocessing import parquet_files
from preprocessing.by_kind import Kinds
from preprocessing.lexer.tokens import TokensConfig


class Export(Protocol):
    """What a module below this package gives."""

    def write(self, shards: Sequence[Path], out: Path, tokens: TokensConfig) -> None: ...


EXPORTS = Kinds[Export](__name__, "--data: no such format")
lookup = EXPORTS.lookup


def rows(shards: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The samples that have a text, shard by shard."""
    for shard in shards:
        yield from (row for row in parquet_files.rows(shard) if row["text"] is not None)
