import gzip
import json
from pathlib import Path

import pytest

from preprocessing.errors import BadInput
from preprocessing.fetching.raw import Excluded, RawFile
from preprocessing.sources import jsonl


def read(path: Path, **fields: object) -> list[RawFile | Excluded]:
    return list(jsonl.read(jsonl.Config.model_validate({"path": str(path), **fields})))


def write(path: Path, *records: object) -> Path:
    data = "".join(json.dumps(record) + "\n" for record in records).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_plain(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        {"text": "x = 1\n", "project": "p", "path": "a.py", "split": "validation"},
        {"text": "y"},
    )
    assert read(path, license="MIT") == [
        RawFile(project="p", path="a.py", data="x = 1\n", license="MIT", split="valid"),
        RawFile(project="a.jsonl", path="1", data="y", license="MIT"),
    ]


def test_codesearchnet(tmp_path: Path) -> None:
    record = {
        "repo": "soimort/you-get", "path": "src/x.py", "func_name": "f", "original_string": "def f(): pass",
        "code": "", "partition": "test", "language": "python",
    }  # fmt: skip
    assert read(write(tmp_path / "python_test_0.jsonl.gz", record), preset="codesearchnet") == [
        RawFile(project="soimort/you-get", path="src/x.py", data="def f(): pass", split="test")
    ]


def test_the_stack(tmp_path: Path) -> None:
    record = {
        "content": "x = 1", "max_stars_repo_name": "a/b", "max_stars_repo_path": "c.py",
        "max_stars_repo_licenses": ["MIT", "Apache-2.0"],
        "max_stars_repo_stars_event_min_datetime": "2020-01-02",
    }  # fmt: skip
    assert read(write(tmp_path / "a.jsonl", record), preset="the_stack") == [
        RawFile(project="a/b", path="c.py", data="x = 1", license="MIT AND Apache-2.0", date="2020-01-02")
    ]


def test_any_fields(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"body": "x", "who": 7})
    (raw,) = read(path, fields={"text": "body", "project": "who"})
    assert isinstance(raw, RawFile)
    assert (raw.project, raw.path, raw.data) == ("7", "0", "x")


def test_bad_lines_are_excluded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("preprocessing.fetching.files.MAX_READ_BYTES", 200)
    path = tmp_path / "bad.jsonl"
    path.write_bytes(
        b'{"text": "x"}\n\n{"text": \n[1]\n{"txt": "x"}\n{"text": 5}\n"\xff"\n'
        + b"[" * 150 + b"\n" + b'{"text": "' + b"a" * 1000 + b'"}\n{"text": "y"}'
    )  # fmt: skip
    assert [(raw.path, getattr(raw, "reason", raw)) for raw in read(path)][1:-1] == [
        ("2", "bad_record"), ("3", "bad_record"), ("4", "bad_record"), ("5", "bad_record"),
        ("6", "bad_record"), ("7", "bad_record"), ("8", "too_large"),
    ]  # fmt: skip
    assert [raw.data for raw in read(path) if isinstance(raw, RawFile)] == ["x", "y"]


def test_deep_json_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "deep.jsonl"
    path.write_bytes(b"[" * 100_000 + b"]" * 100_000 + b"\n")
    assert [getattr(raw, "reason", raw) for raw in read(path)] == ["bad_record"]


def test_broken_gzip(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "x"}\n' * 1000)[:-20])
    with pytest.raises(BadInput, match=r"can't read .*a.jsonl.gz"):
        read(path)
