"""The report: one file, nothing fetched, everything that was left out is said."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.__main__ import main
from analysis.comparing.comparisons import compare
from analysis.report import page, sentences
from analysis.results import BadResults, Results
from tests.simulation.folder import Simulation, write


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulation = Simulation(intensities=[0.5, 1.0], models=["small"], projects=5)
    folder = write(tmp_path_factory.mktemp("report") / "<small & odd>", simulation)
    cells = pd.read_parquet(folder / "cells.parquet")
    victim = cells.index[-1]
    cells.loc[victim, ["status", "error"]] = ["failed", "<b>out of memory</b>"]
    cells.to_parquet(folder / "cells.parquet")
    page.make(folder)
    return folder


@pytest.fixture(scope="module")
def html(made: Path) -> str:
    return (made / "report.html").read_text(encoding="utf-8")


class References(HTMLParser):
    """Collects what a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]


def test_nothing_is_fetched(html: str) -> None:
    parser = References()
    parser.feed(html)
    assert parser.found
    assert [r for r in parser.found if not r.startswith(("data:", "#"))] == []
    assert "url(" not in html
    assert "@import" not in html


def test_texts_are_escaped(html: str) -> None:
    assert "<h1>&lt;small &amp; odd&gt;</h1>" in html
    assert "<b>out of memory" not in html
    assert "&lt;b&gt;out of memory&lt;/b&gt;" in html


def test_summary_states_effect_interval_and_n_in_words(html: str) -> None:
    first = re.search(r'<p class="finding">(.*?)</p>', html, re.S)
    assert first
    assert re.search(
        r"rate 1\) the entropy of small, trained on original text, rises by 0\.\d\d bits per token, "
        r"worse by \d+ % \(95 % interval of the difference \+0\.\d\d to \+0\.\d\d\) .* from 5 projects, "
        r"mean of 2 seeds \(\+0\.\d+, \+0\.\d+\)\.",
        first[1],
    )


def test_few_projects_and_missing_cells_are_stated(html: str) -> None:
    assert "as few as 5 projects" in html
    assert "1 of 26 cells have no results" in html


def test_what_was_left_out_is_counted(html: str) -> None:
    for text in ("thrown_out", "max_tokens", "calls_locals", "excluded · duplicate", "augrid run"):
        assert text in html


def test_every_image_has_words(html: str) -> None:
    images = re.findall(r"<img [^>]*>", html)
    assert len(images) >= 5
    assert all(re.search(r'alt="[^"]{20,}"', image) for image in images)


def test_command_prints_what_it_wrote(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(made)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(made / "report.html")
    assert all(Path(line).is_file() for line in lines)


def test_command_answers_bad_input_with_one_line_and_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "nothing")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"error: {tmp_path / 'nothing'}: there is no such folder\n"


def test_bad_input_writes_nothing(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    samples = pd.read_parquet(copy / "samples.parquet")
    samples.loc[0, "nll_bits"] = np.nan
    samples.to_parquet(copy / "samples.parquet")
    before = sorted(copy.iterdir())
    with pytest.raises(BadResults, match="nll_bits"):
        page.make(copy)
    assert sorted(copy.iterdir()) == before


def test_an_odd_name_of_a_job_writes_nothing(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    jobs = pd.read_parquet(copy / "jobs.parquet")
    jobs.loc[0, "job"] = '"><script>'
    jobs.to_parquet(copy / "jobs.parquet")
    before = sorted(copy.iterdir())
    with pytest.raises(BadResults, match="is not the name of a job"):
        page.make(copy)
    assert sorted(copy.iterdir()) == before


def test_a_grid_in_which_all_failed_still_has_a_report(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    cells = pd.read_parquet(copy / "cells.parquet").assign(status="failed", error="boom")
    cells.to_parquet(copy / "cells.parquet")
    page.make(copy)
    assert "No comparison could be made" in (copy / "report.html").read_text()


def test_analysis_runs_without_torch() -> None:
    code = "import sys, analysis.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_grid_without_ranks_has_a_report_without_accuracy(tmp_path: Path) -> None:
    folder = write(tmp_path / "entropy", Simulation(intensities=[0.5, 1.0], models=["small"], projects=5))
    ranked = ("accuracy_1", "accuracy_5", "accuracy_10", "reciprocal_rank_10")
    for file, columns in [(folder / "samples.parquet", ranked)] + [
        (file, ("rank",)) for file in (folder / "tokens").glob("*.parquet")
    ]:
        table = pq.read_table(file)
        for name in columns:
            at = table.schema.get_field_index(name)
            table = table.set_column(at, name, pa.nulls(len(table), table.schema.field(name).type))
        pq.write_table(table, file)
    metrics = pd.read_parquet(folder / "metrics.parquet")
    kept = metrics["metric"].isin(["entropy", "bits_per_byte", "perplexity"])
    metrics[kept].to_parquet(folder / "metrics.parquet", index=False)
    names = {file.name for file in page.make(folder)}
    assert "table-baseline-entropy.md" in names
    assert not [name for name in names if "accuracy" in name or "mrr" in name]
    assert "nan" not in (folder / "figures" / "table-baseline-entropy.md").read_text().lower()


def test_significance_that_can_not_be_reached_is_stated(folder: Path, tmp_path: Path) -> None:
    results = Results(write(tmp_path / "few", Simulation(projects=6, seeds=[1], models=["small"])))
    few = {"robustness": compare(results, "robustness", metrics=["entropy"], resamples=50)}
    assert [told for told in sentences.caveats(results, few) if "over the 18 rows of a table" in told]
    many = {"robustness": compare(Results(folder), "robustness", metrics=["entropy"], resamples=50)}
    assert not [told for told in sentences.caveats(Results(folder), many) if "Holm" in told]


def test_the_summary_follows_one_place_of_the_grid_though_cells_are_missing(
    folder: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    cells = pd.read_parquet(copy / "cells.parquet")
    lost = (cells["rewrites"] == "rename") & (cells["intensity"] == "1") & (cells["train_on"] != "original")
    cells.loc[lost, ["status", "error"]] = ["failed", "boom"]
    cells.to_parquet(copy / "cells.parquet")
    results = Results(copy)
    kinds = ("robustness", "training", "clean")
    found = {kind: compare(results, kind, metrics=["entropy"], resamples=50) for kind in kinds}
    told = sentences.sentences(results, found)
    assert [sentence.split(":")[0] for sentence in told] == ["Robustness", "Training", "Clean code"]
    assert "(rename, rate 0.5)" in told[0]
