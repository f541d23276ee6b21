"""Scorings from the store become tables: sums that came with them or are made later, strata, metrics."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grid.results.scored_strata import Counter
from grid.results.scores import Scoring
from tasks import completion
from tasks.completion import DESCRIPTION, SUMS, UNITS
from tasks.completion.scoring import TOKENS

PROJECTS = {"a": "p", "b": "q"}
COUNTER = Counter(UNITS, DESCRIPTION.metrics)
count = COUNTER.count


def write(folder: Path, bits: list[float | None]) -> Path:
    columns = {
        "sample": pa.array(["a", "a", "b"]).dictionary_encode(),
        "kind": pa.array([0, 1, 0], pa.uint8()),
        "rank": pa.array([1, 2, 1], pa.uint8()),
        "best_bits": pa.array(bits, pa.float32()),
    }
    zeros = {f.name: pa.array([0] * 3, f.type) for f in TOKENS if f.name not in columns}
    tokens = pa.table({**zeros, **columns}).select(TOKENS.names).cast(TOKENS)
    pq.write_table(tokens, folder / "tokens.parquet")
    pq.write_table(UNITS.summed(tokens, PROJECTS, SUMS), folder / "samples.parquet")
    return folder


def test_calibration_of_a_token_table(tmp_path: Path) -> None:
    folder = write(tmp_path, [1.0, 2.0, 0.0])
    found = count(folder, PROJECTS, frozenset(), {"all"}).values
    assert {scope: values["ece"] for scope, values in found.items()} == pytest.approx(
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
    assert found["all"]["accuracy_1_top_50"] == 1.0
    assert found["all"]["accuracy_1_top_80"] == pytest.approx(2 / 2.4)
    assert count(folder, PROJECTS, {"b"}, set()).values["identifier"]["ece"] == pytest.approx(0.5)


def test_strata_have_a_row_per_project_and_stratum_with_tokens(tmp_path: Path) -> None:
    folder = write(tmp_path, [1.0, 2.0, 0.0])
    rows = count(folder, PROJECTS, frozenset(), {"all"}).rows.to_pandas()
    assert set(rows["scope"]) == {"all"}
    by_project = rows.groupby("project")[["n_tokens", "confidence", "accuracy_1"]].sum()
    assert by_project.loc["p"].to_list() == pytest.approx([2, 0.75, 1])
    assert by_project.loc["q"].to_list() == pytest.approx([1, 1, 1])
    assert rows.groupby("stratum")["n_tokens"].sum().to_list() == pytest.approx([0.1] * 30)
    assert rows.groupby("project")["stratum"].min().to_dict() == {"p": 0, "q": 20}


def test_nothing_without_best_tokens(tmp_path: Path) -> None:
    folder = write(tmp_path, [None] * 3)
    file = folder / "tokens.parquet"
    assert count(folder, PROJECTS, frozenset(), {"all"}).values == {}
    pq.write_table(pq.read_table(file).drop_columns(["best_bits"]), file)
    assert len(count(folder, PROJECTS, frozenset(), {"all"}).rows) == 0


def test_a_sum_that_a_scoring_lacks_is_made_of_its_tokens(tmp_path: Path) -> None:
    folder = write(tmp_path, [1.0, 2.0, 0.0])
    whole = Scoring(folder, completion, COUNTER).samples
    older = whole.drop_columns(["accuracy_1", "n_bytes", "confidence"])
    pq.write_table(older, folder / "samples.parquet")
    assert Scoring(folder, completion, COUNTER).samples.equals(whole)
    assert whole.column_names[4:] == [one.name for one in SUMS]


def test_only_samples_of_the_test_set_are_left_out_of_it(tmp_path: Path) -> None:
    scoring = Scoring(write(tmp_path, [1.0, 2.0, 0.0]), completion, COUNTER)
    assert scoring.among(pa.array(["b", "from the training split"])) == {"b"}
