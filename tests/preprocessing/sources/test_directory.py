from collections.abc import Callable
from pathlib import Path

import pytest

from preprocessing.errors import BadInput
from preprocessing.sources import directory

FILES = {"a.py": "1", "b/c.py": "2", "b/d/e.py": "3", "b/.git/f.py": "4", "b/g.txt": "5"}


def paths(folder: Path, **fields: object) -> list[str]:
    config = directory.Config.model_validate({"path": str(folder), **fields})
    return [raw.path for raw in directory.read(config)]


@pytest.mark.parametrize(
    "project, expected",
    [
        ("top", {"a.py": "a", "b/c.py": "b", "b/d/e.py": "b"}),
        ("parent", {"a.py": ".", "b/c.py": "b", "b/d/e.py": "b/d"}),
    ],
)
def test_projects(make_folder: Callable[..., Path], project: str, expected: dict[str, str]) -> None:
    config = directory.Config.model_validate(
        {"path": str(make_folder(FILES)), "project": project, "license": "MIT"}
    )
    files = list(directory.read(config))
    assert {raw.path: raw.project for raw in files} == expected
    assert [raw.path for raw in files] == list(expected)
    assert {getattr(raw, "license", raw) for raw in files} == {"MIT"}


def test_patterns(make_folder: Callable[..., Path]) -> None:
    folder = make_folder(FILES | {"tests/t.py": "6"})
    assert paths(folder, include=("b/**",)) == ["b/c.py", "b/d/e.py"]
    assert paths(folder, exclude=("tests/", "c.py")) == ["a.py", "b/d/e.py"]


def test_gitignore(make_folder: Callable[..., Path]) -> None:
    ignored = {
        ".gitignore": "build/\n*_pb2.py\n/only_here.py\n",
        "build/x.py": "",
        "a_pb2.py": "",
        "b/a_pb2.py": "",
        "only_here.py": "",
        "b/only_here.py": "",
        "b/.gitignore": "!a_pb2.py\n",
    }
    folder = make_folder(FILES | ignored)
    assert paths(folder) == ["a.py", "b/a_pb2.py", "b/c.py", "b/only_here.py", "b/d/e.py"]
    assert "build/x.py" in paths(folder, gitignore=False)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder"):
        list(directory.read(directory.Config(path=str(tmp_path / "nowhere"))))
