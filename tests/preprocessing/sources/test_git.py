import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from preprocessing.errors import BadInput
from preprocessing.fetching.raw import Excluded, RawFile
from preprocessing.sources import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
DATE = "2020-02-03T04:05:06+00:00"


def run(folder: Path, *arguments: str) -> str:
    who = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    environment = os.environ | who | {"GIT_COMMITTER_DATE": DATE, "GIT_CONFIG_GLOBAL": "/dev/null"}
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout.strip()


@pytest.fixture
def repository(make_folder: Callable[..., Path]) -> Path:
    folder = make_folder({"b/x.py": "x = 1\r\n", "a.py": b"\xff", "c.txt": "c", "ü ü.py": "u"}, "some.git")
    (folder / "link.py").symlink_to("/etc/passwd")
    run(folder, "init", "-q")
    run(folder, "add", ".")
    run(folder, "commit", "-qm", "first")
    return folder


def configure(folder: Path, **fields: object) -> git.Config:
    return git.Config.model_validate({"repositories": [{"path": str(folder), **fields}]})


def test_files_of_a_commit(repository: Path) -> None:
    first = run(repository, "rev-parse", "HEAD")
    (repository / "b" / "x.py").write_text("changed and not committed")
    expected = [
        RawFile(project="some", path="a.py", data=b"\xff", license="MIT", date=DATE),
        RawFile(project="some", path="b/x.py", data=b"x = 1\r\n", license="MIT", date=DATE),
        Excluded(project="some", path="link.py", reason="link"),
        RawFile(project="some", path="ü ü.py", data=b"u", license="MIT", date=DATE),
    ]
    assert list(git.read(configure(repository, license="MIT"))) == expected
    before = git.raw_digest(configure(repository))
    run(repository, "commit", "-qam", "second")
    assert (
        git.raw_digest(configure(repository)) != before == git.raw_digest(configure(repository, commit=first))
    )
    assert list(git.read(configure(repository, license="MIT", commit=first))) == expected


@pytest.mark.parametrize("commit", ["nowhere", "--help", "HEAD:a.py"])
def test_no_such_commit(repository: Path, commit: str) -> None:
    with pytest.raises(BadInput, match=r"some\.git at "):
        git.raw_digest(configure(repository, commit=commit))


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a git repository"):
        git.raw_digest(configure(tmp_path))
