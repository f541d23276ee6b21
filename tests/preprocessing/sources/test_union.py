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


def test_the_standard_library_is_one_project_beside_others(tmp_path: Path) -> None:
    def sources(*given: dict[str, str]) -> union.Config:
        config = TypeAdapter(AnySource).validate_python({"kind": "union", "sources": given})
        assert isinstance(config, union.Config)
        return config

    folder, library = {"kind": "directory", "path": str(tmp_path)}, {"kind": "stdlib"}
    (tmp_path / "one.py").write_text("one = 1\n")
    mixed = sources(library, folder)
    assert {file.project for file in lookup("union").read(mixed) if file.path != "one.py"} == {"CPython"}
    alone = sources(library, library)
    assert {"json", "argparse"} < {file.project for file in lookup("union").read(alone)}
    modules = sources({**library, "projects": "modules"}, folder)
    assert {"json", "argparse"} < {file.project for file in lookup("union").read(modules)}
    assert alone.keyed()["sources"][0] == library  # the key of before; what mixes sources has another
    for config in (mixed, alone, modules):  # a step reads it from what the key is made of
        assert TypeAdapter(AnySource).validate_python(config.keyed()) == config
        assert TypeAdapter(AnySource).validate_python(config.model_dump(mode="json")) == config


def test_bad_settings() -> None:
    check = TypeAdapter(AnySource).validate_python
    with pytest.raises(ValidationError, match="at least 1 item"):
        check({"kind": "union", "sources": []})
    with pytest.raises(ValidationError, match="'union' found using 'kind' does not match any"):
        check({"kind": "union", "sources": [{"kind": "union", "sources": []}]})
    with pytest.raises(ValidationError, match="Input should be 'modules' or 'one'"):
        check({"kind": "union", "sources": [{"kind": "stdlib", "projects": "package"}]})
