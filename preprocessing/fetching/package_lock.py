"""A lock file: which file of each package was fetched, and its SHA-256."""

import json
import os
import re
from pathlib import Path

from preprocessing.errors import BadInput

Locked = dict[str, dict[str, str]]
"""name==version and form → its `file` and `sha256`."""


def read(path: Path) -> Locked:
    """What is pinned; nothing if there is no such file. Raises BadInput."""
    if not path.exists():
        return {}
    try:
        locked: Locked = json.loads(path.read_text(encoding="utf-8"))["packages"]
        if all(set(entry) == {"file", "sha256"} and "/" not in entry["file"] for entry in locked.values()):
            return locked
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise BadInput(f"corpus.source.lock: {path} is no lock file of this program")


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
