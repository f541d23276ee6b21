"""Sums and metrics against rows computed by hand."""

import math
from typing import Any

import pyarrow as pa
import pytest

from models.scoring.metrics import SUMS, TOKENS, metrics, sums
from preprocessing.lexer.tokens import KEYWORD, NAME, NEWLINE

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
        ],
        schema=TOKENS,
    )


def test_sums_by_hand() -> None:
    got = {
        (row["sample"], row["scope"]): (row["n_tokens"], *(row[name] for name in SUMS))
        for row in sums(table(ROWS), {"s1": "p", "s2": "q"}).to_pylist()
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
    rows = sums(table(ROWS), {"s1": "p", "s2": "q"}).to_pylist()
    assert [row["sample"] for row in rows] == ["s1"] * 10 + ["s2"] * 6
    assert {row["sample"]: row["project"] for row in rows} == {"s1": "p", "s2": "q"}


def test_no_tokens_no_rows() -> None:
    assert len(sums(table([]), {})) == 0


def test_without_ranks_only_bits_and_bytes() -> None:
    row = sums(table(ROWS, ranks=False), {"s1": "p", "s2": "q"}).to_pylist()[0]
    assert row["nll_bits"] == 13.5
    assert row["reciprocal_rank_10"] is None
    assert set(metrics(row, row["n_tokens"])) == {"entropy", "bits_per_byte", "perplexity"}


def test_without_best_tokens_no_confidence_and_no_f1() -> None:
    row = sums(table(ROWS, best=False), {"s1": "p", "s2": "q"}).to_pylist()[0]
    assert row["accuracy_1"] == 2
    assert not {"confidence", "f1_subtokens"} & set(metrics(row, row["n_tokens"]))


def test_metrics_by_hand() -> None:
    totals = dict(zip(SUMS, (13.5, 2, 3, 3, 2.5, 12, 2.25, 1, 7), strict=True))
    assert metrics(totals, 4) == pytest.approx(
        {
            "entropy": 3.375,
            "bits_per_byte": 1.125,
            "perplexity": 2**3.375,
            "accuracy_1": 0.5,
            "accuracy_5": 0.75,
            "accuracy_10": 0.75,
            "mrr_10": 0.625,
            "confidence": 0.5625,
            "f1_subtokens": 2 / 7,
        }
    )


def test_metrics_never_have_a_nan() -> None:
    empty = dict.fromkeys(SUMS, 0.0)
    assert metrics(empty, 0) == {}
    assert "bits_per_byte" not in metrics(empty, 3)
    assert "perplexity" not in metrics({**empty, "nll_bits": 1e6}, 1)
    assert all(math.isfinite(value) for value in metrics(empty, 3).values())
