"""Tar streams to and from engines. From a host come files and folders below one name, or nothing."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

CHUNK = 2**20
MAX_BYTES = 64 * 2**30
MAX_MEMBERS = 100_000


class HostileArchiveError(Exception):
    """An archive with something in it that no artifact has."""


def pack(entries: Iterable[tuple[str, Path | bytes | None]], owner: tuple[int, int]) -> Iterator[bytes]:
    """A tar as a stream: (name, file or its content, or None for a folder), all owned by uid and gid."""
    for name, content in entries:
        info = tarfile.TarInfo(name)
        info.uid, info.gid = owner
        if content is None:
            info.type, info.mode = tarfile.DIRTYPE, 0o755
        else:
            info.size = len(content) if isinstance(content, bytes) else content.stat().st_size
        yield info.tobuf(tarfile.PAX_FORMAT)
        if isinstance(content, bytes):
            yield content
        elif content is not None:
            with open(content, "rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        yield bytes(-info.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def unpack(chunks: Iterable[bytes], folder: Path, *, top: str, max_bytes: int = MAX_BYTES) -> None:
    """Write the files below `top` of an archive into `folder`.

    Raises:
        HostileArchiveError: a name that leaves `top`, a link, a device, something twice, or too much of it.
    """
    stream = _Stream(chunks, max_bytes + MAX_MEMBERS * 4 * tarfile.BLOCKSIZE)
    left = max_bytes
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as tar:
            for count, member in enumerate(tar):
                left -= member.size
                if count >= MAX_MEMBERS or left < 0:
                    raise HostileArchiveError("it is too large")
                path = _inside(member.name, top)
                target = folder.joinpath(*path.parts)
                if member.type == tarfile.DIRTYPE:
                    target.mkdir(exist_ok=True)
                elif member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and path.parts:
                    _write(tar, member, target)
                else:
                    raise HostileArchiveError(f"{member.name!r} is neither a file nor a folder")
    except (tarfile.TarError, FileNotFoundError, FileExistsError, EOFError) as error:
        raise HostileArchiveError(f"it can't be unpacked: {error}") from None


def _inside(name: str, top: str) -> PurePosixPath:
    parts = PurePosixPath(name).parts
    if not parts or parts[0] != top or ".." in parts or "\0" in name:
        raise HostileArchiveError(f"{name!r} is not below {top}")
    return PurePosixPath(*parts[1:])


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    content = tar.extractfile(member)
    assert content is not None
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with open(descriptor, "wb") as file:
        while chunk := content.read(CHUNK):
            file.write(chunk)


class _Stream:
    """Reads from chunks, up to a limit; headers count too, since tarfile holds long ones in memory."""

    def __init__(self, chunks: Iterable[bytes], limit: int) -> None:
        self._chunks, self._buffer, self._left = iter(chunks), bytearray(), limit

    def read(self, n: int) -> bytes:
        while len(self._buffer) < n:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._left -= len(chunk)
            if self._left < 0:
                raise HostileArchiveError("it is too large")
            self._buffer += chunk
        taken = bytes(self._buffer[:n])
        del self._buffer[:n]
        return taken
