import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grid import commands
from grid.cli import app, console
from grid.errors import BadInput

TEXT = "def area(width, height):\r\n    total = width * height\r\n    return total\r\n"
commands.register(app, console)


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["rewrite", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code" / "sub"
    folder.mkdir(parents=True)
    (folder / "plain.py").write_bytes(TEXT.encode())
    (folder / "latin.py").write_bytes(("# -*- coding: latin-1 -*-\nx = 'é'\n" + TEXT).encode("latin-1"))
    (folder / "bom.py").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    return tmp_path / "code"


def test_diff_shows_what_changes(code: Path) -> None:
    result = run(code / "sub" / "plain.py", "--rewrites", "rename_variable", "--diff")
    assert result.exit_code == 0
    assert "-    return total" in result.output
    assert "1 files: 1 rewritten" in result.output


def test_out_keeps_encodings_newlines_and_folders(code: Path, tmp_path: Path) -> None:
    result = run(code, "--rewrites", "parentheses", "--out", tmp_path / "new", "--rate", "1")
    assert result.exit_code == 0, result.output
    plain = (tmp_path / "new" / "sub" / "plain.py").read_bytes()
    assert b"(total)\r\n" in plain
    assert plain.count(b"\r\n") == plain.count(b"\n")
    assert (tmp_path / "new" / "sub" / "bom.py").read_bytes().startswith(b"\xef\xbb\xbf")
    assert "é".encode("latin-1") in (tmp_path / "new" / "sub" / "latin.py").read_bytes()
    assert (code / "sub" / "plain.py").read_bytes() == TEXT.encode()


def test_report_and_what_can_t_be_parsed(code: Path, tmp_path: Path) -> None:
    (code / "bad.py").write_text("def f(:\n")
    (code / "null.py").write_bytes(b"x = 1\0\n")
    report = tmp_path / "report.json"
    result = run(code, "--rewrites", "rename_variable,parentheses", "--report", report)
    assert result.exit_code == 1
    facts = {Path(fact["file"]).name: fact for fact in json.loads(report.read_text())["files"]}
    assert facts["bad.py"]["status"] == facts["null.py"]["status"] == "quarantined"
    assert facts["plain.py"]["status"] == "rewritten"
    assert facts["plain.py"]["sites"]["rename_variable"] >= 1


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--rewrites", "rename_varible"], "did you mean"),
        (["--rewrites", "parentheses", "--rate", "2"], "must be from 0 to 1"),
        (["--rewrites", "parentheses", "--rate", "1", "--count", "2"], "exclude each other"),
        ([], "name at least one of"),
    ],
)
def test_bad_input(code: Path, arguments: list[str], expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        run(code, *arguments)


def test_no_such_file() -> None:
    with pytest.raises(BadInput, match="no such file"):
        run("/nowhere", "--rewrites", "parentheses")


def test_list_names_every_rewrite() -> None:
    import transformers_py

    out = run("--list").output
    assert all(name in out for name in transformers_py.names())
