"""LaTeX tables: marks, escapes, parts, and what a real pdflatex makes of them."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.comparing.comparisons import Comparison, compare
from analysis.report import latex
from analysis.results import Results

CLASSES = {
    "one column": r"\documentclass[10pt]{article}\usepackage[margin=2cm]{geometry}",
    "two columns": r"\documentclass[10pt,twocolumn]{article}\usepackage[textwidth=7in]{geometry}",
    "narrow": r"\documentclass[10pt]{article}\usepackage[textwidth=5.5in,textheight=9in]{geometry}",
}


@pytest.fixture(scope="module")
def comparison(results: Results) -> Comparison:
    return compare(results, "robustness", metrics=["entropy"], resamples=500)


def test_booktabs_escapes_and_a_heading_per_group(results: Results, comparison: Comparison) -> None:
    text = latex.latex(results, comparison, "entropy")
    assert text.count(r"\toprule") == 1
    assert r"dead\_code & 0.5 & " in text
    assert r"95 \% interval" in text
    assert text.count(r"\multicolumn") == 4
    assert r"\emph{small, trained on original+augmented}" in text
    assert text.count(r"\\") == 1 + 4 + 36


def test_marks_are_those_of_the_caption(results: Results, comparison: Comparison) -> None:
    text = latex.latex(results, comparison, "entropy")
    row = next(line for line in text.splitlines() if line.startswith("rename & 1 &"))
    assert re.search(r"& \\bfseries \+0\.8\d & \$\{\+\}0\.\d\d\$ to \$\{\+\}0\.\d\d\$\\,\$\\dagger\$ &", row)
    assert text.count(r"\,$\ddagger$ &") == 9


def test_long_tables_are_cut_between_groups(results: Results, comparison: Comparison) -> None:
    wide = [comparison.table.assign(model=f"{name} & {i}") for i, name in enumerate("abc")]
    seeds = [comparison.seeds.assign(model=f"{name} & {i}") for i, name in enumerate("abc")]
    long = replace(comparison, table=pd.concat(wide), seeds=pd.concat(seeds))
    parts = latex.latex(results, long, "entropy").split(r"\end{table*}")[:-1]
    assert len(parts) == 3
    assert all(part.count(r"\\") - part.count(r"\multicolumn") - 1 <= latex.MAX_ROWS for part in parts)
    assert [re.search(r"label{(.*?)}", part)[1] for part in parts] == [  # type: ignore[index]
        "tab:differences",
        "tab:differences-2",
        "tab:differences-3",
    ]
    assert "Continued from the part before (2 of 3)" in parts[1]
    assert r"\emph{b \& 1, trained on original}" in parts[1]


def test_one_group_alone_has_no_heading(results: Results, comparison: Comparison) -> None:
    one = comparison.table.query("model == 'small' and train_on == 'original'")
    seeds = comparison.seeds.query("model == 'small' and train_on == 'original'")
    text = latex.latex(results, replace(comparison, table=one, seeds=seeds), "entropy")
    assert r"\multicolumn" not in text
    assert text.count(r"\midrule") == 1
    assert r"\ddagger$ &" not in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", CLASSES)
def test_compiles_and_fits(results: Results, comparison: Comparison, tmp_path: Path, name: str) -> None:
    done = compiled(tmp_path, CLASSES[name], latex.latex(results, comparison, "entropy"))
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert "Overfull" not in done.stdout
    assert "Float too large" not in done.stdout


def compiled(folder: Path, document: str, body: str) -> "subprocess.CompletedProcess[str]":
    packages = r"\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{booktabs,siunitx}"
    page = f"{document}\n{packages}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (folder / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
