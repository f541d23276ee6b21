"""Files of a folder as raw files of a corpus: in a fixed order, without following links, never failing on
one file.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from preprocessing.sources import Excluded, RawFile

MAX_READ_BYTES = 64 * 2**20  # more is no source file; what is that large is never read into memory


def load(root: Path, relative: str, *, project: str, license: str = "") -> RawFile | Excluded:
    """Read one file. What is no regular file, too large to be source, or gone by now is excluded with its
    reason.
    """
    path = root / relative
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = "link" if path.is_symlink() else "unreadable"
        return Excluded(project=project, path=relative, reason=reason, detail=error.strerror or str(error))
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return Excluded(project=project, path=relative, reason="not_a_file")
        if status.st_size > MAX_READ_BYTES:
            detail = f"{status.st_size:,} bytes"
            return Excluded(project=project, path=relative, reason="too_large", detail=detail)
        try:
            data = file.read()
        except OSError as error:
            return Excluded(project=project, path=relative, reason="unreadable", detail=error.strerror or "")
    return RawFile(project=project, path=relative, data=data, license=license)


def digest(root: Path, relatives: Iterable[str]) -> str:
    """SHA-256 over names and contents of files, in the order given."""
    total = hashlib.sha256()
    for relative in relatives:
        raw = load(root, relative, project="")
        content = raw.data if isinstance(raw, RawFile) else f"excluded {raw.reason}"
        data = content.encode() if isinstance(content, str) else content
        total.update(os.fsencode(relative) + b"\0" + hashlib.sha256(data).digest())
    return total.hexdigest()


def walk(root: Path, skip: Iterable[str] = ()) -> Iterator[str]:
    """Relative paths of all that ends in .py below a folder, sorted, files before folders; `skip` names
    folders.

    Links to folders are not followed, so loops can't happen.
    """
    skipped = frozenset(skip)
    pending = [("", root)]
    while pending:
        prefix, folder = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        folders = []
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in skipped:
                    folders.append((f"{prefix}{entry.name}/", Path(entry.path)))
            elif entry.name.endswith(".py"):
                yield prefix + entry.name
        pending.extend(reversed(folders))
