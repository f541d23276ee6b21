"""Analysis needs a results folder and libraries that read and draw: nothing else of ours, and no torch."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.comparing.comparisons import compare
from analysis.report import difference_tables
from analysis.results import Results
from analysis.statistics import significance

BLOCKED = ("grid", "tasks", "models", "preprocessing", "transformers_py", "torch")
DRIVER = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv[1])
import analysis.__main__
assert analysis.__file__.startswith(sys.argv[1]), analysis.__file__
sys.exit(analysis.__main__.main(sys.argv[2:]))
"""


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A folder with this package and no other."""
    source = Path(analysis.__file__).parent
    shutil.copytree(source, tmp_path / "alone" / "analysis", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "alone"


def run(alone: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-c", DRIVER, str(alone), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=alone,
    )


FORMAT_1 = Path(__file__).parent / "format-1"
ANEW = {
    *("low", "high", "interval", "p", "p_holm", "p_fdr", "standard_error", "detectable", "margin"),
    *("p_equivalence", "variance_seed", "variance_project", "variance_residual"),
}
STUDY = Path(__file__).parents[2] / "results/reference/cpu-study/tables"


def test_analysis_alone_makes_the_report_of_a_folder(alone: Path, folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "described")
    done = run(alone, copy)
    assert done.returncode == 0, done.stderr
    assert "Aligned tokens of the common samples" in (copy / "report.html").read_text()


def test_a_folder_from_before_results_described_themselves_says_the_same(alone: Path, tmp_path: Path) -> None:
    """Folder and tables were written by the last version whose results did not describe themselves; what
    has been changed on purpose since are its intervals, tests and variances (`ANEW`)."""
    copy = shutil.copytree(FORMAT_1, tmp_path / "old")
    assert "task" not in json.loads((copy / "run.json").read_text())
    done = run(alone, copy)
    assert done.returncode == 0, done.stderr
    assert (copy / "report.html").stat().st_size > 100_000
    expected = sorted((copy / "expected").glob("*.csv"))
    assert len(expected) == 12
    for file in expected:
        before, now = pd.read_csv(file), pd.read_csv(copy / "figures" / file.name)
        same = [column for column in before.columns if column not in ANEW]
        assert len(same) > 20
        pd.testing.assert_frame_equal(now[same], before[same], check_exact=False, rtol=1e-9, atol=1e-12)
        assert np.isfinite(now[["low_models", "high_models", "p_models"]]).all(axis=None)
    assert (copy / "figures" / "table-robustness-f1_subtokens.csv").exists()  # could not be compared then
    assert not (copy / "figures" / "table-robustness-ece.csv").exists()  # needs strata
    assert (
        "Calibration error: cells have values, but nothing is compared" in (copy / "report.html").read_text()
    )


def test_the_committed_study_can_be_read_beside_what_is_written_today(tmp_path: Path) -> None:
    files = sorted(STUDY.glob("table-*.csv"))
    assert len(files) == 6
    copy = shutil.copytree(FORMAT_1, tmp_path / "old")
    results = Results(copy)
    comparison = compare(results, "robustness", resamples=50)
    today = set(difference_tables.differences(results, comparison, "entropy").columns)
    shared = {
        "reference",
        "value",
        "difference",
        "low",
        "high",
        "by_seed",
        "delta",
        "n_samples",
        "n_projects",
    }
    for file in files:
        table = pd.read_csv(file)
        assert shared <= set(table.columns) & today
        assert table["p_holm"].to_numpy() == pytest.approx(significance.holm(table["p"].to_numpy()))
