"""Releases on the Python Package Index, fetched with pip once, and pinned by SHA-256 from then on."""

import hashlib
import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import field_validator, model_validator

from preprocessing import interpreter, shipped
from preprocessing.errors import BadInput
from preprocessing.fetching import package_license, package_lock
from preprocessing.fetching.package_lock import Locked
from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig
from preprocessing.sources import archive

_PINNED = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==([A-Za-z0-9.!+_-]+)")
_LICENSE_FILE = re.compile(r"(^|/)(LICEN[CS]E|COPYING)[^/]*$", re.IGNORECASE)
_AT_ONCE = 50  # packages in one call of pip
_MAX_FILES, _MAX_BYTES = 200_000, 4 * 2**30  # in one package, unpacked


class Config(SourceConfig):
    """`packages` are name==version; or `file` holds them, one a line, # comments. A package is a project.

    `lock` is a file that is written on the first run, and enforced afterwards: keep it beside the spec. Every
    machine then gets the very files that the first one chose, also wheels that were built for another. A
    split by time goes by `released` beside a file's hash. With `distribution: wheel`, pip runs nobody's code;
    to fetch an `sdist` it runs the package's build backend.
    """

    kind: Literal["pypi"] = "pypi"
    packages: tuple[str, ...] = ()
    file: str | None = None
    lock: str
    distribution: Literal["wheel", "sdist"] = "wheel"

    @field_validator("packages")
    @classmethod
    def _pinned(cls, packages: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := _wrong(packages):
            raise ValueError(wrong)
        return packages

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if bool(self.packages) == (self.file is not None):
            raise ValueError("needs packages, or a file that lists them, and not both")
        return self


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """The .py files of all packages, in the order of the list."""
    fetched = _fetched(config)
    locked = package_lock.read(shipped.located(config.lock))
    for package, path in fetched.items():
        date = locked[_key(config, package)].get("released", "")
        license = _license(path)
        for name, content in _members(path, ".py"):
            inside = name.partition("/")[2] if config.distribution == "sdist" else name
            project = package.partition("==")[0]
            if isinstance(content, bytes):
                yield RawFile(project=project, path=inside, data=content, license=license, date=date)
            else:
                yield Excluded(project=project, path=inside, reason=content[0], detail=content[1])


def raw_digest(config: Config) -> str:
    """Digest of the pinned hashes and dates; fetches what is not pinned yet."""
    packages = list(_fetched(config))
    locked = package_lock.read(shipped.located(config.lock))
    entries = [(package, locked[_key(config, package)]) for package in packages]
    pins = [" ".join([package, entry["sha256"], *_dated(entry)]) for package, entry in entries]
    return hashlib.sha256("\n".join(pins).encode()).hexdigest()


def _dated(entry: Mapping[str, str]) -> Sequence[str]:
    return [entry["released"]] if "released" in entry else []


def _listed(config: Config) -> Sequence[str]:
    if config.file is None:
        return config.packages
    try:
        lines = shipped.located(config.file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"corpus.source.file: can't read {config.file}: {error}") from error
    packages = [bare for line in lines if (bare := line.partition("#")[0].strip())]
    if wrong := _wrong(packages) or ("" if packages else "names no package"):
        raise BadInput(f"corpus.source.file: {config.file}: {wrong}")
    return packages


def _wrong(packages: Sequence[str]) -> str:
    """What is wrong with a list of packages, if anything."""
    if loose := [package for package in packages if not _PINNED.fullmatch(package)]:
        return f"must be name==version, not {', '.join(loose)}"
    names = Counter(_normal(package.partition("==")[0]) for package in packages)
    twice = [name for name, count in names.items() if count > 1]
    return f"must name each package once, not {', '.join(twice)} twice" if twice else ""


def _members(path: Path, suffix: str) -> Iterator[tuple[str, bytes | tuple[str, str]]]:
    return archive.members(path, max_files=_MAX_FILES, max_bytes=_MAX_BYTES, suffix=suffix)


def _fetched(config: Config) -> dict[str, Path]:
    """Where each package lies in the cache. Raises BadInput if one can't be had, or is not what is pinned."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "augrid" / "pypi"
    cache.mkdir(parents=True, exist_ok=True)
    packages = _listed(config)
    locked = package_lock.read(shipped.located(config.lock))
    there: dict[str, Path] = {}
    for package in packages:
        entry = locked.get(_key(config, package))
        path = cache / entry["sha256"] / entry["file"] if entry else None
        if path is not None and entry is not None and path.is_file() and _sha256(path) == entry["sha256"]:
            there[package] = path
    missing: dict[tuple[str, ...], list[str]] = {}
    for package in packages:
        if package not in there:
            missing.setdefault(_options(config, locked.get(_key(config, package))), []).append(package)
    for options, alike in missing.items():
        for first in range(0, len(alike), _AT_ONCE):
            _fetch(config, options, alike[first : first + _AT_ONCE], cache, locked, there)
    return {package: there[package] for package in packages}


def _options(config: Config, pinned: dict[str, str] | None) -> tuple[str, ...]:
    if config.distribution == "sdist":
        return ("--no-binary=:all:",)
    return ("--only-binary=:all:", *(package_lock.tags(pinned["file"]) if pinned else ()))


def _fetch(
    config: Config,
    options: Sequence[str],
    packages: Sequence[str],
    cache: Path,
    locked: Locked,
    there: dict[str, Path],
) -> None:
    before = dict(locked)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        asked = ("download", "--quiet", "--no-deps", *options, "--dest", folder, *packages)
        command = interpreter.command("pip", *asked)
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
    if locked != before:  # a lock that comes with us may stand where nobody may write
        package_lock.write(Path(config.lock), locked)


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
    """Of an sdist, what stands at its top: deeper there are pages about licences, and others' licences."""
    depth = 3 if path.suffix == ".whl" else 1
    texts = (
        content
        for name, content in _members(path, "")
        if isinstance(content, bytes) and _LICENSE_FILE.search(name) and name.count("/") <= depth
    )
    for suffix in (".dist-info/METADATA", "/PKG-INFO"):
        for name, content in _members(path, suffix):
            if isinstance(content, bytes) and name.count("/") == 1:
                return package_license.expression(content, texts)
    return ""


def _key(config: Config, package: str) -> str:
    return f"{package} {config.distribution}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
