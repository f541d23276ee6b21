"""A grid spec: what is computed, from YAML to a frozen object, every mistake reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import CoreSchema, core_schema

import tasks
from grid.spec.document import Document, Loc
from grid.spec.findings import Findings
from grid.spec.rewrite_sets import RewriteSet
from models.config import TrainingConfig
from models.lookup import AnyModel
from preprocessing import shipped
from preprocessing.corpus.building import CorpusConfig
from preprocessing.corpus.split import SPLITS
from preprocessing.errors import BadInput
from preprocessing.frozen import Frozen
from preprocessing.lexer.tokens import TokensConfig
from preprocessing.size import SizeRule
from preprocessing.tokenizers import AnyTokenizer
from tasks import EvaluationConfig, TaskConfig

SPECS = Path("configs/grid")


def _no_store(name: str) -> str:
    if name == "store":
        raise ValueError("'store' is where finished steps are; choose another name")
    return name


def _no_baseline(name: str) -> str:
    if name == "none":
        raise ValueError("'none' is the name of the baseline, which is added by itself")
    return name


def _none_is_empty(value: object) -> object:
    return [] if value is None else value


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$")]
GridName = Annotated[Name, AfterValidator(_no_store)]
SetName = Annotated[Name, AfterValidator(_no_baseline)]
Rule = dict[str, Any]


class SpelledOut:
    """Annotation: the bare kind may stand for {kind: …}."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(spelled_out, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(tasks.TASKS.names())}, handler(schema)]}


def spelled_out(value: Any) -> Any:
    """The mapping that a bare kind stands for."""
    return {"kind": value} if isinstance(value, str) else value


