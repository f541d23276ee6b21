from pathlib import Path

import pytest

from preprocessing.errors import BadInput
from preprocessing.sources import directory

FILES = {"a.py": "1", "b/c.py": "2", "b/d/e.py": "3", "b/.git/f.py": "4", "b/g.txt": "5"}


@pytest.mark.parametrize(
    "project, expected",
    [
        ("top", {"a.py": "a", "b/c.py": "b", "b/d/e.py": "b"}),
        ("parent", {"a.py": ".", "b/c.py": "b", "b/d/e.py": "b/d"}),
    ],
)
def test_projects(make_folder, project: str, expected: dict[str, str]) -> None:
    config = directory.Config(path=str(make_folder(FILES)), project=project, license="MIT")
    files = list(directory.read(config))
    assert {raw.path: raw.project for raw in files} == expected
    assert [raw.path for raw in files] == list(expected)
    assert {raw.license for raw in files} == {"MIT"}


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder"):
        list(directory.read(directory.Config(path=str(tmp_path / "nowhere"))))
