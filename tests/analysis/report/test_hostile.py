"""A results folder from someone else can't run code when it is opened."""

import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.results import Results
from grid.results.analysis_process import analyse

PLANTED = ("analysis", "pandas", "numpy", "json", "matplotlib", "nbformat", "sitecustomize")


@pytest.fixture
def hostile(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with modules of well-known names, which is the current folder, too."""
    copy = Path(shutil.copytree(folder, tmp_path / "theirs"))
    for name in PLANTED:
        (copy / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').write(__name__)\n")
    monkeypatch.chdir(copy)
    return copy


def test_modules_that_lie_in_it_are_not_imported(hostile: Path) -> None:
    assert analyse("analysis.comparing.two_runs", Path("."), hostile, quiet=True).returncode == 0
    assert not (hostile.parent / "ran").exists()


@pytest.mark.slow
def test_nor_by_the_report_and_the_notebooks(hostile: Path) -> None:
    pytest.importorskip("nbclient")
    assert analyse("analysis", Path("."), quiet=True).returncode == 0
    assert analyse("analysis.notebooks.execution", Path("."), quiet=True).returncode == 0
    assert len(list((hostile / "notebooks").iterdir())) == 4
    assert not (hostile.parent / "ran").exists()


def test_pickles_in_a_table_are_not_opened(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "theirs"))
    ran = tmp_path / "ran"
    pickle = f"cos\nsystem\n(S'touch {ran}'\ntR.".encode()
    table = pa.Table.from_pandas(pd.read_parquet(copy / "cells.parquet"), preserve_index=False)
    at = table.schema.get_field_index("seed")
    extension = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": pickle}
    table = table.set_column(at, table.schema.field(at).with_metadata(extension), table["seed"])
    pq.write_table(table, copy / "cells.parquet")
    assert set(Results(copy).cells["seed"]) == {1, 2}
    assert not ran.exists()


def test_texts_reach_the_page_as_text(folder: Path, tmp_path: Path) -> None:
    from analysis.report import page

    copy = Path(shutil.copytree(folder, tmp_path / "theirs"))
    odd = "</script><script>alert(1)</script>\"'{{ 7 * 7 }}"
    cells = pd.read_parquet(copy / "cells.parquet")
    for column, level in (("rewrites", "rename"), ("model", "small"), ("train_on", "original+augmented")):
        cells[column] = cells[column].replace(level, odd)
    cells.to_parquet(copy / "cells.parquet", index=False)
    refusals = pd.read_parquet(copy / "refusals.parquet").assign(reason=odd)
    refusals.to_parquet(copy / "refusals.parquet", index=False)
    page.make(copy)
    html = (copy / "report.html").read_text(encoding="utf-8")
    assert html.count("<script>") == 1
    assert "{{ 7 * 7 }}" in html
