from pathlib import Path

import pytest
from pydantic import ValidationError

from preprocessing.corpus import CorpusConfig
from preprocessing.sources import RawFile, union


def folder(path: Path, **files: str) -> dict[str, str]:
    for name, text in files.items():
        (path / name).mkdir(parents=True)
        (path / name / "m.py").write_text(text)
    return {"kind": "directory", "path": str(path)}


def config(*sources: dict[str, str]) -> union.Config:
    source = CorpusConfig.model_validate({"source": {"kind": "union", "sources": list(sources)}}).source
    assert isinstance(source, union.Config)
    return source


def test_files_of_all_in_their_order(tmp_path: Path) -> None:
    first, second = folder(tmp_path / "1", b="x = 1\n"), folder(tmp_path / "2", a="y = 2\n")
    found = [file for file in union.read(config(first, second)) if isinstance(file, RawFile)]
    assert [(file.project, file.data) for file in found] == [("b", b"x = 1\n"), ("a", b"y = 2\n")]


def test_digest_changes_with_content_and_order(tmp_path: Path) -> None:
    first, second = folder(tmp_path / "1", b="x = 1\n"), folder(tmp_path / "2", a="y = 2\n")
    before = union.raw_digest(config(first, second))
    assert before == union.raw_digest(config(first, second)) != union.raw_digest(config(second, first))
    (tmp_path / "2" / "a" / "m.py").write_text("y = 3\n")
    assert before != union.raw_digest(config(first, second))


def test_a_union_holds_no_union() -> None:
    with pytest.raises(ValidationError, match="'union' found using 'kind' does not match any of"):
        config({"kind": "union", "sources": []})
    with pytest.raises(ValidationError, match="at least 1 item"):
        config()
