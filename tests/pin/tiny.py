"""A tiny n-gram grid on the pinned texts: its tables, and what analysis computes from them, as lines.

Left out, by name: times (`wall_s`, `seconds`), keys (`train_key`, which other pins hold), and the tables of
logs and excerpts (`jobs`, `examples`).
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.pin import product, sources, values

LEFT_OUT = ("wall_s", "seconds", "train_key")
TABLES: dict[str, tuple[str, ...]] = {
    "cells": (),
    "metrics": ("test", "metric", "samples"),
    "samples": ("test",),
    "training": (),
    "variants": ("outcome",),
    "refusals": ("rewrite",),
    "sites": ("rewrite",),
}
"""The tables, and by which columns their rows are told apart in the lines."""


def pins(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Name of a golden file, and its lines. The grid is run in `folder`, which is empty."""
    sources.write(folder)
    results = product.run(sources.SPECS / "tiny.yaml", folder)
    yield "tables", list(_tables(results))
    yield "differences", list(_differences(results))


def _tables(results: Path) -> Iterator[str]:
    for name, by in TABLES.items():
        yield from values.lines(name, pq.read_table(results / f"{name}.parquet"), by=by, without=LEFT_OUT)
    tokens = {file.stem: pq.read_table(file) for file in sorted((results / "tokens").glob("*.parquet"))}
    for test in ("original", "augmented"):
        own = [table for name, table in tokens.items() if name.endswith(f"-{test}")]
        yield from values.lines(f"tokens {test}", pa.concat_tables(own).unify_dictionaries())
    for name, table in tokens.items():  # says in which cells
        yield values.line(f"tokens {name}, nll_bits", table["nll_bits"])


def _differences(results: Path) -> Iterator[str]:
    for kind, scope, metric, table in product.comparisons(results):
        yield from values.lines(f"{kind} {scope} {metric}", pa.Table.from_pandas(table, preserve_index=False))
