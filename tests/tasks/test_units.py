"""Sums of tokens against rows computed by hand."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.lexer.tokens import KEYWORD, NAME, NEWLINE
from tasks.completion import UNITS
from tasks.completion.scored_tokens import SUMS
from tasks.completion.scoring import SAMPLES, TOKENS
from tasks.units import Sum, Units, values_of

#        sample  kind     origin change bits  rank bytes best, shared and both sub-tokens
ROWS = [
    ("s1", KEYWORD, 0, 0, 1.0, 1, 2, 1.0, 0, 0),
    ("s1", NAME, 1, 1, 3.0, 2, 4, 2.0, 1, 4),
    ("s1", NAME, -1, 2, 9.0, 0, 5, 1.0, 0, 3),
    ("s1", NEWLINE, 2, 0, 0.5, 1, 1, 0.0, 0, 0),
    ("s2", NAME, 0, 0, 2.0, 6, 3, 2.0, 2, 4),
]


def table(rows: list[Any], ranks: bool = True, best: bool = True) -> pa.Table:
    names = pa.array([row[0] for row in rows], pa.string()).dictionary_encode()
    return pa.Table.from_arrays(
        [
            names,
            pa.array(range(len(rows)), pa.int32()),
            *(
                pa.array([row[i] for row in rows], t)
                for i, t in ((1, pa.uint8()), (2, pa.int32()), (3, pa.uint8()))
            ),
            pa.array([row[4] for row in rows], pa.float32()),
            pa.array([row[5] if ranks else None for row in rows], pa.uint8()),
            pa.array([1] * len(rows), pa.int32()),
            pa.array([row[6] for row in rows], pa.int32()),
            pa.array([row[7] if ranks and best else None for row in rows], pa.float32()),
            *(pa.array([row[i] if ranks and best else None for row in rows], pa.uint16()) for i in (8, 9)),
            pa.array(range(len(rows)), pa.int32()),
        ],
        schema=TOKENS,
    )


def test_sums_by_hand() -> None:
    got = {
        (row["sample"], row["scope"]): (row["n_tokens"], *(row[one.name] for one in SUMS))
        for row in UNITS.summed(table(ROWS), {"s1": "p", "s2": "q"}, SUMS).to_pylist()
    }
    assert got == {
        # n, bits, accuracy at 1, 5, 10, sum of 1/rank, bytes, confidence, shared, both
        ("s1", "all"): (4, 13.5, 2, 3, 3, 2.5, 12, 2.25, 1, 7),
        ("s1", "identifier"): (2, 12.0, 0, 1, 1, 0.5, 9, 0.75, 1, 7),
        ("s1", "aligned"): (3, 4.5, 2, 3, 3, 2.5, 7, 1.75, 1, 4),
        ("s1", "aligned_identifier"): (1, 3.0, 0, 1, 1, 0.5, 4, 0.25, 1, 4),
        ("s1", "unchanged"): (2, 1.5, 2, 2, 2, 2.0, 3, 1.5, 0, 0),
        ("s1", "renamed"): (1, 3.0, 0, 1, 1, 0.5, 4, 0.25, 1, 4),
        ("s1", "inserted"): (1, 9.0, 0, 0, 0, 0.0, 5, 0.5, 0, 3),
        ("s1", "kind:name"): (2, 12.0, 0, 1, 1, 0.5, 9, 0.75, 1, 7),
        ("s1", "kind:keyword"): (1, 1.0, 1, 1, 1, 1.0, 2, 0.5, 0, 0),
        ("s1", "kind:newline"): (1, 0.5, 1, 1, 1, 1.0, 1, 1.0, 0, 0),
        ("s2", "all"): (1, 2.0, 0, 0, 1, pytest.approx(1 / 6), 3, 0.25, 2, 4),
        ("s2", "identifier"): (1, 2.0, 0, 0, 1, pytest.approx(1 / 6), 3, 0.25, 2, 4),
        ("s2", "aligned"): (1, 2.0, 0, 0, 1, pytest.approx(1 / 6), 3, 0.25, 2, 4),
        ("s2", "aligned_identifier"): (1, 2.0, 0, 0, 1, pytest.approx(1 / 6), 3, 0.25, 2, 4),
        ("s2", "unchanged"): (1, 2.0, 0, 0, 1, pytest.approx(1 / 6), 3, 0.25, 2, 4),
        ("s2", "kind:name"): (1, 2.0, 0, 0, 1, pytest.approx(1 / 6), 3, 0.25, 2, 4),
    }


def test_rows_keep_the_order_of_samples() -> None:
    rows = UNITS.summed(table(ROWS), {"s1": "p", "s2": "q"}, SUMS).to_pylist()
    assert [row["sample"] for row in rows] == ["s1"] * 10 + ["s2"] * 6
    assert {row["sample"]: row["project"] for row in rows} == {"s1": "p", "s2": "q"}


def test_no_tokens_no_rows() -> None:
    assert UNITS.summed(table([]), {}, SUMS).equals(SAMPLES.empty_table())


def test_what_nobody_asked_for_is_null() -> None:
    row = UNITS.summed(table(ROWS, ranks=False), {"s1": "p", "s2": "q"}, SUMS).to_pylist()[0]
    assert {name for name, value in row.items() if value is None} == {
        one.name for one in SUMS if one.optional
    }
    row = UNITS.summed(table(ROWS, best=False), {"s1": "p", "s2": "q"}, SUMS).to_pylist()[0]
    lacking = {name for name, value in row.items() if value is None}
    assert lacking == {"confidence", "f1_shared", "f1_both"}


def test_another_sum_of_a_file_of_tokens_stands_in_the_same_rows(tmp_path: Path) -> None:
    with pq.ParquetWriter(tmp_path / "tokens.parquet", TOKENS) as file:
        for rows in (ROWS[:4], ROWS[4:]):  # two samples, written apart
            file.write_table(table(rows))
    dear = Sum(name="dear", needs=("nll_bits", "n_bytes"), of=lambda bits, size: bits > size, whole=True)
    absent = Sum(name="absent", needs=("nothing",), of=lambda nothing: nothing)
    projects = {"s1": "p", "s2": "q"}
    found = UNITS.summed_file(tmp_path, projects, [dear, absent])
    assert found.select(["sample", "scope"]).equals(
        UNITS.summed(table(ROWS), projects, SUMS).select(["sample", "scope"])
    )
    assert found["dear"].to_pylist() == [1, 1, 0, 0, 0, 0, 1, 1, 0, 0] + [0] * 6
    assert found["absent"].null_count == len(found)


FUNCTIONS = Units(
    file="functions.parquet",
    count="n_functions",
    places=("lines",),
    scopes=lambda lines: iter([("all", lines > 0), ("long", lines > 9)]),
    sums=(Sum(name="right", needs=("right",), of=lambda right: right, whole=True),),
)


def functions(rows: list[tuple[str, str, int, bool]]) -> pa.Table:
    types = {"sample": pa.string(), "project": pa.string(), "lines": pa.int64(), "right": pa.bool_()}
    columns = zip(*rows, strict=True) if rows else [()] * 4
    return pa.table([pa.array(c, t) for c, t in zip(columns, types.values(), strict=True)], list(types))


def test_both_tables_of_a_scoring(tmp_path: Path) -> None:
    table = functions([("s1", "p", 3, True), ("s2", "q", 12, True), ("s3", "p", 20, False)])
    FUNCTIONS.write(tmp_path, table)
    names = ("sample", "project", "scope", "n_functions", "right")
    got = pq.read_table(tmp_path / "samples.parquet")
    assert got.schema == FUNCTIONS.table_of()
    assert [tuple(row[name] for name in names) for row in got.to_pylist()] == [
        ("s1", "p", "all", 1, 1),
        ("s2", "q", "all", 1, 1),
        ("s2", "q", "long", 1, 1),
        ("s3", "p", "all", 1, 0),
        ("s3", "p", "long", 1, 0),
    ]
    projects = {"s1": "p", "s2": "q", "s3": "p"}
    assert FUNCTIONS.summed_file(tmp_path, projects, FUNCTIONS.sums).equals(got)
    [batch] = pq.ParquetFile(tmp_path / "functions.parquet").iter_batches()
    values = values_of(batch, FUNCTIONS.sums[0])
    assert values is not None
    assert values.tolist() == [1, 1, 0]


def test_a_scoring_without_units(tmp_path: Path) -> None:
    FUNCTIONS.write(tmp_path, functions([]))
    assert pq.read_table(tmp_path / "samples.parquet").equals(FUNCTIONS.table_of().empty_table())
