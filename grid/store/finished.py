"""Finished steps by key: a folder is complete when its manifest, written last, validates."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grid.store import processes
from preprocessing.errors import BadInput

FORMAT = 1
MANIFEST = "manifest.json"
FOREIGN_AGE_S = 7 * 24 * 3600


class DamagedError(Exception):
    """An artifact whose files are not what its manifest says."""


class Store:
    """`root/<kind>/<key[:2]>/<key>/`; temporary folders in `root/tmp`, damaged artifacts in `root/damaged`.

    Relies on rename within one file system being atomic and refusing a target folder that isn't empty, which
    local file systems and NFS give; needs no locks.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, kind: str, key: str) -> Path:
        """Where the artifact is, or would be."""
        return self.root / kind / key[:2] / key

    def manifest(self, kind: str, key: str) -> dict[str, Any] | None:
        """The manifest of a finished step; None when it isn't finished or isn't whole.

        Checks sizes of all files, which is cheap; `verify` reads their contents.
        """
        folder = self.path(kind, key)
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
            valid = manifest["format"] == FORMAT and manifest["key"] == key and manifest["kind"] == kind
            sizes = all(
                os.stat(f"{folder}/{name}").st_size == entry["bytes"]
                for name, entry in manifest["files"].items()
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return manifest if valid and sizes else None

    def has(self, kind: str, key: str) -> bool:
        """Whether this step is finished."""
        return self.manifest(kind, key) is not None

    def keys(self, kind: str) -> set[str]:
        """Keys under which something lies; their manifests may still turn out to be invalid."""
        found: set[str] = set()
        with contextlib.suppress(FileNotFoundError), os.scandir(self.root / kind) as prefixes:
            for prefix in prefixes:
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    found.update(os.listdir(prefix.path))
        return found

    def remove_empty(self) -> None:
        """Remove the store's folder if it holds nothing."""
        with contextlib.suppress(OSError):
            for folder in (self.root / "tmp", self.root):
                folder.rmdir()

    @contextlib.contextmanager
    def writing(self, kind: str, key: str) -> Iterator[Path]:
        """An empty folder for the step's files; it goes away unless `publish` took it."""
        folder = self.root / "tmp" / f"{kind}+{key}+{processes.identity()}+{time.monotonic_ns()}"
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, folder: Path, kind: str, key: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """Make `folder` the artifact of this step: fsync, manifest last, fsync, one rename.

        When somebody else was first, theirs stays (equal keys mean equal results) and ours goes; when
        theirs is damaged, it is set aside.
        """
        files = {
            str(file.relative_to(folder)): _sealed(file)
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
        manifest = {"format": FORMAT, "kind": kind, "key": key, **about, "files": files}
        for directory in [*(d for d in folder.rglob("*") if d.is_dir()), folder]:
            _fsync(directory)
        with open(folder / MANIFEST, "w", encoding="utf-8") as file:
            json.dump(manifest, file, indent=1, sort_keys=True, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        _fsync(folder)
        target = self.path(kind, key)
        target.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(3):
            try:
                folder.rename(target)
            except OSError:
                theirs = self.manifest(kind, key)
                if theirs is not None:
                    return theirs
                if not target.exists():
                    raise
                self.set_aside(kind, key)
            else:
                _fsync(target.parent)
                return manifest
        raise OSError(f"{target} can't be replaced")

    def verify(self, kind: str, key: str) -> dict[str, Any]:
        """The manifest, after reading every file and comparing checksums.

        Raises:
            DamagedError: names the files that differ, or says that there is no manifest.
        """
        manifest = self.manifest(kind, key)
        if manifest is None:
            raise DamagedError(f"{kind} {key[:12]}: no valid manifest")
        folder = self.path(kind, key)
        wrong = [
            name for name, entry in manifest["files"].items() if sha256(folder / name) != entry["sha256"]
        ]
        if wrong:
            raise DamagedError(f"{kind} {key[:12]}: {', '.join(wrong)} changed since it was written")
        return manifest

    def set_aside(self, kind: str, key: str) -> Path | None:
        """Move a damaged artifact to `root/damaged`, so that it is made again; None if it was gone."""
        target = self.root / "damaged" / f"{kind}-{key}-{time.time_ns()}"
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.path(kind, key).rename(target)
        except FileNotFoundError:
            return None
        return target

    def remove(self, kind: str, key: str) -> None:
        """Delete an artifact; it is never seen half deleted."""
        doomed = self.root / "tmp" / f"removed+{key}+{processes.identity()}+{time.monotonic_ns()}"
        doomed.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.path(kind, key).rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)

    def clean(self, gone: str = "") -> list[Path]:
        """Delete temporary folders of processes that are dead.

        Other hosts' only when they are a week old by the file system's own clock, or of the host (a
        container, by its name) that is `gone`.
        """
        removed = []
        for folder in self.root.glob("tmp/*"):
            _, _, rest = folder.name.partition("+")
            identity = "+".join(rest.split("+")[1:4])
            dead = True if gone and identity.startswith(f"{gone}+") else processes.is_dead(identity)
            if dead or (dead is None and self._age_s(folder) > FOREIGN_AGE_S):
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder)
        return removed

    def _age_s(self, folder: Path) -> float:
        """Seconds since something changed in a folder, 0 when unknown.

        It is the file system's clock that tells: this machine's may be another one, and may be wrong.
        """
        try:
            with self.writing("clock", "now") as now:
                return now.stat().st_mtime - folder.stat().st_mtime
        except OSError:
            return 0.0

    def check_writable(self) -> None:
        """Raises: BadInput when nothing can be written here."""
        probe = self.root / "tmp" / f"probe+{processes.identity()}"
        try:
            probe.mkdir(parents=True, exist_ok=True)
            (probe / "file").write_bytes(b"x")
            shutil.rmtree(probe)
        except OSError as error:
            raise BadInput(
                f"{self.root}: can't write here: {error.strerror}; choose another with --results DIR"
            ) from None


def _sealed(file: Path) -> dict[str, Any]:
    _fsync(file)
    return {"bytes": file.stat().st_size, "sha256": sha256(file)}


def sha256(file: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
