"""The folder results/<name>/: whose it is, and what a run leaves there beside the tables."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from grid.keys import flat
from preprocessing.errors import BadInput

SHOWN = 8


class Folder:
    """results/<name>/ of one grid. `spec.json` says whose it is, `run.json` how it came about."""

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name, self.path = root, name, root / name

    @property
    def lock(self) -> Path:
        """File that the running driver holds."""
        return self.path / "lock.json"

    @property
    def logs(self) -> Path:
        """One folder per job."""
        return self.path / "logs"

    def check_owner(self, data: Mapping[str, Any], resolve: Callable[[Any], Mapping[str, Any]]) -> None:
        """Compare the spec whose folder this is with ours, `data`, both as `resolve` fills in defaults.

        So a default that is new in this version is no difference.

        Raises:
            BadInput: the folder belongs to another spec; says what differs, field by field.
        """
        theirs = read_json(self.path / "spec.json")
        if theirs is None or theirs.get("data") == _json(data):
            return
        try:
            there, here = resolve(theirs["data"]), resolve(data)
        except (ValueError, KeyError):  # written by another version
            there, here = theirs.get("data", {}), data
        lines = list(differences(_json(there), _json(here)))
        if not lines:
            return
        more = [f"  … and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        raise BadInput(
            "\n".join(
                [
                    f"{self.path} belongs to another spec of the same name:",
                    *(f"  {line}" for line in lines[:SHOWN]),
                    *more,
                    "choose another folder with --results DIR, or take this one over with --replace",
                ]
            )
        )

    def claim(self, data: Mapping[str, Any], text: str) -> None:
        """Note whose folder this is."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "spec.json", {"data": data, "text": text})


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """One line per field that differs: "training.max_steps: 100 there, 200 here"."""
    there, here = dict(flat(theirs)), dict(flat(ours))
    for path in dict.fromkeys([*there, *here]):
        if there.get(path, _ABSENT) != here.get(path, _ABSENT):
            yield f"{path}: {there.get(path, _ABSENT)} there, {here.get(path, _ABSENT)} here"


_ABSENT = "absent"


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def read_json(file: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None when there is none."""
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object; readers see the old file or the new one."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1, default=str), encoding="utf-8")
    temporary.replace(file)
