"""The notebooks: committed without outputs, and run from start to end on a results folder."""

import json
import shutil
from pathlib import Path

import pytest

from analysis.notebooks import execution

FILES = sorted(execution.NOTEBOOKS.glob("*.ipynb"))


def test_there_are_four() -> None:
    assert [file.name[:2] for file in FILES] == ["01", "02", "03", "04"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_committed_without_outputs_and_without_logic(file: Path) -> None:
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert not any("def " in line or line.startswith("for ") for cell in code for line in cell["source"])


@pytest.mark.slow
def test_all_run_from_start_to_end(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("nbclient")
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    for file in execution.run(copy):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        assert any("image/png" in output.get("data", {}) for output in outputs), file
    assert len(list((copy / "notebooks").iterdir())) == 4


def test_bad_input_is_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execution.main([str(tmp_path / "none")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
