"""Archives of Python files: tar, with any compression, and zip. Read member by member; nothing is ever
unpacked to disk.
"""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import Field

from preprocessing.errors import BadInput
from preprocessing.fetching import files
from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig

_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError)


class Config(SourceConfig):
    """`path` may have wildcards. A project is an archive (`archive`), or a top folder inside of it (`top`).

    `max_files` and `max_bytes` (unpacked, all members) hold for each archive: what has more is refused.
    """

    kind: Literal["archive"] = "archive"
    path: str
    project: Literal["top", "archive"] = "top"
    license: str = ""
    max_files: int = Field(default=1_000_000, ge=1)
    max_bytes: int = Field(default=20 * 2**30, ge=1)


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """The .py members of all archives, in the order in which they stand there."""
    for path in files.matching(config.path, "corpus.source.path"):
        for name, content in members(path, max_files=config.max_files, max_bytes=config.max_bytes):
            project = path.name.split(".")[0] if config.project == "archive" else name.split("/")[0]
            project = project.removesuffix(".py")
            if isinstance(content, bytes):
                yield RawFile(project=project, path=name, data=content, license=config.license)
            else:
                reason, detail = content
                yield Excluded(project=project, path=name, reason=reason, detail=detail)


def raw_digest(config: Config) -> str:
    """Digest of the archives."""
    return files.digest_whole(files.matching(config.path, "corpus.source.path"))


def members(
    path: Path, *, max_files: int, max_bytes: int, suffix: str = ".py"
) -> Iterator[tuple[str, bytes | tuple[str, str]]]:
    """Name and content of each member that ends in `suffix`; or its reason and detail, if it can't be used.

    Raises BadInput for what is no archive, is broken, or is larger than allowed.
    """
    try:
        opened = _zip_members if zipfile.is_zipfile(path) else _tar_members
        n_bytes = 0
        for number, (name, size, content) in enumerate(opened(path, suffix)):
            n_bytes += size
            if number >= max_files or n_bytes > max_bytes:
                raise BadInput(
                    f"corpus.source: {path} holds more than {max_files:,} files or {max_bytes:,} bytes, and "
                    "may be a bomb; raise max_files or max_bytes if it is none"
                )
            if content is not None and name.endswith(suffix):
                safe = _is_safe(name)
                yield name, content if safe else ("unsafe_path", "leads out of the archive")
    except _BROKEN as error:
        raise BadInput(f"corpus.source: can't read archive {path}: {error}") from error


_Content = bytes | tuple[str, str] | None


def _tar_members(path: Path, suffix: str) -> Iterator[tuple[str, int, _Content]]:
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            content: _Content = None
            if member.issym() or member.islnk():
                content = ("link", member.linkname)
            elif not member.isfile():
                content = None if member.isdir() else ("not_a_file", "")
            elif member.size > files.MAX_READ_BYTES:
                content = ("too_large", f"{member.size:,} bytes")
            elif member.name.endswith(suffix):
                file = archive.extractfile(member)
                content = file.read() if file is not None else ("unreadable", "")
            yield member.name.removeprefix("./"), member.size, content


def _zip_members(path: Path, suffix: str) -> Iterator[tuple[str, int, _Content]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            content: _Content = None
            if not info.is_dir() and info.filename.endswith(suffix):
                content = _read_zipped(archive, info)
            yield info.filename, len(content) if isinstance(content, bytes) else 0, content


def _read_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Content:
    """What is said about the size in the archive's index may be a lie, so the limit is on what is read."""
    if (info.external_attr >> 28) == 0o12:
        return "link", ""
    if info.flag_bits & 1:
        return "unreadable", "encrypted"
    try:
        with archive.open(info) as file:
            data = file.read(files.MAX_READ_BYTES + 1)
    except (NotImplementedError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        return "unreadable", str(error)
    if len(data) > files.MAX_READ_BYTES:
        return "too_large", f"more than {files.MAX_READ_BYTES:,} bytes"
    return data


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return bool(parts) and ".." not in parts and parts[0] != "/" and not parts[0].endswith(":")
