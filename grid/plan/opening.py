"""From the name of a spec to its cells and steps, or to every problem of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

import tasks
from grid.cells import claims, expansion
from grid.cells.axes import Names
from grid.cells.expansion import Cells
from grid.cells.resolving import CellSpec, MisfitError, Resolver, check_assignments
from grid.plan import planner
from grid.plan.planner import Plan
from grid.spec import document as documents
from grid.spec import schema
from grid.spec.document import Document
from grid.spec.findings import Findings, dotted
from grid.spec.schema import Claims, Rules, Spec
from preprocessing.corpus import building
from preprocessing.errors import BadInput, Problem


@dataclass(frozen=True)
class Grid:
    """A spec that was read and checked, and its cells."""

    spec: Spec
    document: Document
    cells: Cells
    resolver: Resolver
    claims: dict[str, Any]
    """The primary comparison and the margins, as run.json holds them."""

    @property
    def is_pilot(self) -> bool:
        """Whether this is a grid in miniature."""
        return False

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The spec as plain data with every default."""
        return self.spec.model_dump(mode="json")

    def specs(self) -> Iterator[CellSpec]:
        """The spec as each cell sees it, in their order.

        Raises:
            ValueError: fields that can't work together.
        """
        return self.resolver.specs(self.cells)

    @cached_property
    def plan(self) -> Plan:
        """All steps.

        Raises:
            BadInput: fields that can't work together, or a corpus whose raw data isn't there.
        """
        try:
            task = tasks.lookup(self.spec.task.kind)
            measured = self.spec.naturalness
            return planner.make(self.cells, self.specs(), task, building.raw_digest, naturalness=measured)
        except MisfitError as error:
            where, path = self.document.where(error.loc), dotted(error.loc)
            raise BadInput([Problem(where=where, path=path, message=str(error))]) from None
        except OSError as error:
            raise BadInput(f"{self.document.name}: corpus: {error}") from None
        except ValueError as error:
            raise BadInput(f"{self.document.name}: {error}") from None


def open_grid(name: str, sets: Sequence[str] = ()) -> Grid:
    """Read a spec by path or bare name, with `--set` assignments.

    Raises:
        BadInput: with every problem that there is.
    """
    return from_document(documents.read(schema.find(name), sets))


def from_document(text: Document) -> Grid:
    """As `open_grid`, from what was read already."""
    findings = Findings(text)
    spec = schema.check(text, findings)
    rules, names = spec or Rules.of(text.data), Names.of(text.data)
    resolver = Resolver(text.data, spec)
    cells = None
    claimed: dict[str, Any] = {}
    if rules is not None and names is not None:
        cells = expansion.expand(rules, names, findings)
        check_assignments(resolver, rules, findings)
        _check_tests(text.data, rules, findings)
        told = _claims(text.data)
        if told is not None and (kind := schema.task_of(text.data)) is not None:
            claimed = claims.check(told, cells, names, tasks.lookup(kind).DESCRIPTION, findings)
    findings.raise_if_any()
    assert spec is not None
    assert cells is not None
    return Grid(spec, text, cells, resolver, claimed)


def _claims(data: Mapping[str, Any]) -> Claims | None:
    """The claims of a spec of which the rest may be wrong; None when they are."""
    try:
        return Claims.model_validate(data.get("claims") or {})
    except ValidationError:
        return None


def _check_tests(data: Mapping[str, Any], rules: Rules, findings: Findings) -> None:
    """The axis `test_on` has taken the place of `evaluation.tests`, which is still read where it isn't."""
    if "test_on" not in rules.axes:
        return
    message = "the axis test_on says what is tested on, and each cell on the original too; leave this out"
    evaluation = data.get("evaluation")
    if isinstance(evaluation, dict) and "tests" in evaluation:
        findings.add(("evaluation", "tests"), message)
    if "evaluation.tests" in rules.axes:
        findings.add(("axes", "evaluation.tests"), message)
    for number, rule in enumerate(rules.override):
        if "evaluation.tests" in rule.set:
            findings.add(("override", number, "set", "evaluation.tests"), message)
