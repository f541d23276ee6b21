"""Parquet files with a column of texts, as The Stack is published."""

from collections.abc import Iterator
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.errors import BadInput
from preprocessing.fetching import files, records
from preprocessing.fetching.raw import Excluded, RawFile
from preprocessing.fetching.records import RecordsConfig


class Config(RecordsConfig):
    """`path` may have wildcards."""

    kind: Literal["parquet"] = "parquet"
    path: str


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """One raw file for each row; only the columns that mean something are read."""
    fields = config.mapping()
    wanted = [name for name in fields.model_dump().values() if name is not None]
    for path in files.matching(config.path, "corpus.source.path"):
        try:
            with pq.ParquetFile(path) as file:
                names = file.schema_arrow.names
                if fields.text not in names:
                    raise BadInput(
                        f"corpus.source.fields.text: {path} has no column {fields.text!r}; "
                        f"it has {', '.join(names)}"
                    )
                number = 0
                for batch in file.iter_batches(batch_size=64, columns=[n for n in wanted if n in names]):
                    for record in batch.to_pylist():
                        yield records.raw_file(record, config, path.name, number)
                        number += 1
        except (pa.ArrowException, OSError) as error:
            raise BadInput(f"corpus.source.path: can't read {path}: {error}") from error


def raw_digest(config: Config) -> str:
    """Digest of the files."""
    return files.digest_whole(files.matching(config.path, "corpus.source.path"))
