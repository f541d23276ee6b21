"""Two results folders side by side."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.comparing.two_runs import compare_runs, facts_that_differ, main
from analysis.results import Results


@pytest.fixture
def other(folder: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(folder, tmp_path / "other"))
    metrics = pd.read_parquet(copy / "metrics.parquet")
    first = metrics.index[
        (metrics["metric"] == "entropy") & (metrics["scope"] == "all") & (metrics["samples"] == "all")
    ]
    metrics.loc[first[0], "value"] += 0.5
    metrics = metrics[metrics["cell"] != metrics["cell"].iloc[-1]]
    metrics.to_parquet(copy / "metrics.parquet", index=False)
    run = json.loads((copy / "run.json").read_text())
    run["versions"]["augrid"] = "0.2.0"
    (copy / "run.json").write_text(json.dumps(run))
    return copy


def test_a_folder_equals_itself(results: Results) -> None:
    table = compare_runs(results, results)
    by_cell = results.metrics.query("samples == 'all' and scope == 'all'")
    assert len(table) == len(by_cell) == 148 * by_cell["metric"].nunique()  # cells × tests × metrics
    assert (table["difference"] == 0).all()
    assert facts_that_differ(results, results, ["spec", "versions"]) == []


def test_differences_are_found(results: Results, other: Path) -> None:
    table = compare_runs(results, Results(other))
    assert table["difference"].abs().max() == pytest.approx(0.5)
    assert table["b"].isna().sum() == 2 * table["metric"].nunique()  # both tests of one cell
    assert facts_that_differ(results, Results(other), ["versions"]) == [("versions.augrid", "0.1.0", "0.2.0")]


def test_command(folder: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), str(other), "--csv", str(tmp_path / "out.csv")]) == 0
    out = capsys.readouterr().out
    assert "spec: no differences" in out
    assert "versions.augrid: 0.1.0 | 0.2.0" in out
    assert "cells with results in the first folder alone: 1" in out
    shared = 146 * pd.read_csv(tmp_path / "out.csv")["metric"].nunique()
    assert f"results: 1 of {shared} shared values differ" in out
    assert re.search(r"original entropy: [\d.]+ \| [\d.]+ bits per token, worse$", out, re.M)


def test_bad_folder_is_two(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), str(tmp_path / "none")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
