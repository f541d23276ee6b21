"""Files on disk as raw files of a corpus: in a fixed order, without links; no single file fails the run."""

import glob
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from preprocessing.errors import BadInput
from preprocessing.fetching.raw import Excluded, RawFile

MAX_READ_BYTES = 64 * 2**20  # more is no source file; what is that large is never read into memory


def load(root: Path, relative: str, *, project: str, license: str = "") -> RawFile | Excluded:
    """Read one file. What is no regular file, is too large, or is gone by now is excluded with its reason."""
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
            return too_large(project, relative, status.st_size)
        try:
            data = file.read()
        except OSError as error:
            return Excluded(project=project, path=relative, reason="unreadable", detail=error.strerror or "")
    return RawFile(project=project, path=relative, data=data, license=license)


def too_large(project: str, path: str, n_bytes: int) -> Excluded:
    """What is said of a file that is not even read."""
    return Excluded(project=project, path=path, reason="too_large", detail=f"{n_bytes:,} bytes")


def digest(root: Path, relatives: Iterable[str]) -> str:
    """SHA-256 over names and contents of files, in the order given."""
    total = hashlib.sha256()
    for relative in relatives:
        raw = load(root, relative, project="")
        content = raw.data if isinstance(raw, RawFile) else f"excluded {raw.reason}"
        data = content.encode() if isinstance(content, str) else content
        total.update(os.fsencode(relative) + b"\0" + hashlib.sha256(data).digest())
    return total.hexdigest()


def digest_whole(paths: Iterable[Path]) -> str:
    """SHA-256 over the contents of files of any size, in the order given."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def matching(pattern: str, key: str) -> list[Path]:
    """The files that a path with wildcards stands for, sorted. Raises BadInput, naming `key`, if there
    are none.
    """
    found = sorted(Path(path) for path in glob.glob(os.path.expanduser(pattern), recursive=True))
    found = [path for path in found if path.is_file()]
    if not found:
        raise BadInput(f"{key}: no file {pattern!r}")
    return found


def walk(root: Path, leave_out: Callable[[str], bool]) -> Iterator[str]:
    """Relative paths of all that ends in .py below a folder, sorted, files before folders.

    `leave_out` is asked about each file and each folder, whose path ends in a slash. Links to folders are not
    followed, so loops can't happen. A folder that can't be read is given itself: `load` says why.
    """
    pending = [("", root)]
    while pending:
        prefix, folder = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            yield prefix
            continue
        folders = []
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if not leave_out(f"{path}/"):
                    folders.append((f"{path}/", Path(entry.path)))
            elif entry.name.endswith(".py") and not leave_out(path):
                yield path
        pending.extend(reversed(folders))