class OfTask:
    """Annotation: a section that the spec's task checks, by its own config (`check` asks it)."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        configs = [tasks.lookup(kind).Evaluation for kind in tasks.TASKS.names()]
        shown = [handler(config.__pydantic_core_schema__) for config in configs]
        return shown[0] if len(shown) == 1 else {"anyOf": shown}


class Override(Frozen):
    """Fields of the spec that are different in the cells which match `when`."""

    when: Rule = Field(description="Axis: value (or a list of values); a cell must match all of them.")
    set: Annotated[Rule, Field(min_length=1, description="Dotted path of a field: its value there.")]


class Sections(Frozen):
    """What a grid is computed from. Axes and overrides may give their fields other values in some cells."""

    task: Annotated[TaskConfig, tasks.TASKS, SpelledOut()] = tasks.configured(None)[1]
    corpus: CorpusConfig
    rewrites: Annotated[dict[SetName, RewriteSet], Field(min_length=1, description="Named sets of rewrites.")]
    size: SizeRule = SizeRule()
    tokens: TokensConfig = TokensConfig()
    tokenizer: AnyTokenizer
    models: Annotated[dict[Name, AnyModel], Field(min_length=1)]
    training: TrainingConfig = TrainingConfig()
    evaluation: Annotated[EvaluationConfig, OfTask(), Field(validate_default=True)] = EvaluationConfig()

    @field_validator("evaluation", mode="before")
    @classmethod
    def _of_task(cls, value: Any, info: ValidationInfo) -> Any:
        task = info.data.get("task")
        if task is None:  # which is noted at its own place
            return value
        given = {} if type(value) is EvaluationConfig else value
        return section_type("evaluation", task).validate_python(given)


COMPARISONS: Mapping[Any, str] = {
    "robustness": "a cell that is tested on rewritten text",
    "baseline": "a cell that is tested on rewritten text",
    "clean": "a cell that isn't trained on the original",
    "training": "a cell that isn't trained on the original, and one that is, on the same rewritten text",
}
"""Each comparison, and of what it is made."""


class Guess(Frozen):
    """How much a difference between two models is thought to vary, as standard deviations in units of the
    metric."""

    project: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(description="between projects")
    seed: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(description="between training seeds")
    draw: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.0, description="between draws of the rewriting"
    )
    residual: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.0, description="of one project under one seed beside these"
    )


class Claims(Frozen):
    """What is said before the run. Without a margin no equivalence is claimed of a metric."""

    primary: dict[str, Any] | None = Field(
        default=None,
        description="the comparison that the report leads with: comparison (robustness, baseline, clean, "
        "training), metric, and levels of axes; what is left out is left open",
    )
    margin: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        default={}, description="metric: the smallest difference that matters, in units of the metric"
    )
    guess: dict[str, dict[str, Guess]] = Field(
        default={},
        description="comparison: {metric: how much its differences vary}; what `augrid plan` goes by in the "
        "place of finished grids",
    )


class Rules(Frozen):
    """Which cells a grid has."""

    axes: Annotated[dict[str, list[Any]], Field(description="The grid is the product of these.")]
    zip: Annotated[list[list[str]], BeforeValidator(_none_is_empty)] = Field(default=[])
    exclude: Annotated[list[Rule], BeforeValidator(_none_is_empty)] = Field(default=[])
    override: Annotated[list[Override], BeforeValidator(_none_is_empty)] = Field(default=[])
    add: Annotated[list[Rule], BeforeValidator(_none_is_empty)] = Field(default=[])
    placebo: bool = Field(
        default=True,
        description="whether each cell that is trained on original+augmented gets one beside it that is "
        "trained on original+original, the same texts twice: what repeating alone does",
    )
    max_cells: Annotated[int, Field(ge=1, description="More cells than this are an error.")] = 1000

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Rules | None:
        """The rules of a spec of which the rest may be wrong; None when they are."""
        try:
            return Rules.model_validate({name: data[name] for name in Rules.model_fields if name in data})
        except ValidationError:
            return None


class Spec(Rules, Sections):  # in this order the fields of Sections come first
    """A grid spec, as written in configs/grid/*.yaml."""

    name: GridName = Field(description="Name of the grid and of its folder of results.")
    naturalness: bool = Field(
        default=True, description="Whether it is measured how natural variants are: about a second for each."
    )
    claims: Claims = Claims()


def find(name_or_path: str) -> Path:
    """The file of a spec that was given by path or by its bare name in configs/grid/, the user's or ours.

    Raises:
        BadInput: no such file; names what there is.
    """
    for name in (Path(name_or_path), SPECS / name_or_path, SPECS / f"{name_or_path}.yaml"):
        if (path := shipped.located(name)).is_file():
            return path
    there = ", ".join(shipped.names(SPECS)) or "(none)"
    raise BadInput(f"{name_or_path}: no such spec; a path, or one of: {there}")


def check(text: Document, findings: Findings) -> Spec | None:
    """The spec of a document; None when something is wrong, all of which is added to `findings`."""
    spec = None
    try:
        spec = Spec.model_validate(text.data)
    except ValidationError as error:
        findings.add_errors(error, schema(task_of(text.data)))
    asked = _valid("task", text.data)
    for name in ("corpus", "rewrites", "models") if asked is not None else ():
        section = _valid(name, text.data)
        for loc, message in misfits(asked, name, section) if section is not None else ():
            findings.add((name, *loc), message)
    return spec


def _valid(name: str, data: Mapping[str, Any]) -> Any:
    """A section by itself, of a spec of which the rest may be wrong; None when it is."""
    field = Sections.model_fields[name]
    try:
        return section_type(name).validate_python(data[name]) if name in data else field.default
    except ValidationError:
        return None


def task_of(data: Mapping[str, Any]) -> str | None:
    """The kind of task that is written in a spec of which the rest may be wrong; None if there is no such."""
    written = spelled_out(data.get("task", tasks.DEFAULT))
    kind = written.get("kind") if isinstance(written, dict) else None
    return kind if kind in tasks.TASKS.names() else None


def misfits(config: TaskConfig, name: str, section: Any) -> Iterator[tuple[Loc, str]]:
    """What a task can't do with a section, and where in it that stands."""
    task = tasks.lookup(config.kind)
    if name == "corpus" and section.split.by != "given":
        for split in SPLITS:
            if not getattr(section.split, split):
                yield ("split", split), "0 leaves no samples; models are trained, validated and tested"
    if name == "corpus":
        for path, valid in task.CORPUS.items():
            value = attrgetter(path)(section)
            if value not in valid:
                yield tuple(path.split(".")), f"the task {config.kind} needs {_or(valid)}; got {value!r}"
    if name == "models":
        for model, one in section.items():
            if one.kind not in task.MODELS:
                yield (model, "kind"), f"{one.kind!r} can't do {config.kind}; {_or(task.MODELS)} can"
    if name == "rewrites":
        for rewrites, entries in section.items():
            for index, (rewrite, options) in enumerate(entries.rewrites):
                if why := task.refuses(rewrite, options):
                    yield (
                        (rewrites, *entries.place(index)),
                        f"{rewrite} doesn't fit the task {config.kind}: {why}",
                    )


def _or(names: Iterable[str]) -> str:
    return " or ".join(sorted(names))


@cache
def section_type(name: str, task: TaskConfig | None = None) -> TypeAdapter[Any]:
    """What a section must look like: the type of a field of `Sections`; of some of them, a task says it."""
    field = Sections.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    if name == "evaluation":
        assert task is not None
        kind = tasks.lookup(task.kind).Evaluation
    return TypeAdapter(kind)


@cache
def schema(task: str | None = None) -> dict[str, Any]:
    """JSON schema of a spec, for editors (docs/grid.schema.json); for messages with one task's sections."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Spec.model_json_schema()}
    if task is None:
        return whole
    own = tasks.lookup(task).Evaluation.model_json_schema()
    return {
        **whole,
        "properties": {**whole["properties"], "evaluation": own},
        "$defs": {**whole["$defs"], **own.get("$defs", {})},
    }
