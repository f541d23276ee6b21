"""From axes and rules to cells: axes → zip → exclude → override → add → placebos, and the baselines.

A cell that is trained on the original has no training set of its own, so it is named by its test set. Cells
that are equal then are one:

    rename, original, test_on {set: parens}     parens, original, test_on {set: rename}
    parens, original, test_on same              →  two cells: rename and parens, original, test_on same
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grid.cells.axes import (
    MIX,
    NO_DRAW,
    NO_INTENSITY,
    NO_REWRITES,
    ORIGINAL,
    PLACEBO,
    SAME,
    Axis,
    Collector,
    Names,
    Value,
    is_field,
    normalise,
    own_variant,
    read_axes,
    test_on,
    tested_variant,
)
from grid.keys import canonical
from grid.spec.document import Loc
from grid.spec.schema import Rules
from preprocessing.errors import suggest

Patch = tuple[tuple[str, Any], ...]
MAX_PRODUCT = 10_000_000


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of the grid: a value for each axis, and what `override` sets there."""

    id: str
    values: tuple[Value, ...]
    patch: Patch
    baseline: bool
    baseline_id: str


@dataclass(frozen=True, slots=True)
class Cells:
    """All cells of a grid: those asked for, in order, then their baselines."""

    axes: tuple[str, ...]
    cells: tuple[Cell, ...]

    def position(self, axis: str) -> int:
        """Index of an axis in `Cell.values`."""
        return self.axes.index(axis)


Matcher = list[tuple[int, frozenset[str]]]


def expand(rules: Rules, names: Names, findings: Collector) -> Cells:
    """All cells that the rules of a spec make.

    Everything that is wrong goes to `findings`; the result then is incomplete. A rule that matches
    nothing, an unequal zip, two equal cells and more than `max_cells` (without baselines) are wrong.
    """
    return _Expansion(rules, names, read_axes(rules.axes, names, findings), findings).cells()


@dataclass
class _Overrides:
    """What `override` sets in cells; where the same is set, it is one object."""

    rules: list[tuple[Matcher | None, Mapping[str, Any]]]
    matched: set[int] = field(default_factory=set)
    patches: dict[tuple[int, ...], Patch] = field(default_factory=lambda: {(): ()})

    def patch(self, values: Sequence[Value]) -> Patch:
        """What is set in the cell with these values; later rules win."""
        hits = tuple([index for index, (matcher, _) in enumerate(self.rules) if _matches(matcher, values)])
        if hits not in self.patches:
            self.matched.update(hits)
            merged: dict[str, Any] = {}
            for index in hits:
                merged |= self.rules[index][1]
            patch = tuple(sorted(merged.items()))
            self.patches[hits] = next((known for known in self.patches.values() if known == patch), patch)
        return self.patches[hits]

    def unmatched(self) -> list[int]:
        """Rules that are right by themselves, and matched no cell."""
        rules = enumerate(self.rules)
        return [index for index, (matcher, _) in rules if matcher is not None and index not in self.matched]


