"""Local git repositories at a commit: what is committed, whatever the working tree looks like."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from pydantic import Field

from preprocessing.errors import BadInput
from preprocessing.fetching import files
from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig
from preprocessing.frozen import Frozen

_LINK, _SUBMODULE = "120000", "160000"


class Repository(Frozen):
    """One repository. `commit` is any revision of git's; the commit that it means is in the corpus's key."""

    path: str
    commit: str = "HEAD"
    project: str | None = None
    license: str = ""


class Config(SourceConfig):
    """A repository is a project, by the name of its folder if no other is given. Files have their
    commit's date.
    """

    kind: Literal["git"] = "git"
    repositories: tuple[Repository, ...] = Field(min_length=1)


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """The .py files of all repositories, in the order of their trees."""
    for repository in config.repositories:
        yield from _read(repository, _resolved(repository))


def raw_digest(config: Config) -> str:
    """Digest of the names of projects and the hashes of commits."""
    commits = [f"{_project(repository)} {_resolved(repository)}" for repository in config.repositories]
    return hashlib.sha256("\n".join(commits).encode()).hexdigest()


def _read(repository: Repository, commit: str) -> Iterator[RawFile | Excluded]:
    project = _project(repository)
    date = _git(repository, "show", "--no-patch", "--format=%cI", commit).decode().strip()
    listed = _git(repository, "ls-tree", "-r", "-z", "--long", commit)
    command = ["git", "-C", repository.path, "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdin is not None
        assert process.stdout is not None
        for entry in listed.split(b"\0")[:-1]:
            about, _, name = entry.partition(b"\t")
            mode, _, blob, size = about.decode().split()
            path = name.decode("utf-8", "surrogateescape")
            if not path.endswith(".py"):
                continue
            if mode in (_LINK, _SUBMODULE):
                yield Excluded(project=project, path=path, reason="link")
            elif int(size) > files.MAX_READ_BYTES:
                yield files.too_large(project, path, int(size))
            else:
                process.stdin.write(f"{blob}\n".encode())
                process.stdin.flush()
                data = _blob(process.stdout, repository)
                yield RawFile(project=project, path=path, data=data, license=repository.license, date=date)


def _blob(stdout: IO[bytes], repository: Repository) -> bytes:
    header = stdout.readline().split()
    if len(header) != 3:
        raise BadInput(f"corpus.source.repositories: {repository.path} is damaged; try git fsck there")
    data = stdout.read(int(header[2]))
    stdout.read(1)
    return data


def _resolved(repository: Repository) -> str:
    return (
        _git(repository, "rev-parse", "--verify", "--end-of-options", f"{repository.commit}^{{commit}}")
        .decode()
        .strip()
    )


def _git(repository: Repository, *arguments: str) -> bytes:
    try:
        return subprocess.run(  # noqa: S603
            ["git", "-C", repository.path, *arguments],  # noqa: S607
            capture_output=True,
            check=True,
        ).stdout
    except FileNotFoundError as error:
        raise BadInput("corpus.source.kind: git needs the program git") from error
    except subprocess.CalledProcessError as error:
        message = error.stderr.decode(errors="replace").strip().splitlines() or ["git failed"]
        raise BadInput(
            f"corpus.source.repositories: {repository.path} at {repository.commit}: {message[-1]}"
        ) from error


def _project(repository: Repository) -> str:
    return repository.project or Path(repository.path).expanduser().resolve().name.removesuffix(".git")
