"""The spec as one cell sees it: axes and overrides applied, checked, defaults filled in."""

from __future__ import annotations

import copy
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

import tasks
from grid.cells.axes import NAMED, SECTIONS, TrainOn, Value, own_variant, tested_variant
from grid.cells.expansion import Cells
from grid.keys import canonical
from grid.spec.document import Loc
from grid.spec.findings import Findings, dotted, explained
from grid.spec.rewrite_sets import Rewrites, misfit, unseen
from grid.spec.schema import Rules, Sections, misfits, schema, section_type, spelled_out, task_of
from models.config import ModelConfig, TrainingConfig
from preprocessing.corpus.building import CorpusConfig
from preprocessing.lexer.tokens import TokensConfig
from preprocessing.size import SizeRule
from preprocessing.tokenizers import TokenizerConfig
from tasks import EvaluationConfig, TaskConfig

DEFAULTS: Mapping[str, Any] = {"task": tasks.DEFAULT}
Assignment = tuple[str, Any]
"""The dotted path of a field, and the value that it gets."""


@dataclass(frozen=True, slots=True, eq=False)
class Rewriting:
    """What is rewritten in a cell, how much of it ({"rate": 0.5} or {"count": 5}), by which draw, and how far
    a text may grow."""

    rewrites: Rewrites
    intensity: Mapping[str, float]
    seed: int
    growth_limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellSpec:
    """The spec as one cell sees it. What several cells see alike is one object.

    rewriting: of its training set; None in baselines. testing: of its test set; None where it is tested on
    the original alone. tests: which texts it is tested on.
    """

    task: TaskConfig
    corpus: CorpusConfig
    rewriting: Rewriting | None
    testing: Rewriting | None
    tests: tuple[str, ...]
    size: SizeRule
    tokens: TokensConfig
    tokenizer: TokenizerConfig
    model: ModelConfig
    training: TrainingConfig
    train_on: TrainOn
    seed: int
    evaluation: EvaluationConfig


class MisfitError(ValueError):
    """What stands at `loc` doesn't fit what a cell has elsewhere in the spec."""

    def __init__(self, loc: Loc, message: str) -> None:
        super().__init__(message)
        self.loc = loc


class Resolver:
    """Reads the sections of a spec under assignments, each distinct one once.

    `data` is the spec as it is written, `checked` the same where nothing is wrong with it.
    """

    def __init__(self, data: Mapping[str, Any], checked: Sections | None) -> None:
        self._data, self._checked = data, checked
        self._sections: dict[tuple[str, str], Any] = {}

    @property
    def schema(self) -> Mapping[str, Any]:
        """What a spec of this task may hold, for messages."""
        return schema(task_of(self._data))

    def section(self, name: str, assignments: Iterable[Assignment]) -> Any:
        """A section under those of the assignments that are its own.

        Raises:
            ValidationError: values that are wrong, or right alone and wrong together; locations start below
                the section.
            ValueError: a path leads through something that has no such key.
        """
        own = _own(name, assignments)
        if not own and self._checked is not None:
            return getattr(self._checked, name)
        same = (name, canonical(own))
        if same not in self._sections:
            changed = {name: copy.deepcopy(self._data.get(name, DEFAULTS.get(name, {})))}
            if name == "task":
                changed[name] = spelled_out(changed[name])
            for path, value in own:
                put(changed, path, copy.deepcopy(value))
            task = self.section("task", ()) if name == "evaluation" else None  # options don't change its type
            self._sections[same] = section_type(name, task).validate_python(changed[name])
        return self._sections[same]

    def specs(self, cells: Cells) -> Iterator[CellSpec]:
        """The spec of each cell, in order.

        Raises:
            ValueError: values that are right alone and wrong together; says which, and why. A MisfitError for
                a model and a tokenizer, or a rewrite and a unit.
        """
        fields = [name for name in cells.axes if name not in NAMED]
        seen: dict[tuple[Any, ...], Sections] = {}
        rewritings: dict[tuple[Any, ...], Rewriting] = {}
        for cell in cells.cells:
            value = dict(zip(cells.axes, cell.values, strict=True))
            same = (*[value[name].json for name in fields], id(cell.patch) if cell.patch else 0)
            if same not in seen:
                seen[same] = self._seen([*((name, value[name].plain) for name in fields), *cell.patch])
            spec, seed, train_on = seen[same], value["seed"].plain, value["train_on"].plain
            model = spec.models[value["model"].plain]
            if why := model.refuses(spec.tokenizer.kind):
                raise MisfitError(("models", value["model"].plain), why)
            rewriting = testing = None
            if not cell.baseline:
                rewriting = _rewriting(spec, own_variant(value), rewritings)
                if (tested := tested_variant(value)) is not None:
                    testing = _rewriting(spec, tested, rewritings)
            both = ("original",) if testing is None else ("original", "augmented")
            tests = both if "test_on" in value or cell.baseline else spec.evaluation.tests
            budget = spec.training.budget
            if budget is not None and budget.kind == "original_tokens" and train_on == "augmented":
                raise MisfitError(
                    ("training", "budget"),
                    "original_tokens: train_on: augmented reads no original text; override it there, "
                    "{when: {train_on: augmented}, set: {training.budget: {kind: steps, amount: …}}}",
                )
            yield CellSpec(
                task=spec.task,
                corpus=spec.corpus,
                rewriting=rewriting,
                testing=testing,
                tests=tests,
                size=spec.size,
                tokens=spec.tokens,
                tokenizer=spec.tokenizer,
                model=model,
                training=spec.training,
                train_on=train_on,
                seed=seed,
                evaluation=spec.evaluation,
            )

    def _seen(self, assignments: list[Assignment]) -> Sections:
        """All sections as some cells see them; each is validated by itself."""
        sections = {}
        for name in Sections.model_fields:
            try:
                sections[name] = self.section(name, assignments)
            except ValidationError as error:
                values = " and ".join(f"{path}={canonical(value)}" for path, value in _own(name, assignments))
                why = [f"{dotted(loc)}: {message}" for loc, message in explained(error, self.schema, (name,))]
                raise ValueError(f"{values} don't work together: {'; '.join(why)}") from None
        return Sections.model_construct(**sections)


