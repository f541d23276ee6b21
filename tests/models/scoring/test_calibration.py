"""Calibration errors by hand, and against scikit-learn's bins."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.scoring.calibration import Reliability, errors
from models.scoring.metrics import TOKENS


def error(confidence: list[float], right: list[bool], bins: int) -> float | None:
    reliability = Reliability()
    for k in range(0, len(right), 3):  # in pieces
        reliability.add(np.array(confidence[k : k + 3]), np.array(right[k : k + 3], dtype=np.bool_))
    return reliability.error(bins)


def test_by_hand() -> None:
    confidence, right = [0.25, 0.5, 0.75, 1.0], [False, True, True, True]
    assert error(confidence, right, 1) == pytest.approx(0.75 - 0.625)
    assert error(confidence, right, 2) == pytest.approx((abs(1 - 0.75) + abs(2 - 1.75)) / 4)
    assert error(confidence, right, 4) == pytest.approx((0.25 + 0.5 + 0.25 + 0) / 4)
    assert error([0.5, 0.5], [True, False], 2) == pytest.approx(0.0)  # equal ones are shared out
    assert error([1.0] * 7, [True] * 7, 15) == pytest.approx(0.0)
    assert error([], [], 15) is None


def test_equals_bins_of_scikit_learn() -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.02, 1.0, size=15 * 200)
    right = rng.uniform(size=len(confidence)) < confidence**2
    accuracies, confidences = calibration.calibration_curve(right, confidence, n_bins=15, strategy="quantile")
    expected = np.abs(accuracies - confidences).mean()
    assert error(confidence.tolist(), right.tolist(), 15) == pytest.approx(expected, abs=1e-3)


def write(file: Path, bits: list[float | None]) -> None:
    columns = {
        "sample": pa.array(["a", "a", "b"]).dictionary_encode(),
        "kind": pa.array([0, 1, 0], pa.uint8()),
        "rank": pa.array([1, 2, 1], pa.uint8()),
        "best_bits": pa.array(bits, pa.float32()),
    }
    zeros = {f.name: pa.array([0] * 3, f.type) for f in TOKENS if f.name not in columns}
    pq.write_table(pa.table({**zeros, **columns}).select(TOKENS.names).cast(TOKENS), file)


def test_of_a_token_table(tmp_path: Path) -> None:
    write(tmp_path / "tokens.parquet", [1.0, 2.0, 0.0])
    got = errors(tmp_path / "tokens.parquet", {"b"})
    assert got["all"] == pytest.approx(
        {
            "all": (0.25 + 0.5 + 0) / 3,
            "identifier": (0.5 + 0) / 2,
            "aligned": 0.25,
            "aligned_identifier": 0.25,
            "unchanged": 0.25,
            "kind:name": 0.25,
            "kind:keyword": 0.25,
        }
    )
    assert got["common"]["identifier"] == pytest.approx(0.5)
    assert errors(tmp_path / "tokens.parquet")["common"] == got["all"]


def test_nothing_without_best_tokens(tmp_path: Path) -> None:
    write(tmp_path / "tokens.parquet", [None] * 3)
    assert errors(tmp_path / "tokens.parquet") == {}
    table = pq.read_table(tmp_path / "tokens.parquet").drop_columns(["best_bits"])
    pq.write_table(table, tmp_path / "old.parquet")
    assert errors(tmp_path / "old.parquet") == {}
