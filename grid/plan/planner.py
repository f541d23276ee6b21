"""From cells to steps: what must be computed, under which keys, and what needs what."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

import models.kinds
import preprocessing.tokenizers
from grid.cells.expansion import Cell, Cells
from grid.cells.resolving import Resolved, Resolver, Section
from grid.keys import canonical, digest, digest_of_keys
from grid.plan.graph import Artifacts, Step, version
from grid.spec import rewrite_sets
from grid.spec.by_kind import raw_digest
from models.config import TrainingConfig
from preprocessing.size import SizeRule

NOT_IN_KEY = ("checkpoint_s", "tensorboard")  # fields of training that change no result
NOT_IN_KEY_BY_DEFAULT = ("compile", "devices")  # newer than the keys: a default is what was done before
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class CellSteps:
    """Artifacts behind one cell; `tests` maps original / augmented to the evaluation on that test set."""

    corpus: Artifacts
    tokenizer: Artifacts
    variant: Artifacts | None
    train: Artifacts
    tests: Mapping[str, Artifacts]


@dataclass
class Plan:
    """All steps of a grid by key, each after what it needs, and the steps behind each cell."""

    cells: Cells
    steps: dict[str, Step] = field(default_factory=dict)
    by_cell: list[CellSteps] = field(default_factory=list)


def make(raw: Mapping[str, Any], cells: Cells, raw_digest: Callable[[Any], str]) -> Plan:
    """Plan a grid. `raw` is the plain spec; `raw_digest` names the data behind a corpus section.

    Raises:
        ValidationError, ValueError: fields that can't work together, or raw data that isn't there.
    """
    return _Planner(raw, cells, raw_digest).plan()


class _Planner:
    """Each method makes the steps behind one thing, once per values of its arguments."""

    def __init__(self, raw: Mapping[str, Any], cells: Cells, raw_digest: Callable[[Any], str]) -> None:
        self.result = Plan(cells)
        self.resolver = Resolver(raw, cells)
        self.raw_digest = raw_digest
        self.at = {
            name: cells.position(name) for name in ("rewrites", "intensity", "train_on", "model", "seed")
        }
        self.corpus = cache(self._corpus)
        self.tokenizer = cache(self._tokenizer)
        self.variant = cache(self._variant)
        self.encoded = cache(self._encoded)
        self.train = cache(self._train)
        self.tests = cache(self._tests)
        self.training = cache(self._training)
        self.raw_model = cache(self._raw_model)
        self.scoring = cache(lambda plain: {"config": {k: v for k, v in plain.plain.items() if k != "tests"}})
        self._version = cache(lambda kind: canonical(version(kind)))
        self._texts: dict[int, str] = {}
        self._kept: list[Mapping[str, Any]] = []
        self._roles: dict[tuple[str, ...], tuple[str, ...]] = {}

    def plan(self) -> Plan:
        for cell in self.result.cells.cells:
            self.result.by_cell.append(self._cell(cell, self.resolver.resolved(cell)))
        return self.result

    def _cell(self, cell: Cell, spec: Resolved) -> CellSteps:
        value = {name: cell.values[position].plain for name, position in self.at.items()}
        corpus, seed, train_on = self.corpus(spec["corpus"]), value["seed"], value["train_on"]
        tokenizer = self.tokenizer(corpus, spec["tokenizer"], spec["tokens"])
        original = self.encoded(corpus, None, tokenizer, spec["tokens"])
        variant = augmented = None
        if not cell.baseline:
            intensity = cell.values[self.at["intensity"]]
            rewrites = (spec["rewrites"], value["rewrites"])
            counts = rewrite_sets.needs_tokenizer(spec["rewrites"].plain[value["rewrites"]])
            counts |= SizeRule.model_validate(spec["size"].plain).needs_tokenizer
            made_of = (corpus, tokenizer if counts else None, *rewrites, intensity, seed)
            variant = self.variant(*made_of, spec["size"], spec["tokens"])
            augmented = self.encoded(corpus, variant, tokenizer, spec["tokens"])
        train = self.train(
            spec["models"],
            value["model"],
            spec["training"],
            tokenizer,
            None if train_on == "augmented" else original,
            None if train_on == "original" else augmented,
            seed,
        )
        tests = self.tests(train, tokenizer, original, augmented, spec["evaluation"])
        return CellSteps(corpus, tokenizer, variant, train, tests)

    def _add(
        self,
        kind: str,
        group: str,
        parameters: Mapping[str, Any],
        inputs: Mapping[str, Artifacts],
        unkeyed: Mapping[str, Any] = NOTHING,
    ) -> str:
        key = self._key(kind, parameters, inputs)
        if key not in self.result.steps:
            roles = self._roles.setdefault(tuple(inputs), tuple(inputs))
            needs = tuple(inputs.values())
            self.result.steps[key] = Step(kind, key, group or key, parameters, roles, needs, unkeyed)
        return key

    def _key(self, kind: str, parameters: Mapping[str, Any], inputs: Mapping[str, Artifacts]) -> str:
        """Digest of `graph.document`, with the text of parameters that several steps share made once."""
        text = self._texts.get(id(parameters))
        if text is None:
            text = self._texts[id(parameters)] = canonical(parameters)
            self._kept.append(parameters)  # or its id could be given to another
        names = ",".join(f'"{role}":"{inputs[role].name}"' for role in sorted(inputs))
        whole = (
            f'{{"inputs":{{{names}}},"parameters":{text},"step":"{kind}","version":{self._version(kind)}}}'
        )
        return hashlib.sha256(whole.encode()).hexdigest()

    def _corpus(self, corpus: Section) -> Artifacts:
        parameters = {"config": corpus.plain, "raw": self.raw_digest(corpus.plain)}
        key = self._add("corpus", "", parameters, {})
        return _all("corpus", [key] * corpus.plain["shards"])

    def _tokenizer(self, corpus: Artifacts, tokenizer: Section, tokens: Section) -> Artifacts:
        raw = raw_digest(preprocessing.tokenizers, tokenizer.plain)
        newer = {"train_bytes": None}  # than the keys: a default is what was done before
        config = {k: v for k, v in tokenizer.plain.items() if k not in newer or v != newer[k]}
        parameters = {"config": config, "tokens": tokens.plain, **raw}
        inputs = {"corpus": _all("corpus", corpus.keys[:1])}
        return _all("tokenizer", [self._add("tokenizer", "", parameters, inputs)])

    def _variant(
        self,
        corpus: Artifacts,
        tokenizer: Artifacts | None,
        sets: Section,
        name: str,
        intensity: Any,
        seed: int,
        size: Section,
        tokens: Section,
    ) -> Artifacts:
        shared = {
            "rewrites": sets.plain[name],
            "intensity": intensity.plain,
            "seed": seed,
            "size": size.plain,
            "tokens": tokens.plain,
        }
        newer = rewrite_sets.versions(sets.plain[name])
        if newer:
            shared["versions"] = newer
        inputs = {"corpus": _all("corpus", corpus.keys[:1])}
        if tokenizer is not None:  # the size rule counts subwords, or the names of a rewrite do
            inputs["tokenizer"] = tokenizer
        group = digest([tokens.plain, *(artifacts.name for artifacts in inputs.values())])
        keys = [
            self._add("variant", f"{group}-{shard}", {**shared, "shard": shard}, inputs)
            for shard in range(len(corpus.keys))
        ]
        return _all("variant", keys)

    def _encoded(
        self, corpus: Artifacts, variant: Artifacts | None, tokenizer: Artifacts, tokens: Section
    ) -> Artifacts:
        keys = []
        original = _all("corpus", corpus.keys[:1])
        group = digest([corpus.name, tokenizer.name, tokens.plain, variant is None])
        for shard in range(len(corpus.keys)):
            inputs = {"tokenizer": tokenizer, "corpus": original}
            if variant is not None:
                inputs["variant"] = _all("variant", [variant.keys[shard]])
            parameters = {"shard": shard, "tokens": tokens.plain}
            keys.append(self._add("encode", f"{group}-{shard}", parameters, inputs))
        return _all("encode", keys)

    def _train(
        self,
        sections: Section,
        name: str,
        training: Section,
        tokenizer: Artifacts,
        original: Artifacts | None,
        rewritten: Artifacts | None,
        seed: int,
    ) -> Artifacts:
        parameters, unkeyed = self.training(sections, name, training, seed)
        inputs = {"tokenizer": tokenizer}
        if original is not None:
            inputs["original"] = original
        if rewritten is not None:
            inputs["rewritten"] = rewritten
        return _all("train", [self._add("train", "", parameters, inputs, unkeyed)])

    def _training(
        self, sections: Section, name: str, training: Section, seed: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        keyed = {k: v for k, v in training.plain.items() if k not in NOT_IN_KEY and not _as_before(k, v)}
        unkeyed = {k: v for k, v in training.plain.items() if k in NOT_IN_KEY}
        raw = self.raw_model(sections, name)
        return {"model": sections.plain[name], "training": keyed, "seed": seed, **raw}, unkeyed

    def _raw_model(self, sections: Section, name: str) -> dict[str, str]:
        """Once for all seeds and trainings: weights can be large."""
        return raw_digest(models.kinds, sections.plain[name])

    def _tests(
        self,
        train: Artifacts,
        tokenizer: Artifacts,
        original: Artifacts,
        augmented: Artifacts | None,
        evaluation: Section,
    ) -> Mapping[str, Artifacts]:
        parameters = self.scoring(evaluation)
        sets = {"original": original, "augmented": augmented}
        names = evaluation.plain["tests"] if augmented is not None else ["original"]
        tests = {}
        for name in names:
            test = sets[name]
            assert test is not None
            inputs = {"train": train, "tokenizer": tokenizer, "test": test}
            tests[name] = _all("evaluate", [self._add("evaluate", train.name, parameters, inputs)])
        return tests


def _as_before(field: str, value: Any) -> bool:
    return field in NOT_IN_KEY_BY_DEFAULT and value == TrainingConfig.model_fields[field].default


def _all(kind: str, keys: list[str] | tuple[str, ...]) -> Artifacts:
    return Artifacts(kind, tuple(keys), digest_of_keys(keys))
