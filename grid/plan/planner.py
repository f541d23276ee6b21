"""From cells to steps: what must be computed, under which keys, and what needs what."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, wraps
from types import MappingProxyType
from typing import Any, TypeVar, TypeVarTuple

import tasks
from grid.cells.expansion import Cells
from grid.cells.resolving import CellSpec, Rewriting
from grid.keys import canonical, digest, digest_of_keys
from grid.plan.graph import Artifacts, Step, version
from grid.spec import rewrite_sets
from grid.steps.naturalness import SAMPLE
from models.config import ModelConfig, TrainingConfig
from preprocessing.corpus.building import CorpusConfig
from preprocessing.lexer.tokens import TokensConfig
from preprocessing.size import SizeRule
from preprocessing.tokenizers import TokenizerConfig
from tasks import EvaluationConfig, Task, TaskConfig

NOTHING: Mapping[str, Any] = MappingProxyType({})

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


@dataclass(frozen=True, slots=True, eq=False)
class CellSteps:
    """Artifacts behind one cell; `tests` maps original / augmented to the evaluation on that test set.

    variant: of its training set, or of its test set where it is trained on the original; tested: of its test
    set, None where that is the original alone.
    """

    corpus: Artifacts
    tokenizer: Artifacts
    variant: Artifacts | None
    tested: Artifacts | None
    naturalness: Artifacts | None
    train: Artifacts
    tests: Mapping[str, Artifacts]


@dataclass
class Plan:
    """All steps of a grid by key, each after what it needs, and the steps behind each cell."""

    cells: Cells
    task: Task
    steps: dict[str, Step] = field(default_factory=dict)
    by_cell: list[CellSteps] = field(default_factory=list)


def make(
    cells: Cells,
    specs: Iterable[CellSpec],
    task: Task,
    raw_digest: Callable[[CorpusConfig], str],
    *,
    naturalness: bool = True,
) -> Plan:
    """Plan a grid. `specs` holds the spec of each cell; `raw_digest` names the data behind a corpus;
    `naturalness`: whether that of variants is measured.

    Raises:
        ValueError: fields that can't work together, or raw data that isn't there.
    """
    planner = _Planner(task, raw_digest, naturalness)
    by_cell = [planner.cell(spec) for spec in specs]
    return Plan(cells, task, planner.steps, by_cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrainingSet:
    """What is read in a training, by role. `repeated` are originals that count once more: those that were
    rewritten in `survivors`, without it all. `draws` follow `rewritten`, epoch by epoch.
    """

    original: Artifacts | None
    rewritten: Artifacts | None
    repeated: Artifacts | None
    survivors: Artifacts | None
    draws: Artifacts | None

    def inputs(self) -> dict[str, Artifacts]:
        found = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {role: artifacts for role, artifacts in found if artifacts is not None}


@dataclass(frozen=True, slots=True, eq=False)
class _Parameters:
    """What steps are told: their keyed parameters, as JSON too, which is made once for all of them."""

    keyed: Mapping[str, Any]
    text: str
    unkeyed: Mapping[str, Any]

    @staticmethod
    def of(keyed: Mapping[str, Any], unkeyed: Mapping[str, Any] = NOTHING) -> _Parameters:
        return _Parameters(keyed, canonical(keyed), unkeyed)


def _once(method: Callable[[_Planner, *Arguments], T]) -> Callable[[_Planner, *Arguments], T]:
    """Makes a method of the planner answer equal calls with the same object."""
    name = method.__name__

    @wraps(method)
    def answer(planner: _Planner, *arguments: *Arguments) -> T:
        call = (name, *arguments)
        known: T | None = planner.answers.get(call)
        if known is None:
            known = planner.answers[call] = method(planner, *arguments)
        return known

    return answer


class _Planner:
    """Each method makes the steps behind one thing; `_once` where several cells need it."""

    def __init__(self, task: Task, raw_digest: Callable[[CorpusConfig], str], naturalness: bool) -> None:
        self.task, self.raw_digest, self.measures_naturalness = task, raw_digest, naturalness
        self.steps: dict[str, Step] = {}
        self.answers: dict[tuple[object, ...], Any] = {}
        self._roles: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._version = cache(lambda kind: canonical(version(kind)))

    def cell(self, spec: CellSpec) -> CellSteps:
        corpus = self.corpus(spec.corpus)
        tokenizer = self.tokenizer(corpus, spec.tokenizer, spec.tokens)
        original = self.encoded(spec.task, corpus, None, tokenizer, spec.tokens)
        rewriting = spec.testing if spec.train_on == "original" else spec.rewriting
        variant, augmented = self.rewritten(corpus, tokenizer, rewriting, spec)
        tested, test_set = self.rewritten(corpus, tokenizer, spec.testing, spec)
        naturalness = None
        if self.measures_naturalness and variant is not None:
            naturalness = self.naturalness(corpus, variant)
        train = self.train(
            self.training(spec.task, spec.model, _of_training_set(spec), spec.seed),
            tokenizer,
            _TrainingSet(
                original=None if spec.train_on == "augmented" else original,
                rewritten=augmented if spec.train_on in ("augmented", "original+augmented") else None,
                repeated=original if spec.train_on == "original+original" else None,
                survivors=augmented if spec.train_on == "original+original" and spec.size.acts else None,
                draws=self.draws(corpus, tokenizer, spec) if spec.training.draws > 1 else None,
            ),
        )
        scoring = self.scoring(spec.task, spec.evaluation)
        tests = self.tests(train, tokenizer, original, test_set, scoring, spec.tests)
        return CellSteps(corpus, tokenizer, variant, tested, naturalness, train, tests)

    def draws(self, corpus: Artifacts, tokenizer: Artifacts, spec: CellSpec) -> Artifacts | None:
        """The examples of all draws of a training set but the first, one behind the other."""
        first = spec.rewriting
        if first is None or spec.train_on not in ("augmented", "original+augmented"):
            return None
        keys: list[str] = []
        for draw in range(1, spec.training.draws):
            _, augmented = self.rewritten(corpus, tokenizer, self.drawn(first, draw), spec)
            keys += augmented.keys if augmented is not None else ()
        return self.together("encode", tuple(keys))

    @_once
    def drawn(self, first: Rewriting, draw: int) -> Rewriting:
        """The same with other sites and names."""
        return replace(first, seed=int(digest([first.seed, draw])[:15], 16))

    @_once
    def together(self, kind: str, keys: tuple[str, ...]) -> Artifacts:
        return _all(kind, keys)

    def rewritten(
        self, corpus: Artifacts, tokenizer: Artifacts, rewriting: Rewriting | None, spec: CellSpec
    ) -> tuple[Artifacts, Artifacts] | tuple[None, None]:
        """A variant, and its examples."""
        if rewriting is None:
            return None, None
        variant = self.variant(corpus, tokenizer, rewriting, spec.size, spec.tokens)
        return variant, self.encoded(spec.task, corpus, variant, tokenizer, spec.tokens)

    @_once
    def corpus(self, config: CorpusConfig) -> Artifacts:
        parameters = _Parameters.of({"config": config.keyed(), "raw": self.raw_digest(config)})
        return _all("corpus", [self._add("corpus", parameters, {})] * config.shards)

    @_once
    def tokenizer(self, corpus: Artifacts, config: TokenizerConfig, tokens: TokensConfig) -> Artifacts:
        keyed = {"config": config.keyed(), "tokens": tokens.keyed(), **_raw(config)}
        inputs = {"corpus": _all("corpus", corpus.keys[:1])}
        return _all("tokenizer", [self._add("tokenizer", _Parameters.of(keyed), inputs)])

    @_once
    def variant(
        self,
        corpus: Artifacts,
        tokenizer: Artifacts,
        rewriting: Rewriting,
        size: SizeRule,
        tokens: TokensConfig,
    ) -> Artifacts:
        keyed = {
            "rewrites": rewriting.rewrites,
            "intensity": rewriting.intensity,
            "seed": rewriting.seed,
            "size": size.keyed(),
            "tokens": tokens.keyed(),
        }
        if rewriting.growth_limit is not None:
            keyed["growth_limit"] = rewriting.growth_limit
        versions = rewrite_sets.versions(rewriting.rewrites)
        if versions:
            keyed["versions"] = versions
        inputs = {"corpus": _all("corpus", corpus.keys[:1])}
        if size.needs_tokenizer or rewrite_sets.needs_tokenizer(rewriting.rewrites):
            inputs["tokenizer"] = tokenizer
        group = digest([keyed["tokens"], *(artifacts.name for artifacts in inputs.values())])
        keys = []
        for shard in range(len(corpus.keys)):
            parameters = _Parameters.of({**keyed, "shard": shard})
            keys.append(self._add("variant", parameters, inputs, group=f"{group}-{shard}"))
        return _all("variant", keys)

    @_once
    def naturalness(self, corpus: Artifacts, variant: Artifacts) -> Artifacts:
        inputs = {"corpus": _all("corpus", corpus.keys[:1]), "variant": variant}
        key = self._add("naturalness", _Parameters.of(SAMPLE), inputs, group=corpus.name)
        return _all("naturalness", [key])

    @_once
    def encoded(
        self,
        task: TaskConfig,
        corpus: Artifacts,
        variant: Artifacts | None,
        tokenizer: Artifacts,
        tokens: TokensConfig,
    ) -> Artifacts:
        inputs = {"tokenizer": tokenizer, "corpus": _all("corpus", corpus.keys[:1])}
        group = digest([corpus.name, tokenizer.name, tokens.keyed(), variant is None])
        keys = []
        for shard in range(len(corpus.keys)):
            if variant is not None:
                inputs = {**inputs, "variant": _all("variant", [variant.keys[shard]])}
            parameters = self.encoding(task, shard, tokens)
            keys.append(self._add("encode", parameters, inputs, group=f"{group}-{shard}"))
        return _all("encode", keys)

    @_once
    def encoding(self, task: TaskConfig, shard: int, tokens: TokensConfig) -> _Parameters:
        return _Parameters.of({"shard": shard, "tokens": tokens.keyed(), **tasks.keyed(task)})

    @_once
    def model(self, config: ModelConfig) -> Mapping[str, Any]:
        """Once for all seeds and trainings: weights can be large."""
        version = {"model_version": config.VERSION} if config.VERSION != 1 else {}
        return {"model": config.keyed(), **_raw(config), **version}

    @_once
    def training(
        self, task: TaskConfig, model: ModelConfig, training: TrainingConfig, seed: int
    ) -> _Parameters:
        keyed = {**self.model(model), "training": training.keyed(), "seed": seed, **tasks.keyed(task)}
        return _Parameters.of(keyed, training.unkeyed())

    @_once
    def train(
        self,
        training: _Parameters,
        tokenizer: Artifacts,
        training_set: _TrainingSet,
    ) -> Artifacts:
        inputs = {"tokenizer": tokenizer, **training_set.inputs()}
        return _all("train", [self._add("train", training, inputs)])

    @_once
    def scoring(self, task: TaskConfig, evaluation: EvaluationConfig) -> _Parameters:
        return _Parameters.of({"config": evaluation.keyed(), **tasks.keyed(task)})

    def tests(
        self,
        train: Artifacts,
        tokenizer: Artifacts,
        original: Artifacts,
        augmented: Artifacts | None,
        scoring: _Parameters,
        names: tuple[str, ...],
    ) -> Mapping[str, Artifacts]:
        sets = {"original": original, "augmented": augmented}
        tests: dict[str, Artifacts] = {}
        for name in names if augmented is not None else ("original",):
            test = sets[name]
            assert test is not None
            inputs = {"train": train, "tokenizer": tokenizer, "test": test}
            if self.task.POOL:
                inputs["pool"] = original
            tests[name] = _all("evaluate", [self._add("evaluate", scoring, inputs, group=train.name)])
        return tests

    def _add(
        self, kind: str, parameters: _Parameters, inputs: Mapping[str, Artifacts], *, group: str = ""
    ) -> str:
        """The key of a step, which is new or known; without a group it is a job of its own."""
        names = ",".join([f'"{role}":"{inputs[role].name}"' for role in sorted(inputs)])
        document = (  # canonical JSON of `graph.document`
            f'{{"inputs":{{{names}}},"parameters":{parameters.text},"step":"{kind}",'
            f'"version":{self._version(kind)}}}'
        )
        key = hashlib.sha256(document.encode()).hexdigest()
        if key not in self.steps:
            roles = self._roles.setdefault(tuple(inputs), tuple(inputs))
            needs = tuple(inputs.values())
            step = Step(kind, key, group or key, parameters.keyed, roles, needs, parameters.unkeyed)
            self.steps[key] = step
        return key


def _of_training_set(spec: CellSpec) -> TrainingConfig:
    """How a cell is trained: where nothing rewritten is read, there are no draws of it."""
    if spec.training.draws == 1 or spec.train_on in ("augmented", "original+augmented"):
        return spec.training
    return TrainingConfig.model_validate(spec.training.model_dump() | {"draws": 1})


def _raw(config: TokenizerConfig | ModelConfig) -> dict[str, str]:
    """What a key says of the files that a config names."""
    raw = config.raw_digest()
    return {} if raw is None else {"raw": raw}


def _all(kind: str, keys: list[str] | tuple[str, ...]) -> Artifacts:
    return Artifacts(kind, tuple(keys), digest_of_keys(keys))
