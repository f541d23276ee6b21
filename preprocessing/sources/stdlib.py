"""The standard library of the running interpreter: real code by many hands, on every machine, without a
download.
"""

import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from preprocessing import files
from preprocessing.sources import Excluded, RawFile, SourceConfig

LICENSE = "PSF-2.0"
_SKIPPED_FOLDERS = (
    "test",
    "tests",
    "idle_test",
    "site-packages",
    "dist-packages",
    "lib-dynload",
    "_bundled",
    "__pycache__",
)


class Config(SourceConfig):
    """A top-level module or package is a project. Test suites and bundled wheels are left out."""

    kind: Literal["stdlib"] = "stdlib"


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """All modules of the standard library."""
    root = _root()
    for path in _paths(root):
        yield files.load(root, path, project=_project(path), license=LICENSE)


def raw_digest(config: Config) -> str:
    """Digest of names and contents."""
    root = _root()
    return files.digest(root, _paths(root))


def _root() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def _paths(root: Path) -> Iterator[str]:
    for path in files.walk(root, _SKIPPED_FOLDERS):
        # What is no identifier, and _sysconfigdata, is written by the machine on which Python was built.
        if _project(path).isidentifier() and not path.startswith("_sysconfigdata"):
            yield path


def _project(path: str) -> str:
    return path.partition("/")[0].removesuffix(".py")
