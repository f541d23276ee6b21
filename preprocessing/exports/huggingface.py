"""A folder for `datasets.load_dataset(folder)`: Parquet files by split, with the names of the hub."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa

from preprocessing import exports, parquet_files
from preprocessing.corpus.split import SPLITS
from preprocessing.lexer.tokens import TokensConfig

_NAMES = {"train": "train", "valid": "validation", "test": "test"}
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("sample", "project", "path", "license", "outcome", "text")]
)
_CARD = """---
configs:
- config_name: default
  data_files:
{files}---
"""


def write(shards: Sequence[Path], out: Path, tokens: TokensConfig) -> None:
    """Write data/train.parquet … and a README.md whose header says what they are. Empty splits have no
    file.
    """
    (out / "data").mkdir()
    counts = dict.fromkeys(SPLITS, 0)
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                parquet_files.RowWriter(out / "data" / f"{_NAMES[name]}.parquet", _SCHEMA)
            )
            for name in SPLITS
        }
        for row in exports.rows(shards):
            writers[row["split"]].add({name: row.get(name) for name in _SCHEMA.names})
            counts[row["split"]] += 1
    for name in SPLITS:
        if not counts[name]:
            (out / "data" / f"{_NAMES[name]}.parquet").unlink()
    lines = [
        f"  - split: {_NAMES[name]}\n    path: data/{_NAMES[name]}.parquet\n"
        for name in SPLITS
        if counts[name]
    ]
    (out / "README.md").write_text(_CARD.format(files="".join(lines)), encoding="utf-8")
