"""A grid spec: what is computed, from YAML to a frozen object, every mistake reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

import models.kinds
import preprocessing.tokenizers
from grid.errors import BadInput
from grid.spec.by_kind import ByKind
from grid.spec.document import Document
from grid.spec.findings import Findings, from_pydantic
from grid.spec.rewrite_sets import RewriteSet
from models.config import EvaluationConfig, ModelConfig, TrainingConfig
from preprocessing.corpus.building import CorpusConfig
from preprocessing.frozen import Frozen
from preprocessing.lexer.tokens import TokensConfig
from preprocessing.size import SizeRule
from preprocessing.tokenizers import TokenizerConfig

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


class Override(Frozen):
    """Fields of the spec that are different in the cells which match `when`."""

    when: Rule = Field(description="Axis: value (or a list of values); a cell must match all of them.")
    set: Annotated[Rule, Field(min_length=1, description="Dotted path of a field: its value there.")]


class Sections(Frozen):
    """What a grid is computed from. Axes and overrides may give their fields other values in some cells."""

    task: Literal["completion"] = "completion"
    corpus: CorpusConfig
    rewrites: Annotated[dict[SetName, RewriteSet], Field(min_length=1, description="Named sets of rewrites.")]
    size: SizeRule = SizeRule()
    tokens: TokensConfig = TokensConfig()
    tokenizer: Annotated[TokenizerConfig, ByKind(preprocessing.tokenizers)]
    models: Annotated[dict[Name, Annotated[ModelConfig, ByKind(models.kinds)]], Field(min_length=1)]
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


class Rules(Frozen):
    """Which cells a grid has."""

    axes: Annotated[dict[str, list[Any]], Field(description="The grid is the product of these.")]
    zip: Annotated[list[list[str]], BeforeValidator(_none_is_empty)] = Field(default=[])
    exclude: Annotated[list[Rule], BeforeValidator(_none_is_empty)] = Field(default=[])
    override: Annotated[list[Override], BeforeValidator(_none_is_empty)] = Field(default=[])
    add: Annotated[list[Rule], BeforeValidator(_none_is_empty)] = Field(default=[])
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


def find(name_or_path: str) -> Path:
    """The file of a spec that was given by path or by its bare name in configs/grid/, the user's or ours.

    Raises:
        BadInput: no such file; names what there is.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    folders = [Path.cwd() / SPECS, Path(__file__).parents[2] / SPECS]
    for folder in folders:
        for candidate in (folder / name_or_path, folder / f"{name_or_path}.yaml"):
            if candidate.is_file():
                return candidate
    names = sorted({file.stem for folder in folders for file in folder.glob("*.yaml")})
    raise BadInput(f"{name_or_path}: no such spec; a path, or one of: {', '.join(names) or '(none)'}")


def check(text: Document, findings: Findings) -> Spec | None:
    """The spec of a document; None when something is wrong, all of which is added to `findings`."""
    try:
        return Spec.model_validate(text.data)
    except ValidationError as error:
        from_pydantic(findings, error, schema())
        return None


@cache
def section_type(name: str) -> TypeAdapter[Any]:
    """What a section must look like: the type of a field of `Sections`."""
    field = Sections.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(kind)


@cache
def schema() -> dict[str, Any]:
    """JSON schema of a spec, for editors: docs/grid.schema.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Spec.model_json_schema()}
