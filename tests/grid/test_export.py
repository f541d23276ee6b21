"""All metrics as one table: with the unit and the direction that the folder says they have."""

import json
from pathlib import Path

import pandas as pd
import pytest

from grid.commands.export import export
from preprocessing.errors import BadInput
from tasks.completion import DESCRIPTION


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cells = pd.DataFrame(
        {"cell": ["c"], "model": ["gru"], "error": [""], "train_key": ["k"], "wall_s": [1.0]}
    )
    cells.to_parquet(tmp_path / "cells.parquet")
    rows = [("c", "entropy", 3.0), ("c", "accuracy_1", 0.5), ("c", "overconfidence", 0.1)]
    pd.DataFrame(rows, columns=["cell", "metric", "value"]).to_parquet(tmp_path / "metrics.parquet")
    (tmp_path / "run.json").write_text(json.dumps({"task": DESCRIPTION.plain()}))
    return tmp_path


def test_every_value_has_unit_and_direction(folder: Path) -> None:
    assert export(folder, folder / "out.csv") == 3
    table = pd.read_csv(folder / "out.csv").set_index("metric")
    assert table["unit"].to_dict() == {
        "entropy": "bits per token",
        "accuracy_1": "share of tokens",
        "overconfidence": "probability",
    }
    assert export(folder, folder / "out.parquet") == 3
    direction = pd.read_parquet(folder / "out.parquet").set_index("metric")["higher_is_better"]
    assert direction.isna().to_dict() == {"entropy": False, "accuracy_1": False, "overconfidence": True}
    assert (direction["entropy"], direction["accuracy_1"]) == (False, True)


def test_a_folder_from_before_is_of_completion(folder: Path) -> None:
    (folder / "run.json").write_text("{}")
    assert export(folder, folder / "out.csv") == 3


@pytest.mark.parametrize(
    "task, out, message",
    [
        ({"name": "x"}, "out.csv", "run.json: what the task says"),
        (None, "out.xml", "must end in .parquet or .csv"),
    ],
)
def test_bad_input_is_named(folder: Path, task: object, out: str, message: str) -> None:
    (folder / "run.json").write_text(json.dumps({"task": task}))
    with pytest.raises(BadInput, match=message):
        export(folder, folder / out)
