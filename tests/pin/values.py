"""Columns of tables as lines, to the bit, and what of a line other processors must agree on.

    metrics original entropy all, value: 12 double, sum 93.1847, 5f0c1a…

The digest is of all bits of the column. Sums show how far a value moved; and on another kind of processor,
whose logarithms and products may differ in the last bits (`numerics`), they are what is compared.
"""

import math
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa

FLOATS = ("double", "float", "halffloat")


def digest(values: Iterable[Any]) -> str:
    """12 hex digits; the text of a number in Python is exact, and null and NaN differ."""
    return sha256("\n".join(map(repr, values)).encode()).hexdigest()[:12]


def line(name: str, column: pa.ChunkedArray) -> str:
    """A column of a table, under a name."""
    values = column.to_pylist()
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    numbers = [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]
    total = f"sum {math.fsum(numbers):.7g}, " if numbers else ""
    return f"{name}: {len(values)} {kind}, {total}{digest(values)}"


def lines(
    name: str, table: pa.Table, *, by: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> Iterator[str]:
    """One line per column for each group of rows with equal `by`, in the order of the table."""
    keys = list(zip(*(table[column].to_pylist() for column in by), strict=True)) or [()] * len(table)
    rows: dict[tuple[Any, ...], list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    for key, own in rows.items():
        part = table.take(own)
        for column in part.column_names:
            if column not in (*by, *without):
                yield line(f"{' '.join(map(str, (name, *key)))}, {column}", part[column])


def numerics() -> str:
    """Digest of what this processor gives for sums, products, logarithms and powers of fixed numbers."""
    import torch

    numbers = np.random.Generator(np.random.PCG64(1)).random((97, 53))
    seen: list[Any] = []
    for exact in (numbers, numbers.astype(np.float32)):
        there = torch.from_numpy(exact)
        seen += [exact.sum(0), exact.T @ exact, np.log(exact), np.log2(exact), np.exp(exact), np.exp2(-exact)]
        seen += [there.T @ there, there.log(), there.exp(), there.sum(1), torch.log_softmax(there, 1)]
    return sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in seen)).hexdigest()[:12]


def differ(pinned: str, now: str, *, bits: bool) -> bool:
    """Whether two lines differ; without `bits`, sums of floats are equal to five digits."""
    if pinned == now or bits:
        return pinned != now
    before, after = pinned.rsplit(" ", 3), now.rsplit(" ", 3)
    if not any(f" {kind}, sum" in pinned for kind in FLOATS) or before[:2] != after[:2]:
        return True
    old, new = (float(text.removesuffix(",")) for text in (before[2], after[2]))
    return not math.isclose(old, new, rel_tol=1e-5, abs_tol=1e-6)
