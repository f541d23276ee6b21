"""The methods paragraph cites what the bibliography holds, and BibTeX can read it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from analysis.comparing.comparisons import compare
from analysis.comparing.token_by_token import scan
from analysis.report import difference_tables, methods
from analysis.results import Results

KEYS = re.findall(r"^@\w+\{(\w+),", methods.BIBTEX, re.M)


def test_each_citation_has_an_entry_and_each_entry_is_cited(calibrated_folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(calibrated_folder, tmp_path / "copy"))
    run = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(run | {"claims": {"margin": {"entropy": 0.1}}}))
    results = Results(copy)
    found = {"robustness": compare(results, "robustness", metrics=["entropy"], resamples=200)}
    told = methods.paragraph(results, found, scan(results))
    cited = set(re.findall(r"\b([a-z]+\d{4})\b(?=[^\[]*\])", told))
    assert cited == set(KEYS)
    assert len(KEYS) == len(set(KEYS))
    assert "8 projects" in told
    assert "seeds (1, 2)" in told
    assert "margins that were named before the run: Entropy 0.1 bits per token" in told


def test_without_a_margin_no_equivalence_is_claimed(results: Results) -> None:
    found = {"robustness": compare(results, "robustness", metrics=["entropy"], resamples=200)}
    assert "so no equivalence is claimed" in methods.paragraph(results, found, scan(results))


def test_nothing_to_compare_is_said() -> None:
    assert methods.paragraph(None, {}, None) == "No comparison was made."  # type: ignore[arg-type]


@pytest.mark.skipif(shutil.which("bibtex") is None, reason="bibtex is not installed")
def test_bibtex_reads_it_without_a_warning(tmp_path: Path) -> None:
    (tmp_path / "refs.bib").write_text(methods.BIBTEX, encoding="utf-8")
    lines = [r"\bibstyle{plain}", r"\bibdata{refs}", *(rf"\citation{{{key}}}" for key in KEYS)]
    (tmp_path / "page.aux").write_text("\n".join(lines) + "\n")
    done = subprocess.run(["bibtex", "page"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "Warning" not in done.stdout
    assert (tmp_path / "page.bbl").read_text().count(r"\bibitem") == len(KEYS)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_bibliography_is_set(tmp_path: Path) -> None:
    (tmp_path / "refs.bib").write_text(methods.BIBTEX, encoding="utf-8")
    body = r"\documentclass{article}\begin{document}\nocite{*}\bibliographystyle{plain}\bibliography{refs}"
    (tmp_path / "page.tex").write_text(body + r"\end{document}", encoding="utf-8")
    for command in ("pdflatex", "bibtex", "pdflatex"):
        flags = ["-interaction=nonstopmode", "-halt-on-error"] if command == "pdflatex" else []
        done = subprocess.run(
            [command, *flags, "page"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 10_000


def test_sets_whose_docstrings_follow_are_a_class_of_their_own(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    run = json.loads((copy / "run.json").read_text())
    found = {"robustness": compare(Results(copy), "robustness", metrics=["entropy"], resamples=50)}

    def told(**sets: object) -> str:
        (copy / "run.json").write_text(json.dumps(run | {"spec": {"rewrites": sets}}))
        results = Results(copy)
        paragraph = methods.paragraph(results, found, scan(results))
        caption = difference_tables.caption(results, found["robustness"], "entropy")
        assert ("Names + documentation" in caption) == ("Names + documentation" in paragraph)
        return paragraph

    plain, following = ({"world": "closed", "documentation": value} for value in ("keep", "follow"))
    assert "Names + documentation" not in told(
        rename=[["rename_variable", plain]], parens=[["parentheses", {}]]
    )
    limited = {"rewrites": [["parentheses", {}], ["rename_function", following]], "growth_limit": 2.0}
    paragraph = told(rename=[["rename_variable", following]], parens=[["parentheses", {}]], both=limited)
    assert "whose docstrings follow new names: rename, both;" in paragraph
