"""A grid spec: what is computed, from YAML to a frozen object, every mistake reported at once."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

import models.kinds
import preprocessing.tokenizers
from grid.errors import BadInput
from grid.spec.by_kind import ByKind
from grid.spec.document import Document, Loc
from grid.spec.findings import Findings, from_pydantic
from grid.spec.rewrite_sets import RewriteSet, check_set
from models.config import EvaluationConfig, TrainingConfig
from preprocessing import shipped
from preprocessing.corpus.building import CorpusConfig
from preprocessing.lexer.tokens import TokensConfig
from preprocessing.size import SizeRule

SPECS = Path("configs/grid")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$")]
Rule = dict[str, Any]


def _none_is_empty(value: object) -> object:
    return [] if value is None else value


class Override(BaseModel):
    """Fields of the spec that are different in the cells which match `when`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    when: Rule = Field(description="Axis: value (or a list of values); a cell must match all of them.")
    set: Annotated[Rule, Field(min_length=1, description="Dotted path of a field: its value there.")]


class Spec(BaseModel):
    """A grid spec, as written in configs/grid/*.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Name = Field(description="Name of the grid and of its folder of results.")
    task: Literal["completion"] = "completion"
    corpus: CorpusConfig
    rewrites: Annotated[dict[Name, RewriteSet], Field(min_length=1, description="Named sets of rewrites.")]
    size: SizeRule = SizeRule()
    tokens: TokensConfig = TokensConfig()
    tokenizer: Annotated[BaseModel, ByKind(preprocessing.tokenizers)]
    models: Annotated[dict[Name, Annotated[BaseModel, ByKind(models.kinds)]], Field(min_length=1)]
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    axes: Annotated[dict[str, list[Any]], Field(description="The grid is the product of these.")]
    zip: Annotated[list[list[str]], BeforeValidator(_none_is_empty)] = []
    exclude: Annotated[list[Rule], BeforeValidator(_none_is_empty)] = []
    override: Annotated[list[Override], BeforeValidator(_none_is_empty)] = []
    add: Annotated[list[Rule], BeforeValidator(_none_is_empty)] = []
    max_cells: Annotated[int, Field(ge=1, description="More cells than this are an error.")] = 1000

    def resolved(self) -> dict[str, Any]:
        """Plain data with every default filled in."""
        plain = self.model_dump(mode="json")
        plain["rewrites"] = {name: check_set(entries) for name, entries in self.rewrites.items()}
        return plain


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


def inspect(text: Document, findings: Findings) -> Spec | None:
    """The spec of a document; None when its shape is wrong. Problems that can be found without expanding it
    are added to `findings`.
    """
    spec = None
    try:
        spec = Spec.model_validate(text.data)
    except ValidationError as error:
        from_pydantic(findings, error, schema())
    if text.data.get("name") == "store":
        findings.add(("name",), "'store' is where finished steps are; choose another name")
    rewrites = text.data.get("rewrites")
    for name, entries in rewrites.items() if isinstance(rewrites, dict) else ():
        loc: Loc = ("rewrites", name)
        if name == "none":
            findings.add(loc, "'none' is the name of the baseline, which is added by itself")
        try:
            check_set(entries if isinstance(entries, list) else [])
        except ValueError as error:
            findings.add(loc, str(error))
        if entries == []:
            findings.add(loc, "an empty set; the baseline is added by itself")
    return spec


def expandable(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `cells.expand` reads, from plain data of which other sections may be wrong.

    None when there are no axes, sets or models that the rest could be checked against.
    """
    plain: dict[str, Any] = {}
    for section in ("axes", "zip", "exclude", "override", "add", "max_cells"):
        field = Spec.model_fields[section]
        if section not in data and not field.is_required():
            plain[section] = field.default
            continue
        try:
            adapter = _section_type(section)
            plain[section] = adapter.dump_python(adapter.validate_python(data[section]))
        except (ValidationError, KeyError):
            return None
    for section in ("rewrites", "models"):
        named = data.get(section)
        if not isinstance(named, dict) or not named:
            return None
        plain[section] = list(named)
    return plain


@cache
def schema() -> dict[str, Any]:
    """JSON schema of a spec, for editors: docs/grid.schema.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Spec.model_json_schema()}


@cache
def _section_type(section: str) -> TypeAdapter[Any]:
    info = Spec.model_fields[section]
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(kind)


def resolve_section(raw: Mapping[str, Any], section: str, patch: Sequence[tuple[str, object]]) -> Any:
    """One section of the spec as plain data, with the dotted `patch` applied and defaults filled in.

    Raises:
        ValidationError: the patched section is wrong; locations start below `section`.
        ValueError: a path leads through something that has no such key.
    """
    holder = {section: copy.deepcopy(raw.get(section, {}))}
    for path, value in patch:
        put(holder, path, copy.deepcopy(value))
    adapter = _section_type(section)
    valid = adapter.validate_python(holder[section])
    if section == "rewrites":
        return {name: check_set(entries) for name, entries in valid.items()}
    return adapter.dump_python(valid, mode="json")


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
