"""The share of tokens above ten bits, of a scoring from before anybody asked for it."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grid.results.scored_strata import Counter
from grid.results.scores import Scoring
from tasks import completion
from tasks.completion import DESCRIPTION, UNITS
from tasks.completion.scored_tokens import SCORED
from tasks.completion.scoring import TOKENS


def test_share_of_tokens_above_ten_bits(tmp_path: Path) -> None:
    bits = {"a": [3.0, 10.0, 10.5, 25.0], "b": [11.0, 1.0]}
    columns = {f.name: pa.array(np.zeros(6), f.type) for f in TOKENS if f.name != "sample"}
    columns["sample"] = pa.array([name for name in bits for _ in bits[name]]).dictionary_encode()
    columns["nll_bits"] = pa.array([bit for own in bits.values() for bit in own], pa.float32())
    tokens = pa.table([columns[f.name] for f in TOKENS], TOKENS)
    pq.write_table(tokens, tmp_path / "tokens.parquet")
    pq.write_table(SCORED.summed(tokens, {"a": "p", "b": "q"}, SCORED.sums), tmp_path / "samples.parquet")
    scoring = Scoring(tmp_path, completion, Counter(UNITS, DESCRIPTION.metrics))
    rows = scoring.samples.filter(pa.compute.field("scope") == "all")
    assert dict(zip(*(rows[name].to_pylist() for name in ("sample", "above_ten_bits")), strict=True)) == {
        "a": 2,
        "b": 1,
    }
    metric = DESCRIPTION.by_name["above_ten_bits"]
    totals = {name: rows[name].to_numpy().astype(float).sum() for name in metric.sums}
    assert float(metric.of(totals)) == pytest.approx(3 / 6)
    assert metric.higher_is_better is False
