"""Parquet files written and read a few megabytes at a time."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

FLUSH_CHARS = 4 * 2**20  # so much text, or FLUSH_ROWS rows, and they are written
FLUSH_ROWS = 4096


class RowWriter:
    """Collects rows and writes them in groups. An unclosed file is no Parquet file, so leave by `with`."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._schema = schema
        self._rows: list[Mapping[str, Any]] = []
        self._chars = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Add one row; its keys are the columns."""
        self._rows.append(row)
        self._chars += len(row.get("text") or "")
        if self._chars >= FLUSH_CHARS or len(self._rows) >= FLUSH_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._chars = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()


def rows(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a file as dictionaries, one batch in memory at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=256, columns=columns):
            yield from batch.to_pylist()
