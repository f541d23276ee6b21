"""A folder of Python files on this machine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from preprocessing import files
from preprocessing.errors import BadInput
from preprocessing.sources import Excluded, RawFile, SourceConfig

_SKIPPED_FOLDERS = (".git", ".hg", ".svn", "__pycache__", ".venv", "node_modules")


class Config(SourceConfig):
    """`project` says what a project is: each entry of the folder (`top`), or each folder that holds files
    (`parent`).

    `license` is recorded with every sample.
    """

    kind: Literal["directory"] = "directory"
    path: str
    project: Literal["top", "parent"] = "top"
    license: str = ""


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """All that ends in .py below the folder; links are not followed."""
    root = _root(config)
    for path in files.walk(root, _SKIPPED_FOLDERS):
        yield files.load(root, path, project=_project(config, path), license=config.license)


def raw_digest(config: Config) -> str:
    """Digest of names and contents."""
    root = _root(config)
    return files.digest(root, files.walk(root, _SKIPPED_FOLDERS))


def _root(config: Config) -> Path:
    root = Path(config.path).expanduser()
    if not root.is_dir():
        raise BadInput(f"corpus.source.path: no folder {str(root)!r}")
    return root


def _project(config: Config, path: str) -> str:
    if config.project == "top":
        return path.partition("/")[0].removesuffix(".py")
    return path.rpartition("/")[0] or "."
