"""A job as an engine sees it: its file read back, and rewritten for the paths inside a container."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INSIDE = "/augrid"
FILE = "container.json"
KEY_DIGITS = 16
Artifact = tuple[str, str]  # kind, key


@dataclass(frozen=True, kw_only=True)
class Order:
    """A job file: its steps, what they read, and where the store is."""

    folder: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> Order:
        """The job file that a driver wrote."""
        return cls(folder=file.parent.resolve(), content=json.loads(file.read_bytes()))

    @property
    def job(self) -> str:
        """Id of the job."""
        return str(self.content["job"])

    @property
    def store(self) -> Path:
        """Root of the store."""
        return Path(self.content["store"])

    @property
    def steps(self) -> list[Artifact]:
        """What the job makes."""
        return [(step["kind"], step["key"]) for step in self.content["steps"]]

    @property
    def inputs(self) -> list[Artifact]:
        """What the job reads, each once."""
        found = {
            (entry["kind"], key): None
            for step in self.content["steps"]
            for entry in step["inputs"].values()
            for key in entry["keys"]
        }
        return list(found)

    @property
    def inside(self) -> str:
        """Path of the job file in the container."""
        return f"{INSIDE}/jobs/{self.job}/{FILE}"

    def rewritten(self, *, trust: bool, provenance: Mapping[str, Any]) -> bytes:
        """The job file for the container; events go to standard output. `trust`: it reads this store."""
        changes = {
            "store": f"{INSIDE}/store",
            "events": "/dev/stdout",
            "cores": [],
            "trusted": self.content["trusted"] if trust else [],
            "provenance": {**self.content["provenance"], **provenance},
        }
        return json.dumps({**self.content, **changes}).encode()


def keys_label(keys: list[str]) -> str:
    """Keys of steps, short, for a container's label."""
    return ",".join(sorted(key[:KEY_DIGITS] for key in keys))


def covers(label: str, keys: list[str]) -> bool:
    """Whether a container with this label does all of these steps."""
    return {key[:KEY_DIGITS] for key in keys} <= set(label.split(","))
