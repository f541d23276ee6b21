"""Releases on the Python Package Index, fetched with pip once, and pinned by SHA-256 from then on."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from email.parser import BytesParser
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from preprocessing.errors import BadInput
from preprocessing.sources import Excluded, RawFile, SourceConfig, archive

_PINNED = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==([A-Za-z0-9.!+_-]+)")
_AT_ONCE = 50  # packages in one call of pip
_MAX_FILES, _MAX_BYTES = 200_000, 4 * 2**30  # in one package, unpacked
# Trove classifiers that name one licence; for packages whose metadata have no SPDX expression.
_CLASSIFIERS = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
}


class Config(SourceConfig):
    """`packages` are name==version. A package is a project.

    `lock` is a file that is written on the first run, and enforced afterwards: keep it beside the spec. With
    `distribution: wheel`, pip runs nobody's code; to fetch an `sdist` it runs the package's build backend.
    """

    kind: Literal["pypi"] = "pypi"
    packages: tuple[str, ...] = Field(min_length=1)
    lock: str
    distribution: Literal["wheel", "sdist"] = "wheel"

    @field_validator("packages")
    @classmethod
    def _pinned(cls, packages: tuple[str, ...]) -> tuple[str, ...]:
        loose = [package for package in packages if not _PINNED.fullmatch(package)]
        if loose:
            raise ValueError(f"must be name==version, not {', '.join(loose)}")
        names = Counter(_normal(package.partition("==")[0]) for package in packages)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"must name each package once, not {', '.join(twice)} twice")
        return packages


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """The .py files of all packages, in the order of the list."""
    for package, path in _fetched(config).items():
        license = _license(path)
        for name, content in _members(path, ".py"):
            inside = name.partition("/")[2] if config.distribution == "sdist" else name
            project = package.partition("==")[0]
            if isinstance(content, bytes):
                yield RawFile(project=project, path=inside, data=content, license=license)
            else:
                yield Excluded(project=project, path=inside, reason=content[0], detail=content[1])


def raw_digest(config: Config) -> str:
    """Digest of the pinned hashes; fetches what is not pinned yet."""
    _fetched(config)
    locked = _read_lock(config)
    pins = [f"{package} {locked[_key(config, package)]['sha256']}" for package in config.packages]
    return hashlib.sha256("\n".join(pins).encode()).hexdigest()


def _members(path: Path, suffix: str) -> Iterator[tuple[str, bytes | tuple[str, str]]]:
    return archive.members(path, max_files=_MAX_FILES, max_bytes=_MAX_BYTES, suffix=suffix)


def _fetched(config: Config) -> dict[str, Path]:
    """Where each package lies in the cache. Raises BadInput if one can't be had, or is not what is pinned."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "augrid" / "pypi"
    cache.mkdir(parents=True, exist_ok=True)
    locked = _read_lock(config)
    there: dict[str, Path] = {}
    for package in config.packages:
        entry = locked.get(_key(config, package))
        path = cache / entry["sha256"] / entry["file"] if entry else None
        if path is not None and entry is not None and path.is_file() and _sha256(path) == entry["sha256"]:
            there[package] = path
    missing = [package for package in config.packages if package not in there]
    for first in range(0, len(missing), _AT_ONCE):
        _fetch(config, missing[first : first + _AT_ONCE], cache, locked, there)
    return {package: there[package] for package in config.packages}


def _fetch(
    config: Config,
    packages: Sequence[str],
    cache: Path,
    locked: dict[str, dict[str, str]],
    there: dict[str, Path],
) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        form = "--only-binary" if config.distribution == "wheel" else "--no-binary"
        options = ["--quiet", "--no-deps", f"{form}=:all:", "--dest", folder]
        command = [sys.executable, "-m", "pip", "download", *options, *packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            raise BadInput(f"corpus.source.packages: {errors[-1]}")
        for package in packages:
            path = _file_of(package, Path(folder))
            entry = {"file": path.name, "sha256": _sha256(path)}
            pinned = locked.setdefault(_key(config, package), entry)
            if pinned["sha256"] != entry["sha256"]:
                raise BadInput(
                    f"corpus.source.packages: {package} has SHA-256 {entry['sha256']} now, "
                    f"but {config.lock} pins {pinned['sha256']} ({pinned['file']})"
                )
            there[package] = cache / entry["sha256"] / path.name
            there[package].parent.mkdir(exist_ok=True)
            path.replace(there[package])
    _write_lock(config, locked)


def _file_of(package: str, folder: Path) -> Path:
    """The wheel name-version-….whl or the sdist name-version.tar.gz; each name stands in the list once."""
    wanted = _normal(package.partition("==")[0])
    for path in sorted(folder.iterdir()):
        wheel = path.suffix == ".whl"
        if wanted == _normal(path.name.split("-")[0] if wheel else path.name.rpartition("-")[0]):
            return path
    raise BadInput(f"corpus.source.packages: pip fetched no file for {package}")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _license(path: Path) -> str:
    """The SPDX expression of the package's metadata, or what a classifier says, or nothing."""
    for suffix in (".dist-info/METADATA", "/PKG-INFO"):
        for name, content in _members(path, suffix):
            if isinstance(content, bytes) and name.count("/") == 1:
                metadata = BytesParser().parsebytes(content, headersonly=True)
                if expression := metadata.get("License-Expression"):
                    return str(expression)
                named = [str(line).rpartition(" :: ")[2] for line in metadata.get_all("Classifier", [])]
                return " AND ".join(_CLASSIFIERS[line] for line in named if line in _CLASSIFIERS)
    return ""


def _key(config: Config, package: str) -> str:
    return f"{package} {config.distribution}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_lock(config: Config) -> dict[str, dict[str, str]]:
    path = Path(config.lock)
    if not path.exists():
        return {}
    try:
        locked: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))["packages"]
        if all(set(entry) == {"file", "sha256"} and "/" not in entry["file"] for entry in locked.values()):
            return locked
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise BadInput(f"corpus.source.lock: {path} is no lock file of this program")


def _write_lock(config: Config, locked: dict[str, dict[str, str]]) -> None:
    path = Path(config.lock)
    content = json.dumps({"version": 1, "packages": dict(sorted(locked.items()))}, indent=1) + "\n"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise BadInput(f"corpus.source.lock: can't write {path}: {error.strerror}") from error
