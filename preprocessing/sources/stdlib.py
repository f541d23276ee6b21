"""The standard library of the running interpreter: real code by many hands, anywhere, without a download."""

import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from preprocessing.fetching import files
from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig
from preprocessing.frozen import InKey

LICENSE = "PSF-2.0"
WHOLE = "CPython"
"""The project that all of it is with `projects: one`."""
_SKIPPED_FOLDERS = frozenset(
    ["test", "tests", "idle_test", "site-packages", "dist-packages", "lib-dynload", "_bundled", "__pycache__"]
)


class Config(SourceConfig):
    """Test suites and bundled wheels are left out. With `projects: modules` a top-level module or package is
    a project; with `one` all of it is one, CPython. If nothing is said it is one where other kinds of source
    stand beside it in a union, and modules where it stands alone.
    """

    kind: Literal["stdlib"] = "stdlib"
    projects: Annotated[Literal["modules", "one"] | None, InKey.UNLESS_DEFAULT] = None

    def beside_others(self) -> Self:
        """One project among others, unless it is said otherwise."""
        return self.model_copy(update={"projects": "one"}) if self.projects is None else self


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """All modules of the standard library."""
    root = _root()
    for path in files.walk(root, _leave_out):
        project = WHOLE if config.projects == "one" else _module(path)
        yield files.load(root, path, project=project, license=LICENSE)


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
    return path.startswith("_sysconfigdata") or not _module(path).isidentifier()


def _module(path: str) -> str:
    return path.partition("/")[0].removesuffix(".py")
