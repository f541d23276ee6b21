"""Reading a results folder: what is missing is missing, what is wrong has a name."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.results import BadResults, Results, describe


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def change(folder: Path, table: str, **columns: Any) -> pd.DataFrame:
    frame = pd.read_parquet(folder / f"{table}.parquet")
    for column, values in columns.items():
        frame[column] = values(frame) if callable(values) else values
    frame.to_parquet(folder / f"{table}.parquet", index=False)
    return frame


def test_axes_and_groups(results: Results) -> None:
    assert results.axes == ("rewrites", "intensity", "train_on", "model", "seed")
    assert results.groups == ("rewrites", "intensity", "train_on", "model")
    assert len(results.done) == len(results.cells)
    assert results.missing.empty


def test_another_axis_is_found(copy: Path) -> None:
    change(copy, "cells", **{"training.learning_rate": "0.001"})
    assert "training.learning_rate" in Results(copy).groups


def test_only_the_scopes_asked_for_are_read(results: Results) -> None:
    assert set(results.samples(["identifier"])["scope"]) == {"identifier"}


def test_a_failed_cell_is_missing_with_its_error(copy: Path) -> None:
    cells = change(copy, "cells")
    victim = cells["cell"].iloc[-1]
    change(
        copy,
        "cells",
        status=lambda f: np.where(f["cell"] == victim, "failed", "done"),
        error=lambda f: ["CUDA out of memory" if cell == victim else None for cell in f["cell"]],
    )
    missing = Results(copy).missing
    assert missing[["cell", "error"]].to_numpy().tolist() == [[victim, "CUDA out of memory"]]


def test_a_finished_cell_without_rows_is_missing_and_says_so(copy: Path) -> None:
    samples = pd.read_parquet(copy / "samples.parquet")
    victim = samples["cell"].iloc[-1]
    samples[samples["cell"] != victim].to_parquet(copy / "samples.parquet", index=False)
    missing = Results(copy).missing
    assert list(missing["cell"]) == [victim]
    assert "no rows" in missing["error"].iloc[0]


def test_an_absent_baseline_is_an_error_that_says_which(copy: Path) -> None:
    cells = pd.read_parquet(copy / "cells.parquet")
    gone = cells.loc[cells["baseline"], "cell"].iloc[0]
    cells[cells["cell"] != gone].to_parquet(copy / "cells.parquet", index=False)
    with pytest.raises(
        BadResults, match=f"absent baseline: {gone} of .*rename, 0.25, original, small, seed 1"
    ):
        Results(copy)


def test_a_baseline_without_results_is_named_when_asked_for(copy: Path) -> None:
    cells = pd.read_parquet(copy / "cells.parquet")
    gone = cells.loc[cells["baseline"], "cell"].iloc[0]
    change(copy, "cells", status=lambda f: np.where(f["cell"] == gone, "failed", "done"))
    results = Results(copy)
    with pytest.raises(BadResults, match=gone):
        results.baseline(cells.loc[cells["baseline_cell"] == gone, "cell"].iloc[1])


def test_nan_is_an_error(copy: Path) -> None:
    change(copy, "metrics", value=lambda f: f["value"].mask(f.index == 3))
    with pytest.raises(
        BadResults, match=r"metrics.parquet: value is not a number in 1 rows, the first of cell"
    ):
        _ = Results(copy).metrics


def test_infinity_is_an_error(copy: Path) -> None:
    change(copy, "samples", nll_bits=lambda f: f["nll_bits"].mask(f.index == 0, np.inf))
    with pytest.raises(BadResults, match="nll_bits is not a number"):
        Results(copy).samples(["all"])


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_another_format_is_refused_by_name(copy: Path, version: object) -> None:
    run = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(run | {"format": version}))
    with pytest.raises(BadResults, match=rf"format is {version!r}; this version of augrid reads format 1"):
        Results(copy)


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda f: shutil.rmtree(f), "no such folder"),
        (lambda f: (f / "run.json").unlink(), "run.json: missing; is .* the results folder of a grid"),
        (lambda f: (f / "run.json").write_text("{"), "not readable as JSON"),
        (lambda f: (f / "run.json").write_text("[]"), "format is None"),
        (lambda f: (f / "cells.parquet").unlink(), "cells.parquet: missing"),
        (lambda f: (f / "cells.parquet").write_bytes(b"PAR1"), "not readable as Parquet"),
        (lambda f: change(f, "cells", cell="../../etc"), "'../../etc' is not a cell id"),
        (lambda f: change(f, "cells", cell="same"), "cell same stands there twice"),
        (lambda f: pd.read_parquet(f / "cells.parquet")[:0].to_parquet(f / "cells.parquet"), "no cells"),
        (
            lambda f: (
                pd.read_parquet(f / "cells.parquet").drop(columns="model").to_parquet(f / "cells.parquet")
            ),
            "no column model; it has cell, rewrites",
        ),
    ],
)
def test_bad_folders(copy: Path, spoil: object, message: str) -> None:
    assert callable(spoil)
    spoil(copy)
    with pytest.raises(BadResults, match=message):
        Results(copy)


def test_a_folder_that_does_not_describe_itself_is_of_completion(results: Results, copy: Path) -> None:
    run = json.loads((copy / "run.json").read_text())
    described = run.pop("task")
    (copy / "run.json").write_text(json.dumps(run))
    (copy / "strata.parquet").unlink()
    for table in ("samples", "metrics"):  # before there were confidences and F1
        frame = pd.read_parquet(copy / f"{table}.parquet")
        frame.drop(columns=["confidence", "f1_shared", "f1_both"], errors="ignore").to_parquet(
            copy / f"{table}.parquet", index=False
        )
    old = Results(copy)
    assert (old.task.name, old.task.leads) == (described["name"], tuple(described["leads"]))
    later = {one.name for one in results.task.scopes if one.by_variant}
    assert old.task.comparable.items() == {
        (scope, other) for scope, other in results.task.comparable.items() if scope not in later
    }
    assert old.strata is None
    assert old.reported == ("entropy", "accuracy_1", "mrr_10")
    assert old.samples(["all"])["confidence"].isna().all()


def test_a_task_that_contradicts_itself_is_named(copy: Path) -> None:
    run = json.loads((copy / "run.json").read_text())
    run["task"]["leads"] = ["bleu"]
    (copy / "run.json").write_text(json.dumps(run))
    with pytest.raises(BadResults, match=r"run.json: what the task says of its results: .*no metric 'bleu'"):
        Results(copy)


def test_describe_leaves_out_what_is_not_there() -> None:
    row = pd.Series({"rewrites": "rename", "intensity": None, "seed": 3, "x.y": float("nan")})
    assert describe(row, ["rewrites", "intensity", "seed", "x.y"]) == "rename, seed 3"


def test_a_cell_may_lack_a_sum_as_a_whole_but_not_in_part(copy: Path) -> None:
    frame = change(copy, "samples", accuracy_1=None, reciprocal_rank_10=None)
    assert Results(copy).samples(["all"])["nll_bits"].notna().all()
    frame["accuracy_1"] = 1.0
    frame.loc[frame.index[frame["scope"] == "all"][0], "accuracy_1"] = np.nan
    frame.to_parquet(copy / "samples.parquet", index=False)
    with pytest.raises(BadResults, match="accuracy_1 is not a number in some rows of cell"):
        Results(copy).samples(["all"])
