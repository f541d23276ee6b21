"""Tables of differences: marks, captions, escapes."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from analysis import tables
from analysis.comparisons import Comparison, compare
from analysis.results import Results


@pytest.fixture(scope="module")
def comparison(results: Results) -> Comparison:
    return compare(results, "robustness", metrics=["entropy"], resamples=500)


def test_markdown_marks_what_is_clear_and_says_what_the_marks_mean(
    results: Results, comparison: Comparison
) -> None:
    lines = tables.markdown(results, comparison, "entropy").splitlines()
    assert lines[0].startswith(
        "| Rewrites | Intensity | Trained on | Model | n (projects) | Reference | Value | Δ |"
    )
    strong = next(line for line in lines if line.startswith("| rename | 1 | original | small"))
    assert "**+0.8" in strong
    assert "58 (12)" in strong
    weak = next(line for line in lines if line.startswith("| parens | 0.25 | original | small"))
    assert "**" not in weak
    assert "Bold: the 95 % interval excludes zero" in lines[-1]
    assert "BCa" in lines[-1]


def test_latex_has_booktabs_and_escapes(results: Results, comparison: Comparison) -> None:
    text = tables.latex(results, comparison, "entropy")
    assert r"\toprule" in text
    assert r"dead\_code" in text
    assert r"95 \% interval" in text
    assert text.count(r"\\") == 1 + 36


def test_saved_as_three_files_with_every_seed(
    results: Results, comparison: Comparison, tmp_path: Path
) -> None:
    files = tables.save(results, comparison, "entropy", tmp_path, "table")
    assert [file.suffix for file in files] == [".md", ".tex", ".csv"]
    read = pd.read_csv(files[2])
    assert read["by_seed"].str.match(r"1:[+-]\d\.\d{4} 2:[+-]\d\.\d{4}$").all()


@pytest.mark.parametrize("p, text", [(0.0004, "< 0.001"), (0.02, "0.020"), (1.0, "1.000")])
def test_p_values(p: float, text: str) -> None:
    assert tables.p_value(p) == text


def test_axes_that_never_vary_are_left_out(results: Results, comparison: Comparison) -> None:
    one_model = Comparison(
        kind=comparison.kind,
        scope="all",
        table=comparison.table.query("model == 'small'"),
        seeds=comparison.seeds.query("model == 'small'"),
        projects=comparison.projects,
    )
    assert tables.cells(results, one_model, "entropy")[0][:4] == [
        "Rewrites",
        "Intensity",
        "Trained on",
        "n (projects)",
    ]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(results: Results, comparison: Comparison, tmp_path: Path) -> None:
    body = tables.latex(results, comparison, "entropy")
    packages = r"\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{booktabs,siunitx}"
    page = rf"\documentclass[10pt]{{article}}\usepackage[margin=2cm]{{geometry}}{packages}\begin{{document}}"
    (tmp_path / "page.tex").write_text(f"{page}\n{body}\n\\end{{document}}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert "Overfull" not in done.stdout
