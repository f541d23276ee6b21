from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from preprocessing.fetching.raw import RawFile
from preprocessing.sources import AnySource, lookup, union


def test_one_after_the_other(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text(f"{name} = 1\n")
    folders = [{"kind": "directory", "path": str(tmp_path / name)} for name in ("two", "one")]
    config = TypeAdapter(AnySource).validate_python({"kind": "union", "sources": folders})
    assert isinstance(config, union.Config)
    assert [file.path for file in lookup("union").read(config) if isinstance(file, RawFile)] == [
        "two.py",
        "one.py",
    ]
    before = union.raw_digest(config)
    (tmp_path / "one" / "one.py").write_text("one = 2\n")
    assert union.raw_digest(config) != before
    assert config.model_dump()["sources"][0]["path"] == str(tmp_path / "two")


def test_bad_settings() -> None:
    check = TypeAdapter(AnySource).validate_python
    with pytest.raises(ValidationError, match="at least 1 item"):
        check({"kind": "union", "sources": []})
    with pytest.raises(ValidationError, match="'union' found using 'kind' does not match any"):
        check({"kind": "union", "sources": [{"kind": "union", "sources": []}]})
