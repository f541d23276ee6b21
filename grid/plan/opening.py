"""From the name of a spec to its cells and steps, or to every problem of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from grid.cells import expansion
from grid.cells.expansion import Cells
from grid.cells.resolving import check_patches
from grid.errors import BadInput
from grid.plan import planner
from grid.plan.planner import Plan
from grid.spec import document as documents
from grid.spec.document import Document
from grid.spec.findings import Findings
from grid.spec.schema import Spec, expandable, find, inspect


@dataclass(frozen=True)
class Grid:
    """A spec that was read and checked, and its cells."""

    spec: Spec
    document: Document
    cells: Cells

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The spec as plain data with every default."""
        return self.spec.resolved()

    @cached_property
    def plan(self) -> Plan:
        """All steps.

        Raises:
            BadInput: fields that can't work together, or a corpus whose raw data isn't there.
        """
        from preprocessing.corpus import building

        try:
            return planner.make(
                self.document.data,
                self.cells,
                lambda config: building.raw_digest(building.CorpusConfig.model_validate(config)),
            )
        except ValidationError as error:
            lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)]
            raise BadInput(
                f"{self.document.name}: these values don't work together: {'; '.join(lines)}"
            ) from None
        except OSError as error:
            raise BadInput(f"{self.document.name}: corpus: {error}") from None
        except ValueError as error:
            raise BadInput(f"{self.document.name}: {error}") from None


def open_grid(name: str, sets: Sequence[str] = ()) -> Grid:
    """Read a spec by path or bare name, with `--set` assignments.

    Raises:
        BadInput: with every problem that there is.
    """
    return from_document(documents.read(find(name), sets))


def from_document(text: Document) -> Grid:
    """As `open_grid`, from what was read already."""
    findings = Findings(text)
    spec = inspect(text, findings)
    plain = expandable(text.data)
    expanded = expansion.expand(plain, findings) if plain is not None else None
    if plain is not None:
        check_patches(text.data, plain, findings)
    findings.raise_if_any()
    assert spec is not None
    assert expanded is not None
    return Grid(spec, text, expanded)
