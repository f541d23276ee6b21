"""A lock file: which file of each package was fetched, its SHA-256 and, if known, when it was released."""

import json
import os
import re
from datetime import datetime
from pathlib import Path

from preprocessing.errors import BadInput

_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?")

Locked = dict[str, dict[str, str]]
"""name==version and form → its `file` and `sha256`, and `released` (ISO 8601) where it is known."""


def read(path: Path) -> Locked:
    """What is pinned; nothing if there is no such file. Raises BadInput."""
    if not path.exists():
        return {}
    try:
        locked: Locked = json.loads(path.read_text(encoding="utf-8"))["packages"]
        valid = all(
            {"file", "sha256"} <= set(entry) <= {"file", "sha256", "released"} and "/" not in entry["file"]
            for entry in locked.values()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        valid = False
    if not valid:
        raise BadInput(f"corpus.source.lock: {path} is no lock file of this program")
    for package, entry in locked.items():
        if "released" in entry and not _is_date(entry["released"]):
            raise BadInput(
                f"corpus.source.lock: {path}: {package}: released is {entry['released']!r}; must be "
                "a date as '2015-01-02', or a time in UTC as '2015-01-02T16:38:06Z'"
            )
    return locked


def _is_date(text: object) -> bool:
    """ISO 8601 in UTC, so that texts sort as the times that they mean."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def write(path: Path, locked: Locked) -> None:
    """Write it anew, all or nothing. Raises BadInput."""
    content = json.dumps({"version": 1, "packages": dict(sorted(locked.items()))}, indent=1) + "\n"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise BadInput(f"corpus.source.lock: can't write {path}: {error.strerror}") from error


def tags(wheel: str) -> list[str]:
    """Options of pip that choose this wheel, whatever this machine and this Python are."""
    python, abi, platforms = wheel.removesuffix(".whl").split("-")[-3:]
    options = ["--ignore-requires-python", f"--implementation={python[:2]}", f"--abi={abi}"]
    options += [f"--platform={platform}" for platform in platforms.split(".")]
    if abi != "none":
        options.append("--python-version=" + re.sub(r"\D", "", python.partition(".")[0]))
    return options