class _Expansion:
    def __init__(self, rules: Rules, choices: Names, axes: list[Axis], findings: Collector) -> None:
        self.rules, self.choices, self.axes, self.findings = rules, choices, axes, findings
        self.names = [axis.name for axis in axes]
        self.too_many = False
        self.bare: list[tuple[tuple[Value, ...], Patch]] = []  # of which only the baseline is asked for
        self.settled: set[str] = set()  # ids of cells that were written in another way
        by_name = sorted(range(len(axes)), key=lambda index: self.names[index])
        self.id_order = [(index, f"{canonical(self.names[index])}:") for index in by_name]

    def cells(self) -> Cells:
        if not all(axis.values for axis in self.axes):  # noted already; what follows from it would be noise
            return Cells(tuple(self.names), ())
        kept: dict[str, Cell] = {}
        self._multiply(kept)
        self._add(kept)
        if self.rules.placebo and not self.too_many:
            self._add_placebos(kept)
        if not kept and not self.bare and not self.too_many:
            self.findings.add(("axes",), "no cell is left")
        return self._with_baselines(kept)

    def _multiply(self, kept: dict[str, Cell]) -> None:
        """Keep the cells of the product, as far as there may be so many."""
        groups, overrides = self._groups(), self._overrides()
        for written in self._product(groups):
            values = self._settled(written)
            self._keep(kept, values, overrides.patch(values), ("axes",), settled=values != written)
            if len(kept) > self.rules.max_cells:
                self._too_many(f"more than {self.rules.max_cells}")
                return
        for index in overrides.unmatched():
            self.findings.add(("override", index, "when"), "matches no cell")

    def _groups(self) -> list[list[int]]:
        """Positions of axes that move together; a zip stands where its first axis stands."""
        groups = {index: [index] for index in range(len(self.axes))}
        for number, members in enumerate(self.rules.zip):
            loc: Loc = ("zip", number)
            unknown = [name for name in members if name not in self.names]
            for name in unknown:
                self.findings.add(loc, f"no axis '{name}'{suggest(name, self.names)}")
            positions = [self.names.index(name) for name in members if name not in unknown]
            if len(set(members)) != len(members) or len(members) < 2:
                self.findings.add(loc, "a zip ties at least two different axes")
            elif any(groups.get(position) != [position] for position in positions):
                self.findings.add(loc, "an axis stands in two zips")
            elif len({len(self.axes[position].values) for position in positions}) > 1:
                lengths = ", ".join(f"{self.names[p]} has {len(self.axes[p].values)}" for p in positions)
                self.findings.add(loc, f"zipped axes need equally many values: {lengths}")
            elif not unknown:
                for position in positions:
                    del groups[position]
                groups[min(positions)] = positions
        return [groups[first] for first in sorted(groups)]

    def _product(self, groups: list[list[int]]) -> Iterator[tuple[Value, ...]]:
        steps = [list(zip(*(self.axes[p].values for p in group), strict=False)) for group in groups]
        size, limit = math.prod(len(options) for options in steps), self.rules.max_cells
        excludes = [self._matcher(rule, ("exclude", i)) for i, rule in enumerate(self.rules.exclude)]
        may_shrink = bool(excludes) or "test_on" in self.names
        if size > MAX_PRODUCT or (size > limit and not may_shrink):
            self._too_many(f"the product of the axes has {size:,}")
            return
        positions = [position for group in groups for position in group]
        order = sorted(range(len(positions)), key=positions.__getitem__)
        unmatched = {index for index, matcher in enumerate(excludes) if matcher is not None}
        for options in itertools.product(*steps):
            flat = [value for option in options for value in option]
            values = tuple([flat[index] for index in order])
            hits = [index for index, matcher in enumerate(excludes) if _matches(matcher, values)]
            if hits:
                unmatched.difference_update(hits)
            else:
                yield values
        for index in unmatched:
            self.findings.add(("exclude", index), "matches no cell")

    def _matcher(self, rule: Mapping[str, Any], loc: Loc) -> Matcher | None:
        """Axis position → the values that match; None when the rule is wrong (which is noted)."""
        matcher: Matcher = []
        for name, wanted in rule.items():
            if name not in self.names:
                self.findings.add((*loc, name), f"no axis '{name}'{suggest(name, self.names)}")
                return None
            position = self.names.index(name)
            axis = self.axes[position]
            texts = {value.json: value.text for value in axis.values}
            found = set()
            for item in wanted if isinstance(wanted, list) and canonical(wanted) not in texts else [wanted]:
                value = self._value(name, item, (*loc, name))
                if value is not None and value.json not in texts:
                    valid = suggest(value.text, texts.values())
                    self.findings.add((*loc, name), f"the axis has no value {value.text}{valid}")
                elif value is not None:
                    found.add(value.json)
            if not found:
                return None
            matcher.append((position, frozenset(found)))
        return matcher

    def _value(self, name: str, raw: object, loc: Loc) -> Value | None:
        try:
            return normalise(name, raw, self.choices)
        except ValueError as error:
            self.findings.add(loc, str(error))
            return None

    def _overrides(self) -> _Overrides:
        rules: list[tuple[Matcher | None, Mapping[str, Any]]] = []
        for index, rule in enumerate(self.rules.override):
            for path in rule.set:
                loc: Loc = ("override", index, "set", path)
                clash = [
                    n for n in self.names if f"{n}.".startswith(f"{path}.") or f"{path}.".startswith(f"{n}.")
                ]
                if clash:
                    self.findings.add(loc, f"'{clash[0]}' is an axis: use exclude and add instead")
                elif not is_field(path):
                    self.findings.add(loc, "not the dotted path of a field of the spec")
            rules.append((self._matcher(rule.when, ("override", index, "when")), rule.set))
        return _Overrides(rules)

    def _add(self, kept: dict[str, Cell]) -> None:
        for index, rule in enumerate(self.rules.add):
            loc: Loc = ("add", index)
            missing = [name for name in self.names if name not in rule]
            for name in rule:
                if name not in self.names:
                    self.findings.add((*loc, name), f"no axis '{name}'{suggest(name, self.names)}")
            if missing:
                self.findings.add(loc, f"a whole cell names every axis; missing: {', '.join(missing)}")
                continue
            found = [self._value(name, rule[name], (*loc, name)) for name in self.names]
            written = tuple(value for value in found if value is not None)
            if len(written) == len(found):
                values = self._settled(written)
                self._keep(kept, values, (), loc, settled=values != written)
        if len(kept) > self.rules.max_cells:
            self._too_many(f"{len(kept)}")

    def _add_placebos(self, kept: dict[str, Cell]) -> None:
        """Each mix gets the cell that repeats the originals in the place of what was rewritten of them."""
        position, asked = self.names.index("train_on"), len(kept)
        for cell in list(kept.values()):
            if cell.values[position] == MIX:
                values = (*cell.values[:position], PLACEBO, *cell.values[position + 1 :])
                identity = self._id(values, cell.patch)
                kept.setdefault(identity, Cell(identity, values, cell.patch, False, ""))
        if len(kept) > self.rules.max_cells:
            added = len(kept) - asked
            self._too_many(f"{len(kept)}", f"; {added} are placebos, which `placebo: false` leaves out")

    def _settled(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """The cell as it is named: without what its test set has anyway, and what nothing is trained on."""
        if "test_on" not in self.names:
            return values
        cell = dict(zip(self.names, values, strict=True))
        if (tested := tested_variant(cell)) is not None:
            own = own_variant(cell)
            parts = {axis: value for axis, value in tested.items() if value != own[axis]}
            if cell["train_on"] == ORIGINAL:
                cell |= {axis: value for axis, value in parts.items() if axis in cell}
                parts = {axis: value for axis, value in parts.items() if axis not in cell}
            cell["test_on"] = test_on(parts)
        return tuple(cell.values())

    def _keep(
        self,
        kept: dict[str, Cell],
        values: tuple[Value, ...],
        patch: Patch,
        loc: Loc,
        *,
        settled: bool = False,
    ) -> None:
        cell = dict(zip(self.names, values, strict=True))
        if cell["train_on"] == cell.get("test_on", SAME) == ORIGINAL:
            self.bare.append((values, patch))
            return
        identity = self._id(values, patch)
        if settled:
            self.settled.add(identity)
        if identity in kept and identity not in self.settled:
            shown = ", ".join(f"{n}={v.text}" for n, v in zip(self.names, values, strict=True))
            self.findings.add(loc, f"this cell stands in the grid twice: {shown}")
        kept[identity] = Cell(identity, values, patch, False, "")

    def _id(self, values: tuple[Value, ...], patch: Patch) -> str:
        parts = [name + values[index].json for index, name in self.id_order]
        if patch:
            parts.append(canonical(dict(patch)))
        return hashlib.sha256(",".join(parts).encode()).hexdigest()[:12]

    def _with_baselines(self, kept: dict[str, Cell]) -> Cells:
        changed = {
            "rewrites": NO_REWRITES,
            "intensity": NO_INTENSITY,
            "rewriting_seed": NO_DRAW,
            "train_on": ORIGINAL,
            "test_on": ORIGINAL,
        }
        replace = [(index, changed[name]) for index, name in enumerate(self.names) if name in changed]
        baselines: dict[tuple[Any, ...], Cell] = {}

        def baseline_of(values: tuple[Value, ...], patch: Patch) -> Cell:
            plain = list(values)
            for position, value in replace:
                plain[position] = value
            values = tuple(plain)
            same = (*[value.json for value in values], id(patch))
            if same not in baselines:
                identity = self._id(values, patch)
                baselines[same] = Cell(identity, values, patch, True, identity)
            return baselines[same]

        cells = [
            Cell(cell.id, cell.values, cell.patch, False, baseline_of(cell.values, cell.patch).id)
            for cell in kept.values()
        ]
        for values, patch in self.bare:
            baseline_of(values, patch)
        return Cells(tuple(self.names), (*cells, *baselines.values()))

    def _too_many(self, count: str, remark: str = "") -> None:
        if self.too_many:
            return
        self.too_many = True
        self.findings.add(("max_cells",), f"{count} cells, max_cells allows {self.rules.max_cells}{remark}")


def _matches(matcher: Matcher | None, values: Sequence[Value]) -> bool:
    if matcher is None:
        return False
    return all(values[position].json in wanted for position, wanted in matcher)
