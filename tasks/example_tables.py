"""Examples of a task as one table: a row for each sample about which something can be asked. Without torch.

    row as it is read, row of the corpus that it was made from   →   sample project split outcome …

A task whose examples are no more than some columns writes and reads them with this.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from preprocessing import parquet_files
from preprocessing.encoding import pairs
from preprocessing.errors import BadInput
from tasks import Encoding

if TYPE_CHECKING:
    from models.encoded import Part

FILE = "examples.parquet"
HEAD = ("sample", "project", "split", "outcome")
ORIGINAL = "original"
"""The outcome of a sample that is no variant's."""

Row = Mapping[str, Any]


def write(
    encoding: Encoding, columns: Sequence[tuple[str, pa.DataType]], make: Callable[[Row, Row], Row | None]
) -> dict[str, Any]:
    """Leaves the examples of a shard in `encoding.out`, without the samples that were thrown out.

    make: from a row as it is read, and the row of the corpus that it was made from (the same one where
    nothing was rewritten), the task's columns; None if there is nothing to ask. Returns facts: examples by
    split.
    """
    schema = pa.schema([*((name, pa.string()) for name in HEAD), *columns])
    counts: dict[str, int] = {}
    with parquet_files.RowWriter(encoding.out / FILE, schema) as writer:
        for row, original in pairs(encoding.shard, encoding.original):
            example = make(row, original)
            if example is not None:
                head = {"outcome": ORIGINAL} | {name: row[name] for name in HEAD if name in row}
                writer.add(head | dict(example))
                counts[row["split"]] = counts.get(row["split"], 0) + 1
    return {"examples": counts}


def read(folders: Iterable[Path], split: str) -> pa.Table:
    """The examples of a split in some encoded shards, in their order."""
    return pa.concat_tables(
        pq.read_table(folder / FILE, filters=pc.field("split") == split) for folder in folders
    )


def of_parts(parts: Sequence["Part"], split: str) -> pa.Table:
    """The examples that take part in a training. Raises BadInput if there are none."""
    tables = []
    for part in parts:
        table = read([part.folder], split)
        if part.only_rewritten:
            table = table.filter(pc.equal(table["outcome"], "rewritten"))
        if part.as_rewritten is not None:
            variant = read([part.as_rewritten], split)
            changed = variant.filter(pc.equal(variant["outcome"], "rewritten"))["sample"]
            table = table.filter(pc.is_in(table["sample"], value_set=changed.combine_chunks()))
        tables.append(table)
    examples = pa.concat_tables(tables)
    if not len(examples):
        raise BadInput(f"no {split} examples: every sample was left out or none was in the {split} split")
    return examples
