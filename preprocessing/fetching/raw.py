"""What a source gives, file by file, and what every source's config has."""

from dataclasses import dataclass
from typing import Self

from preprocessing.frozen import Frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """One file as it was found: bytes of unknown encoding, or a text that somebody decoded before us.

    `license` is an SPDX expression, empty if unknown. `date` is ISO 8601 and `split` one of train, valid,
    test, where the source knows them.
    """

    project: str
    path: str
    data: bytes | str
    license: str = ""
    date: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """One file that is left out, and why."""

    project: str
    path: str
    reason: str
    detail: str = ""


class SourceConfig(Frozen):
    """What all sources have in common."""

    kind: str

    def beside_others(self) -> Self:
        """The same, where sources of other kinds stand beside it and it leaves open what that changes."""
        return self
