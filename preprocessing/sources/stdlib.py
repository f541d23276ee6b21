"""The standard library of the running interpreter: real code by many hands, anywhere, without a download."""

import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from preprocessing.fetching import files
from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig

LICENSE = "PSF-2.0"
_SKIPPED_FOLDERS = frozenset(
    ["test", "tests", "idle_test", "site-packages", "dist-packages", "lib-dynload", "_bundled", "__pycache__"]
)


class Config(SourceConfig):
    """A top-level module or package is a project. Test suites and bundled wheels are left out."""

    kind: Literal["stdlib"] = "stdlib"


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """All modules of the standard library."""
    root = _root()
    for path in files.walk(root, _leave_out):
        yield files.load(root, path, project=_project(path), license=LICENSE)


def raw_digest(config: Config) -> str:
    """Digest of names and contents."""
    root = _root()
    return files.digest(root, files.walk(root, _leave_out))


def _root() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def _leave_out(path: str) -> bool:
    """Also what the machine wrote on which Python was built: _sysconfigdata, and folders that are no
    packages.
    """
    if path.endswith("/"):
        name = path[:-1].rpartition("/")[2]
        return name in _SKIPPED_FOLDERS or not name.isidentifier()
    return path.startswith("_sysconfigdata") or not _project(path).isidentifier()


def _project(path: str) -> str:
    return path.partition("/")[0].removesuffix(".py")
