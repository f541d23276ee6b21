"""The spec as one cell sees it: dotted axes and overrides applied, checked, defaults filled in."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from grid.cells.axes import CORE, SECTIONS
from grid.cells.expansion import Cell, Cells
from grid.keys import canonical
from grid.spec.document import Loc
from grid.spec.findings import Findings, from_pydantic
from grid.spec.schema import resolve_section, schema


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One section of a resolved spec as plain data; equal only to itself, which the resolver makes unique."""

    plain: Any


Resolved = Mapping[str, Section]


class Resolver:
    """Answers `resolved(cell)`; equal sections are one object, and each is validated once."""

    def __init__(self, raw: Mapping[str, Any], cells: Cells) -> None:
        self.raw = raw
        self.dotted = [(i, name) for i, name in enumerate(cells.axes) if name not in CORE]
        self._sections: dict[tuple[str, str], Section] = {}
        self._resolved: dict[tuple[Any, ...], Resolved] = {}

    def resolved(self, cell: Cell) -> Resolved:
        """All sections as this cell sees them.

        Raises:
            ValidationError, ValueError: values that are right alone and wrong together.
        """
        same = (*[cell.values[index].json for index, _ in self.dotted], id(cell.patch) if cell.patch else 0)
        found = self._resolved.get(same)
        if found is None:
            patch = [*((name, cell.values[index].plain) for index, name in self.dotted), *cell.patch]
            found = self._resolved[same] = {name: self.section(name, patch) for name in SECTIONS}
        return found

    def section(self, name: str, patch: list[tuple[str, Any]]) -> Section:
        """One section under a patch (dotted path → value), of which other sections' part is ignored."""
        own = sorted((path, value) for path, value in patch if path.partition(".")[0] == name)
        same = (name, canonical(own))
        if same not in self._sections:
            plain = resolve_section(self.raw, name, own)
            self._sections[same] = Section(plain)
        return self._sections[same]


def check_patches(raw: Mapping[str, Any], rules: Mapping[str, Any], findings: Findings) -> None:
    """Try each value of each dotted axis and each assignment of each override alone, with its position.

    `rules` holds axes and override. Sections that are wrong by themselves are left out: what a value of an
    axis does to them can't be told.
    """
    wrong = {loc[0] for loc, _ in findings.found}
    for name, values in rules["axes"].items():
        for index, value in enumerate(values if name not in CORE else ()):
            _try(raw, (name, value), ("axes", name, index), wrong, findings)
    for number, rule in enumerate(rules["override"]):
        for path, value in rule["set"].items():
            _try(raw, (path, value), ("override", number, "set", path), wrong, findings)


def _try(
    raw: Mapping[str, Any],
    assignment: tuple[str, Any],
    at: Loc,
    wrong: Container[str | int],
    findings: Findings,
) -> None:
    section = assignment[0].partition(".")[0]
    if section not in SECTIONS or section in wrong:
        return  # noted already
    try:
        resolve_section(raw, section, [assignment])
    except ValidationError as error:
        from_pydantic(findings, error, schema(), below=(section,), at=at)
    except (ValueError, TypeError) as error:
        findings.add(at, str(error))
