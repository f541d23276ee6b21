"""Expected calibration error: how far a model's confidence is from its accuracy.

    ECE = Σ_b n_b / N · |accuracy_b − confidence_b|        15 bins with equally many tokens (Guo et al. 2017)

Confidence is the probability of the most probable token, which is right where the true token has rank 1.
Counted in fine cells of confidence, so that memory does not grow with the tokens. Without torch.
"""

from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.scoring.metrics import scopes

BINS = 15
CELLS = 1 << 14  # confidences closer than 1 / CELLS may share a cell
COLUMNS = ["sample", "kind", "origin", "change", "rank", "best_bits"]


class Reliability:
    """Tokens by confidence: how many, the sum of their confidences, how many of them are right."""

    def __init__(self) -> None:
        self._cells = np.zeros((3, CELLS + 1))

    def add(self, confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> None:
        """More tokens; confidence in [0, 1]."""
        at = (confidence * CELLS).astype(np.int64)
        for row, weights in zip(self._cells, (None, confidence, right), strict=True):
            row += np.bincount(at, weights, CELLS + 1)

    def error(self, bins: int = BINS) -> float | None:
        """The ECE; None without tokens. Tokens of one cell at the border of two bins are shared out."""
        there = self._cells[:, self._cells[0] > 0]
        if not there.size:
            return None
        n, confidence, right = np.cumsum(np.insert(there, 0, 0.0, axis=1), axis=1)
        borders = np.linspace(0.0, n[-1], bins + 1)
        gaps = np.diff(np.interp(borders, n, right)) - np.diff(np.interp(borders, n, confidence))
        return float(np.abs(gaps).sum() / n[-1])


def errors(file: Path, left_out: Set[str] = frozenset()) -> dict[str, dict[str, float]]:
    """ECE by scope of a token table, of "all" samples and of the "common" ones, which are not left out.

    Empty if the table has no best tokens, because no metric asked for them.
    """
    found: dict[str, dict[str, Reliability]] = {"all": {}, "common": {}}
    gone = pa.array(sorted(left_out), pa.string())
    with pq.ParquetFile(file) as opened:
        if "best_bits" not in opened.schema_arrow.names:
            return {}
        for batch in opened.iter_batches(columns=COLUMNS):
            if batch.column("best_bits").null_count:
                return {}
            _count(found["all"], batch)
            if left_out:
                names = batch.column("sample").cast(pa.string())
                _count(found["common"], batch.filter(pc.invert(pc.is_in(names, value_set=gone))))
    if not left_out:
        found["common"] = found["all"]
    return {which: dict(_told(by_scope.items())) for which, by_scope in found.items()}


def _count(by_scope: dict[str, Reliability], batch: Any) -> None:
    kind, origin, change, rank, bits = (batch.column(name).to_numpy() for name in COLUMNS[1:])
    confidence = np.exp2(-bits.astype(np.float64))
    for scope, inside in scopes(kind, origin, change):
        by_scope.setdefault(scope, Reliability()).add(confidence[inside], rank[inside] == 1)


def _told(reliabilities: Iterable[tuple[str, Reliability]]) -> Iterable[tuple[str, float]]:
    for scope, reliability in reliabilities:
        if (error := reliability.error()) is not None:
            yield scope, error
