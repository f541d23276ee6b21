"""Collects what is wrong with a document, and turns pydantic's errors into lines that help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from grid.spec.document import Document, Loc
from preprocessing.errors import BadInput, Problem, suggest

Model = TypeVar("Model", bound=BaseModel)


class Findings:
    """Problems of one document, in the order in which they stand in it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[tuple[Loc, str]] = []

    def add(self, loc: Loc, message: str) -> None:
        """Note that what stands at `loc` is wrong."""
        if (loc, message) not in self.found:
            self.found.append((loc, message))

    def add_errors(self, error: ValidationError, schema: Mapping[str, Any], below: Loc = ()) -> None:
        """Note what is wrong with what stands at `below`, each at its place."""
        for loc, message in explained(error, schema, below, self.document.data):
            self.add(loc, message)

    def problems(self) -> list[Problem]:
        """One for each finding, sorted by position."""
        where = [(self.document.where(loc), loc, message) for loc, message in self.found]
        where.sort(key=lambda item: [int(n) for n in item[0].split(":")[-2:] if n.isdecimal()])
        return [Problem(where=w, path=dotted(loc), message=message) for w, loc, message in where]

    def raise_if_any(self) -> None:
        """Raises: BadInput with all problems."""
        if self.found:
            raise BadInput(self.problems())


def validated(model: type[Model], document: Document) -> Model:
    """A document as a config.

    Raises:
        BadInput: every problem, with its place.
    """
    findings = Findings(document)
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        findings.add_errors(error, model.model_json_schema())
        raise BadInput(findings.problems()) from None


def dotted(loc: Loc) -> str:
    """("axes", "seed", 1) → "axes.seed[1]"."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def explained(
    error: ValidationError, schema: Mapping[str, Any], below: Loc = (), data: object = None
) -> Iterator[tuple[Loc, str]]:
    """Place and message of each error of what stands at `below`; `data` is what was written, if at all."""
    for item in error.errors(include_url=False):
        loc = (*below, *item["loc"])
        yield _written(data, loc), _message(item, schema, loc)


def _message(item: Any, schema: Mapping[str, Any], loc: Loc) -> str:
    kind, value, context = item["type"], item.get("input"), item.get("ctx", {})
    if kind == "extra_forbidden":
        return f"no such key{suggest(loc[-1], fields_at(schema, loc[:-1]))}"
    if kind == "missing":
        return "is missing"
    if kind == "union_tag_not_found":
        return f"needs a 'kind'{suggest('', fields_at(schema, loc, kinds=True))}"
    if kind == "union_tag_invalid":
        tags = context["expected_tags"].replace("'", "").split(", ")
        return f"no kind '{context['tag']}'{suggest(context['tag'], tags)}"
    message = str(item["msg"]).removeprefix("Value error, ").replace("valid tuple", "valid list")
    message = message[0].lower() + message[1:]
    shown = repr(value)
    if kind == "value_error" and (shown in message or isinstance(value, dict | list | tuple)):
        return message  # says what of it is wrong
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return f"{message}; got {shown}"


def _written(data: object, loc: Loc) -> Loc:
    """`loc` without the tags that pydantic puts in for unions."""
    real: list[str | int] = []
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if isinstance(data, dict):
            if part not in data and not last:
                continue
            if part not in data and data.get("kind") == part:
                continue
            real.append(part)
            data = data.get(str(part))
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            real.append(part)
            data = data[part]
        elif data is None and not (isinstance(part, str) and "[" in part):
            real.append(part)
    return tuple(real)


def fields_at(schema: Mapping[str, Any], loc: Loc, *, kinds: bool = False) -> list[str]:
    """Names of the fields (or the kinds) that the JSON schema allows at `loc`."""
    nodes = [schema]
    for part in loc:
        nodes = [child for node in nodes for child in _children(schema, node, part)]
    flat = [leaf for node in nodes for leaf in _leaves(schema, node) if "properties" in leaf]
    if kinds:
        return sorted(
            {str(leaf["properties"]["kind"].get("const")) for leaf in flat if "kind" in leaf["properties"]}
        )
    return sorted({name for leaf in flat for name in leaf["properties"]})


def _leaves(schema: Mapping[str, Any], node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "$ref" in node:
        return _leaves(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    options = [*node.get("oneOf", ()), *node.get("anyOf", ()), *node.get("allOf", ())]
    return [leaf for option in options for leaf in _leaves(schema, option)] if options else [node]


def _children(schema: Mapping[str, Any], node: Mapping[str, Any], part: str | int) -> list[Mapping[str, Any]]:
    leaves = _leaves(schema, node)
    tagged = [leaf for leaf in leaves if leaf.get("properties", {}).get("kind", {}).get("const") == part]
    if tagged:
        return tagged
    children = []
    for leaf in leaves:
        child = leaf.get("items") if isinstance(part, int) else leaf.get("properties", {}).get(part)
        if child is None:  # named freely: {name: …}
            child = next(iter(leaf.get("patternProperties", {}).values()), leaf.get("additionalProperties"))
        if isinstance(child, Mapping):
            children.append(child)
    return children
