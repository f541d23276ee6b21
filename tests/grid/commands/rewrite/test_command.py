import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from grid.cli.app import app
from grid.commands.rewrite import command, workers
from grid.commands.rewrite.inputs import File, Piece
from grid.commands.rewrite.one_piece import RewriteOrder, first_bad, place
from grid.commands.rewrite.workers import Limits
from preprocessing.errors import BadInput

TEXT = "def area(width, height):\r\n    total = width * height\r\n    return total\r\n"


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
    (code / "bad.py").write_bytes(b"def f(:\r\n")
    (code / "null.py").write_bytes(b"x = 1\0\n")
    (code / "same.py").write_bytes(b"\xef\xbb\xbfpass\r\n")
    report, out = tmp_path / "report.json", tmp_path / "new"
    rewrites = "rename_variable, parentheses{nested: true}"
    result = run(code, "--rewrites", rewrites, "--report", report, "--out", out, "--count", 5)
    assert result.exit_code == 0
    assert "warning: " in result.output
    written = json.loads(report.read_text())
    facts = {Path(fact["file"]).name: fact for fact in written["files"]}
    assert written["request"]["rewrites"][1] == ["parentheses", {"nested": True}]
    assert facts["bad.py"]["status"] == facts["null.py"]["status"] == "skipped"
    assert facts["null.py"]["reason"] == "null_byte"
    plain = facts["plain.py"]
    assert plain["status"] == "rewritten"
    assert sum(plain["sites"].values()) == 5
    assert plain["tokens_after"] > plain["tokens_before"]
    assert plain["bytes_after"] == len((out / "sub" / "plain.py").read_bytes())
    for name in ("bad.py", "null.py", "same.py"):
        assert (out / name).read_bytes() == (code / name).read_bytes()


def test_a_limit_of_growth(code: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    result = run(code, "--rewrites", "no_op, parentheses", "--growth-limit", 1.4, "--report", report)
    assert result.exit_code == 0
    written = json.loads(report.read_text())
    assert written["request"]["growth_limit"] == 1.4
    for file in written["files"]:
        assert file["tokens_before"] < file["tokens_after"] <= 1.4 * file["tokens_before"]
        assert any(reason.endswith(":growth_limit") for reason in file["refusals"])


def test_jsonl_and_any_number_of_processes(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    rows: list[dict[str, Any]] = [
        {"n": 1, "text": TEXT},
        {"text": "x ="},
        {"other": 1},
        {"text": TEXT, "é": "ü"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for jobs in (1, 2):
        arguments = ["--rewrites", "rename_variable", "--column", "text", "--jobs", jobs]
        assert run(file, *arguments, "--out", tmp_path / str(jobs)).exit_code == 0
    lines = (tmp_path / "1" / "data.jsonl").read_bytes().splitlines()
    assert (tmp_path / "2" / "data.jsonl").read_bytes().splitlines() == lines
    assert [json.loads(line).keys() for line in lines] == [row.keys() for row in rows]
    assert json.loads(lines[0])["text"] != TEXT
    assert lines[1:3] == file.read_bytes().splitlines()[1:3]
    with pytest.raises(BadInput, match="no text in column 'code'"):
        run(file, "--rewrites", "rename_variable")


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_takes_too_much_is_left_as_it_is(tmp_path: Path, jobs: int) -> None:
    code, out, report = tmp_path / "code", tmp_path / "new", tmp_path / "report.json"
    code.mkdir()
    (code / "a.py").write_text("print(f(a, b)[c], 'd' + e)\n" * 40_000)
    (code / "b.py").write_text(TEXT)
    request = command.Request(paths=[code], rewrites="rename_variable", out=out, report=report)
    limits = {
        "too_slow": Limits(time_s=0.5),
        "too_much_memory": Limits(time_s=60, memory_bytes=300 * 2**20),
    }
    for reason, limit in limits.items():
        assert command.run(request, Console(), jobs=jobs, limits=limit) == 0
        written = json.loads(report.read_text())
        assert written["summary"]["reasons"] == {reason: 1}
        assert [fact["status"] for fact in written["files"]] == ["skipped", "rewritten"]
        assert (out / "a.py").read_bytes() == (code / "a.py").read_bytes()
        assert (out / "b.py").read_bytes() != (code / "b.py").read_bytes()


def test_a_process_that_dies_costs_its_piece_alone(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(TEXT)
    piece = Piece(file=File(path=tmp_path / "a.py", name=Path("a.py")))
    order = RewriteOrder(rewrites=["no_op"], rate=1.0, count=None, seed=1, column="code", diff=False)
    worker = workers._Worker(order, Limits())
    assert worker.rewrite(piece).facts["status"] == "rewritten"
    assert worker._running is not None
    worker._running[0].kill()
    assert worker.rewrite(piece).facts["reason"] == "crashed"
    assert worker.rewrite(piece).facts["status"] == "rewritten"
    worker._running[0].kill()
    worker._running[0].join()  # it is gone before it is given anything
    assert worker.rewrite(piece).facts["reason"] == "crashed"
    assert worker.rewrite(piece).facts["status"] == "rewritten"
    worker.stop()


def test_the_first_bad_site_is_found() -> None:
    assert first_bad(["x"], 100, lambda part, n: n >= 37) == 37
    assert first_bad(["x"], 100, lambda part, n: False) == 0
    assert place("a\nbcd\n", 4) == "2:3"


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--rewrites", "rename_varible"], "did you mean"),
        (["--rewrites", "parentheses", "--rate", "2"], "must be from 0 to 1"),
        (["--rewrites", "parentheses", "--rate", "1", "--count", "2"], "exclude each other"),
        (["--rewrites", "parentheses", "--growth-limit", "0.9"], "--growth-limit: .* must be 1 or more"),
        ([], "name at least one of"),
        (["--rewrites", "parentheses{nested: true"], "a brace has no partner"),
        (["--rewrites", "parentheses{nestd: true}"], "unknown option 'nestd'"),
        (["--rewrites", "parentheses,"], "a name is missing"),
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


def test_explain(code: Path) -> None:
    file = code / "sub" / "plain.py"
    assert "total" in run("--explain", f"{file}:2", "--rewrites", "rename_variable").output
    for where, expected in ((f"{file}:99", "99"), (file, "FILE:LINE"), ("/nowhere.py:1", "No such file")):
        with pytest.raises(BadInput, match=expected):
            run("--explain", where)
