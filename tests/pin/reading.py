"""What a run left on disk, as tables: results, learning curves, weights, and the contents of the store.

Left out, by name: times (`wall_s`, `seconds`, `train_seconds`), keys (`train_key`), logs (`jobs`), and
manifests, which hold both.
"""

import csv
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from safetensors.numpy import load_file

from tests.pin import values
from tests.pin.tables import Table

LEFT_OUT = ("wall_s", "seconds", "train_seconds", "train_key")
LOGS = ("jobs",)
KEYS: dict[str, tuple[str, ...]] = {
    "cells": ("cell",),
    "metrics": ("cell", "test", "samples", "scope", "metric"),
    "samples": ("cell", "test", "sample", "scope"),
    "training": ("cell", "step"),
    "variants": ("cell", "split", "outcome", "reason"),
    "refusals": ("cell", "rewrite", "reason"),
    "sites": ("cell", "rewrite"),
    "tokens": ("sample", "token"),
}
KINDS = ("corpus", "tokenizer", "variant", "encode", "evaluate")


def tables(root: Path, name: str) -> Iterator[tuple[str, Table]]:
    """Name and content of all that `augrid run` and the analysis wrote for a grid below a results folder."""
    results = root / name
    for file in sorted(results.glob("*.parquet")):
        if file.stem not in LOGS:
            yield file.stem, _parquet(file, KEYS.get(file.stem, ()))
    for file in sorted(results.glob("tokens/*.parquet")):
        yield f"tokens/{file.stem}", _parquet(file, KEYS["tokens"])
    for file in sorted(results.glob("figures/*.csv")):
        yield f"figures/{file.name}", _csv(file)
    cells = pq.read_table(results / "cells.parquet", columns=["cell", "train_key"]).to_pydict()
    for cell, key in zip(cells["cell"], cells["train_key"], strict=True):
        folder = root / "store" / "train" / key[:2] / key
        for file in sorted(folder.rglob("*.safetensors")):
            yield f"weights/{cell}/{file.name}", _tensors(file)
    for kind in KINDS:
        yield f"store/{kind}", _artifacts(sorted(root.glob(f"store/{kind}/*/*")))


def _parquet(file: Path, key: tuple[str, ...]) -> Table:
    columns = pq.read_table(file).to_pydict()
    return Table(columns={name: column for name, column in columns.items() if name not in LEFT_OUT}, key=key)


def _csv(file: Path) -> Table:
    head, *rows = csv.reader(file.read_text(encoding="utf-8").splitlines())
    return Table(
        columns={name: [row[i] for row in rows] for i, name in enumerate(head) if name not in LEFT_OUT}
    )


def _tensors(file: Path) -> Table:
    tensors = load_file(file)
    columns: dict[str, list[Any]] = {
        "tensor": list(tensors),
        "type": [f"{tensor.dtype}{list(tensor.shape)}" for tensor in tensors.values()],
        "bits": [tensor.tobytes().hex() for tensor in tensors.values()],
    }
    return Table(columns=columns, key=("tensor",))


def _artifacts(folders: list[Path]) -> Table:
    """A row per artifact, its columns digests of its files, of Parquet files those of each column.

    Sorted by content, since keys may differ.
    """
    contents = [_contents(folder) for folder in folders]
    names = list(dict.fromkeys(name for content in contents for name in content))
    rows = sorted(tuple(content.get(name, "") for name in names) for content in contents)
    return Table(columns={name: [row[i] for row in rows] for i, name in enumerate(names)})


def _contents(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        if file.suffix == ".parquet":
            table = pq.read_table(file)
            found |= {
                f"{name} {column}": values.digest(table[column].to_pylist()) for column in table.column_names
            }
        elif file.is_file() and name != "manifest.json":
            found[name] = sha256(file.read_bytes()).hexdigest()[:12]
    return found
