"""A folder of Python files on this machine."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from preprocessing.errors import BadInput
from preprocessing.fetching import files
from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_SKIPPED_FOLDERS = frozenset([".git", ".hg", ".svn", "__pycache__", ".venv", "node_modules"])


class Config(SourceConfig):
    """`project` says what a project is: each entry of the folder (`top`), or each folder that holds
    files (`parent`).

    `include` and `exclude` are patterns as in .gitignore, over paths below the folder; `gitignore`
    respects the folder's own. `license` is recorded with every sample.
    """

    kind: Literal["directory"] = "directory"
    path: str
    project: Literal["top", "parent"] = "top"
    include: tuple[str, ...] = ("*.py",)
    exclude: tuple[str, ...] = ()
    gitignore: bool = True
    license: str = ""


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """All that ends in .py below the folder and fits the patterns; links are not followed."""
    root = _root(config)
    for path in files.walk(root, _Ignored(root, config)):
        yield files.load(root, path, project=_project(config, path), license=config.license)


def raw_digest(config: Config) -> str:
    """Digest of names and contents."""
    root = _root(config)
    return files.digest(root, files.walk(root, _Ignored(root, config)))


def _root(config: Config) -> Path:
    root = Path(config.path).expanduser()
    if not root.is_dir():
        raise BadInput(f"corpus.source.path: no folder {str(root)!r}")
    return root


def _project(config: Config, path: str) -> str:
    if config.project == "top":
        return path.partition("/")[0].removesuffix(".py")
    return path.rpartition("/")[0] or "."


class _Ignored:
    """Says of a path below the root whether it is left out. The .gitignore nearest to a path decides
    first.
    """

    def __init__(self, root: Path, config: Config) -> None:
        self._include, self._exclude = _patterns(config.include), _patterns(config.exclude)
        self._spec_of = cache(lambda folder: _read_gitignore(root / folder)) if config.gitignore else None

    def __call__(self, path: str) -> bool:
        name = path.rstrip("/").rpartition("/")[2]
        if path.endswith("/"):
            return name in _SKIPPED_FOLDERS or self._exclude.match_file(path) or self._ignored(path)
        if not self._include.match_file(path) or self._exclude.match_file(path):
            return True
        return self._ignored(path)

    def _ignored(self, path: str) -> bool:
        if self._spec_of is None:
            return False
        parts = path.rstrip("/").split("/")
        for depth in range(len(parts) - 1, -1, -1):
            spec = self._spec_of("/".join(parts[:depth]))
            rest = "/".join(parts[depth:]) + ("/" if path.endswith("/") else "")
            verdict = spec.check_file(rest).include if spec is not None else None
            if verdict is not None:
                return verdict
        return False


def _patterns(lines: tuple[str, ...]) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


def _read_gitignore(folder: Path) -> "GitIgnoreSpec | None":
    raw = files.load(folder, ".gitignore", project="")
    if not isinstance(raw, RawFile) or isinstance(raw.data, str):
        return None
    return _patterns(tuple(raw.data.decode(errors="replace").splitlines()))