def _rewriting(
    spec: Sections, variant: Mapping[str, Value], known: dict[tuple[Any, ...], Rewriting]
) -> Rewriting:
    """One object for equal ones. Raises MisfitError for a rewrite that doesn't fit."""
    name, intensity = variant["rewrites"].plain, variant["intensity"]
    chosen, draw = spec.rewrites[name], variant["rewriting_seed"].plain
    wrong = misfit(chosen.rewrites, spec.corpus.unit)
    if wrong is None and tasks.lookup(spec.task.kind).DESCRIPTION.tokens is not None:
        wrong = unseen(chosen.rewrites, spec.tokens.comments, spec.tokenizer.kind)
    if wrong is not None:
        raise MisfitError(("rewrites", name, *chosen.place(wrong[0])), wrong[1])
    new = Rewriting(chosen.rewrites, intensity.plain, draw, chosen.growth_limit)
    return known.setdefault((id(chosen), intensity.json, draw), new)


def _own(section: str, assignments: Iterable[Assignment]) -> list[Assignment]:
    """The assignments that change a section, a mapping before its fields."""
    return sorted((path, value) for path, value in assignments if path.partition(".")[0] == section)


def check_assignments(resolver: Resolver, rules: Rules, findings: Findings) -> None:
    """Try each value of each dotted axis and each assignment of each override alone, with its position.

    Sections that are wrong by themselves are left out: what a value does to them can't be told.
    """
    wrong = {loc[0] for loc, _ in findings.found}
    for name, values in rules.axes.items():
        for index, value in enumerate(values if name not in NAMED else ()):
            _try(resolver, (name, value), ("axes", name, index), wrong, findings)
    for number, rule in enumerate(rules.override):
        for path, value in rule.set.items():
            _try(resolver, (path, value), ("override", number, "set", path), wrong, findings)


def _try(
    resolver: Resolver, assignment: Assignment, at: Loc, wrong: Container[str | int], findings: Findings
) -> None:
    section = assignment[0].partition(".")[0]
    if section not in SECTIONS or section in wrong or "task" in wrong:
        return  # noted already
    try:
        valid = resolver.section(section, [assignment])
        for loc, message in misfits(resolver.section("task", ()), section, valid):
            findings.add(at, f"{dotted((section, *loc))}: {message}")
    except ValidationError as error:
        for loc, message in explained(error, resolver.schema, (section,)):
            findings.add(at, f"{dotted(loc)}: {message}")
    except (ValueError, TypeError) as error:
        findings.add(at, str(error))


def put(target: dict[str, Any], path: str, value: object) -> None:
    """Set the field at a dotted path; whole numbers are indices where there is a list."""
    *parents, last = path.split(".")
    node: Any = target
    for part in parents:
        if isinstance(node, list):
            node = node[_index(node, part, path)]
        elif isinstance(node, dict):
            node = node[part] if isinstance(node.get(part), dict | list) else node.setdefault(part, {})
        else:
            raise ValueError(f"'{path}' leads through a plain value")
    if isinstance(node, list):
        node[_index(node, last, path)] = value
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise ValueError(f"'{path}' leads through a plain value")


def _index(items: list[Any], part: str, path: str) -> int:
    if not part.isdecimal() or int(part) >= len(items):
        raise ValueError(f"'{path}': '{part}' is not an index of a list of {len(items)}")
    return int(part)
