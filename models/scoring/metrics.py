"""From scored tokens to sums per sample, by scope. Without torch.

    tokens.parquet                            samples.parquet
    sample token kind … nll_bits rank   ->    sample scope n_tokens nll_bits …

Sums are kept, not means: any set of samples can be put together afterwards.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.scoring.sums import SUMS, Sum
from preprocessing.lexer.tokens import KINDS, NAME

TOKENS = pa.schema(
    [
        ("sample", pa.dictionary(pa.int32(), pa.string())),
        ("token", pa.int32()),
        ("kind", pa.uint8()),
        ("origin", pa.int32()),
        ("change", pa.uint8()),
        ("nll_bits", pa.float32()),
        ("rank", pa.uint8()),  # 1 to 10, 0 beyond, null if no metric asked for it
        ("n_subwords", pa.int32()),
        ("n_bytes", pa.int32()),
        ("best_bits", pa.float32()),  # of the most probable token, null if no metric asked for it
        ("f1_shared", pa.uint16()),  # sub-tokens that the most probable token shares with the true one
        ("f1_both", pa.uint16()),  # sub-tokens of both together; 0 but for identifiers, null if not asked for
    ]
)
ROWS = [("sample", pa.string()), ("project", pa.string()), ("scope", pa.string()), ("n_tokens", pa.int64())]


def table_of(sums: Sequence[Sum]) -> pa.Schema:
    """One row per sample and scope: of how many tokens, and their sums."""
    return pa.schema([*ROWS, *((one.name, pa.int64() if one.whole else pa.float64()) for one in sums)])


SAMPLES = table_of(SUMS)
PLACES = ("kind", "origin", "change")
"""What says of a token to which scopes it belongs."""
UNCHANGED, RENAMED = 0, 1


def scopes(
    kinds: NDArray[np.uint8], origins: NDArray[np.int32], changes: NDArray[np.uint8]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each scope and which tokens belong to it; every array has one entry per token.

    aligned: stood in the original, as it is or renamed. identifier: a NAME that is no keyword.
    """
    aligned, name = origins >= 0, kinds == NAME
    yield "all", np.ones(len(kinds), dtype=np.bool_)
    yield "identifier", name
    yield "aligned", aligned
    yield "aligned_identifier", aligned & name
    yield "unchanged", aligned & (changes == UNCHANGED)
    yield "renamed", aligned & (changes == RENAMED)
    yield "inserted", ~aligned
    for code, kind in enumerate(KINDS):
        yield f"kind:{kind}", kinds == code


def sums(tokens: pa.Table, projects: Mapping[str, str], wanted: Sequence[Sum] = SUMS) -> pa.Table:
    """Sums per sample and scope of a token table, in the order of its samples; scopes without a token are
    left out.

    tokens: the rows of a sample together, with the columns `sample`, `kind`, `origin`, `change` and what the
    sums need. projects: of every sample. A sum that needs a column with nulls, or one that isn't there, is
    null.
    """
    sample = tokens.column("sample").combine_chunks()
    codes = sample.indices.to_numpy()
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    values = {one: values_of(tokens, one) for one in wanted}
    parts: list[dict[str, NDArray[Any]]] = []
    names = []
    for scope, inside in scopes(*(tokens.column(name).to_numpy() for name in PLACES)):
        names.append(scope)
        n = np.add.reduceat(inside.astype(np.int64), starts)
        there = np.flatnonzero(n)
        totals = {
            one.name: np.add.reduceat(np.where(inside, value, 0), starts)[there]
            for one, value in values.items()
            if value is not None
        }
        parts.append(
            {"sample": there, "scope": np.full(len(there), len(names) - 1), "n_tokens": n[there], **totals}
        )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(columns["sample"], kind="stable")  # scopes stay in their order
    found: dict[str, Any] = {name: column[order] for name, column in columns.items()}
    found["sample"] = sample.dictionary.take(pa.array(codes[starts[found["sample"]]]))
    found["project"] = [projects[name] for name in found["sample"].to_pylist()]
    found["scope"] = pa.array(names).take(pa.array(found["scope"]))
    schema = table_of(wanted)
    rows = len(order)
    return pa.table(
        [pa.array(found[f.name], f.type) if f.name in found else pa.nulls(rows, f.type) for f in schema],
        schema,
    )


def sums_of(file: Path, projects: Mapping[str, str], wanted: Sequence[Sum]) -> pa.Table:
    """The same of a file of scored tokens, some at a time: samples are written into it as a whole."""
    with pq.ParquetFile(file) as opened:
        known = [name for one in wanted for name in one.needs if name in opened.schema_arrow.names]
        columns = list(dict.fromkeys(["sample", *PLACES, *known]))
        groups = (opened.read_row_group(k, columns=columns) for k in range(opened.num_row_groups))
        parts = [sums(group.unify_dictionaries(), projects, wanted) for group in groups]
    return pa.concat_tables(parts) if parts else table_of(wanted).empty_table()


def values_of(tokens: pa.Table | pa.RecordBatch, one: Sum) -> NDArray[Any] | None:
    """(T,) what is summed; None where a column that it needs has nulls, or isn't there."""
    names = tokens.schema.names
    if any(name not in names or tokens.column(name).null_count for name in one.needs):
        return None
    columns = [tokens.column(name).to_numpy() for name in one.needs]
    return one.of(*columns).astype(np.int64 if one.whole else np.float64)
