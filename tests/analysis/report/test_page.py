"""The report: one file, nothing fetched, everything that was left out is said."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.__main__ import main
from analysis.comparing.comparisons import compare
from analysis.comparing.token_by_token import scan
from analysis.report import difference_tables, further_tables, page, sentences
from analysis.report.difference_tables import caption
from analysis.report.latex import latex
from analysis.report.methods import paragraph
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


def test_without_a_primary_comparison_the_summary_counts_and_singles_none_out(html: str) -> None:
    first = re.search(r'<p class="finding">(.*?)</p>', html, re.S)
    assert first
    assert re.search(
        r"^Robustness \(the same model, rewritten − original text\), in entropy: Of 12 comparisons, \d+ are "
        r"worse and 0 better with an interval that excludes zero; after Holm&#39;s correction \d+ have p "
        r"&lt; 0.05. The median difference is \+0\.\d\d bits per token\.",
        first[1].strip(),
    )
    assert "No primary comparison was named before the run (claims.primary in the spec)" in html


PRIMARY = {"comparison": "robustness", "metric": "entropy", "rewrites": "rename", "intensity": 1.0}


@pytest.mark.parametrize(
    "primary, expected",
    [
        (
            {**PRIMARY, "train_on": "original", "model": "small"},
            r"^Primary comparison \(robustness, Entropy, rewrites rename, intensity 1, train_on original, "
            r"model small\): rename, 1, original, small: the entropy rises by 0\.\d\d bits per token, "
            r"worse by \d+ % \(95 % interval of the difference \+0\.\d\d to \+\d\.\d\d\), on the same .* "
            r"from 12 projects \(effective number 11\.\d\), mean of 2 seeds \(\+0\.\d+, \+0\.\d+\)\. "
            r"That it is smaller than the margin of 0\.2 bits per token is not shown \(p \d\.\d+\)\.$",
        ),
        ({**PRIMARY, "rewrites": "inline"}, "it could not be made; no finished cells fit it"),
        ({**PRIMARY, "metric": "ece"}, "it could not be made; nothing has results on both sides"),
    ],
)
def test_the_summary_leads_with_the_primary_comparison(
    folder: Path, tmp_path: Path, primary: dict[str, object], expected: str
) -> None:
    results = claiming(folder, tmp_path, {"primary": primary, "margin": {"entropy": 0.2}})
    found = {
        kind: compare(results, kind, metrics=["entropy"], resamples=50) for kind in ("robustness", "clean")
    }
    told = sentences.sentences(results, found)
    assert re.search(expected, told[0])
    assert [sentence.split(" (")[0] for sentence in told[1:]] == ["Robustness", "Clean code"]


def test_what_a_primary_comparison_leaves_open_is_told_for_each(folder: Path, tmp_path: Path) -> None:
    results = claiming(folder, tmp_path, {"primary": PRIMARY})
    found = {"robustness": compare(results, "robustness", metrics=["entropy"], resamples=50)}
    told = [line for line in sentences.sentences(results, found) if line.startswith("Primary")]
    assert len(told) == 4  # two models, two training mixes
    assert not any("margin" in line for line in told)


def claiming(folder: Path, tmp_path: Path, claims: dict[str, object]) -> Results:
    copy = Path(shutil.copytree(folder, tmp_path / "claiming"))
    run = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(run | {"claims": claims}))
    return Results(copy)


@pytest.mark.parametrize(
    "told, shared",
    [
        ({"spec": {"corpus": {"split": {"by": "file", "train": 0.8}}}}, True),
        (
            {"spec": {"corpus": {"split": {"by": "time", "train": 0.8}}}, "corpus": [{"shared_projects": 2}]},
            True,
        ),
        ({"spec": {"corpus": {"split": {"by": "time"}}}, "corpus": {"shared_projects": 0}}, False),
        ({"spec": {"corpus": {"split": {"by": "file", "train": 0}}}}, False),  # nobody was trained on them
        ({}, False),
    ],
)
def test_where_projects_stand_in_train_and_test_the_report_speaks_of_these_alone(
    folder: Path, tmp_path: Path, told: dict[str, object], shared: bool
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    run = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(run | told))
    results = Results(copy)
    found = {"robustness": compare(results, "robustness", metrics=["entropy"], resamples=50)}
    texts = [
        " ".join(sentences.caveats(results, found)),
        caption(results, found["robustness"], "entropy"),
        latex(results, found["robustness"], "entropy"),
        paragraph(results, found, scan(results)),
    ]
    assert [difference_tables.THESE_PROJECTS.strip() in text for text in texts] == [shared] * 4


def test_few_projects_and_missing_cells_are_stated(html: str) -> None:
    assert re.search(r"The projects weigh as little as 4\.\d of equal size would", html)
    assert "98 % with one project that has 60 % of the tokens" in html
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


SMALL = {
    "one seed": (Simulation(seeds=[1], projects=8), "There is one seed: how much of a difference"),
    "one project": (Simulation(projects=1), "The test split holds as few as 1 project."),
    "three projects": (
        Simulation(projects=3),
        "With fewer than 5 no interval is claimed and nothing is bold",
    ),
    "one seed, one project": (Simulation(seeds=[1], projects=1), "as few as 1 project."),
}


@pytest.mark.parametrize("what", SMALL)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_what_can_not_be_said_is_said(what: str, tmp_path: Path) -> None:
    simulation, caveat = SMALL[what]
    simulation = replace(simulation, models=["small"], intensities=[0.5, 1.0], samples_per_project=3)
    folder = write(tmp_path / "small", simulation)
    written = page.make(folder)
    html = (folder / "report.html").read_text()
    assert caveat in html
    without = re.sub(r"data:image[^\"]*|<script>.*?</script>", "", html, flags=re.S)
    assert not re.search(r"\bnan\b", without, re.I)
    for table in (file for file in written if file.suffix == ".md"):
        rows = table.read_text()
        assert "**" not in rows
        assert f"none: {'one seed' if what == 'one seed' else f'{simulation.projects} project'}" in rows
        tex = table.with_suffix(".tex").read_text()
        assert "bfseries" not in tex
        assert "nan" not in tex.replace("finan", "")
        if what == "one seed":
            assert "With one seed nothing is said beyond these models" in tex
            assert r"\,\S" in tex  # the interval of these models is marked as such
        else:
            assert "With fewer than 5 projects no interval is claimed" in tex


def test_what_each_training_took_is_told_once_for_each(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "took"))
    cells = pd.read_parquet(copy / "cells.parquet")
    took = {"train_steps": 40.0, "train_original_tokens": 2560.0, "train_original_passes": 1.5}
    cells.assign(**took, train_flops=np.nan).to_parquet(copy / "cells.parquet")
    table = further_tables.budgets(Results(copy))
    mixes = cells[cells["train_on"] != "original"]
    groups = len(mixes.drop_duplicates(["rewrites", "intensity", "train_on", "model"]))
    assert len(table["rows"]) == groups + cells["model"].nunique()
    assert [cell.text for cell in table["rows"][0][-4:]] == ["40", "2,560", "1.50", ""]
    assert not further_tables.budgets(Results(folder))["rows"]  # of a folder from before it was counted


def test_a_report_of_cells_that_share_no_sample_says_so(folder: Path, tmp_path: Path) -> None:
    """Each seed and each intensity kept projects of its own."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    samples, cells = pd.read_parquet(copy / "samples.parquet"), pd.read_parquet(copy / "cells.parquet")
    about = cells.set_index("cell").loc[samples["cell"]]
    number = samples["project"].rank(method="dense").to_numpy().astype(int) - 1
    place = (
        3 * (about["seed"].to_numpy() - 1)
        + about["intensity_value"].map({0.25: 0, 0.5: 1, 1.0: 2}).to_numpy()
    )
    samples[(number // 2 == place) | np.isnan(place)].to_parquet(copy / "samples.parquet")
    shutil.rmtree(copy / "tokens")
    (copy / "tokens").mkdir()
    page.make(copy)
    html = (copy / "report.html").read_text()
    assert "as few as 4 projects" in html
    assert "Over the intensity" not in html


def test_two_seeds_are_warned_about(results: Results) -> None:
    found = {"robustness": compare(results, "robustness", metrics=["entropy"], resamples=50)}
    told = sentences.caveats(results, found)
    assert [line for line in told if "rows of one or two seeds" in line and "93 %" in line]
