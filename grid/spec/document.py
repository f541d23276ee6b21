"""A YAML file as plain data that still knows where each value was written."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from preprocessing.errors import BadInput, Problem

Loc = tuple[str | int, ...]
MAX_NODES = 1_000_000


@dataclass(kw_only=True)
class Document:
    """`data` is plain dicts, lists and scalars; `where` answers with file:line:column."""

    name: str
    text: str
    data: dict[str, object]
    positions: dict[Loc, tuple[int, int]]
    options: dict[Loc, str] = field(default_factory=dict)  # values that came from --set

    def where(self, loc: Loc) -> str:
        """Position of the value at `loc`, or of the nearest thing around it that was written."""
        for length in range(len(loc), -1, -1):
            prefix = loc[:length]
            if prefix in self.options:
                return self.options[prefix]
            if prefix in self.positions:
                line, column = self.positions[prefix]
                return f"{self.name}:{line + 1}:{column + 1}"
        return f"{self.name}:1:1"

    def set(self, assignment: str) -> None:
        """Apply one `a.b.c=value`; the value is read as YAML.

        Raises:
            BadInput: when it isn't an assignment, or goes through something that is not a mapping.
        """
        option = f"--set {assignment}"
        path, equals, value = assignment.partition("=")
        loc = tuple(path.strip().split("."))
        if not equals or not all(loc):
            raise BadInput([Problem(where=option, message="write it as key.key=value")])
        target: object = self.data
        for depth, part in enumerate(loc[:-1]):
            inner = target.setdefault(part, {}) if isinstance(target, dict) else None
            if not isinstance(inner, dict):
                raise BadInput(
                    [Problem(where=option, message=f"'{'.'.join(loc[: depth + 1])}' is not a mapping")]
                )
            target = inner
        assert isinstance(target, dict)
        target[loc[-1]] = yaml_value(value, name=option)
        self.positions = {k: v for k, v in self.positions.items() if k[: len(loc)] != loc}
        self.options[loc] = option


def read(path: Path, sets: Sequence[str] = ()) -> Document:
    """Read a YAML 1.2 file whose top level is a mapping, and apply `sets`.

    Raises:
        BadInput: unreadable, not UTF-8, not YAML, a key twice, not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput([Problem(where=str(path), message=f"can't be read: {error}")]) from None
    return parse(text, name=str(path), sets=sets)


def parse(text: str, *, name: str, sets: Sequence[str] = ()) -> Document:
    """As `read`, from a text."""
    data, positions = _parse(text, name=name)
    if not isinstance(data, dict):
        raise BadInput([Problem(where=f"{name}:1:1", message="must be a mapping (key: value lines)")])
    document = Document(name=name, text=text, data=data, positions=positions)
    for assignment in sets:
        document.set(assignment)
    return document


def yaml_value(text: str, *, name: str) -> object:
    """A value written as YAML on the command line, as plain data; `name` is what an error calls it."""
    return _parse(text, name=name)[0]


def _parse(text: str, *, name: str) -> tuple[object, dict[Loc, tuple[int, int]]]:
    try:
        tree = YAML(typ="rt").load(StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = str(error.problem or error.context or "not YAML").splitlines()[0]
        raise BadInput([Problem(where=where, message=f"not valid YAML: {problem}")]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        first = (str(error).splitlines() or ["nested too deeply"])[0]
        raise BadInput([Problem(where=name, message=f"not valid YAML: {first}")]) from None
    positions: dict[Loc, tuple[int, int]] = {}
    plain = _Plain(name, positions)
    return plain.value(tree, ()), positions


class _Plain:
    def __init__(self, name: str, positions: dict[Loc, tuple[int, int]]) -> None:
        self.name, self.positions, self.nodes = name, positions, 0

    def value(self, node: object, loc: Loc) -> object:
        self.nodes += 1
        if self.nodes > MAX_NODES or len(loc) > 100:
            raise BadInput([Problem(where=self.name, message="too large, nested too deeply, or cyclic")])
        if isinstance(node, CommentedMap):
            return self._mapping(node, loc)
        if isinstance(node, CommentedSeq):
            for index in range(len(node)):
                self.positions[*loc, index] = node.lc.item(index)
            return [self.value(inner, (*loc, index)) for index, inner in enumerate(node)]
        return _scalar(node)

    def _mapping(self, node: CommentedMap, loc: Loc) -> dict[str, object]:
        plain: dict[str, object] = {}
        for key, inner in node.items():
            name = key if isinstance(key, str) else str(key)
            self.positions[*loc, name] = node.lc.key(key) if key in (node.lc.data or {}) else (0, 0)
            plain[name] = self.value(inner, (*loc, name))
        return plain


def _scalar(node: object) -> object:
    if isinstance(node, ScalarBoolean):  # a bool with an anchor; no subclass of bool
        return bool(node)
    for plain in (bool, int, float, str):  # ruamel's ScalarInt and its like are subclasses
        if isinstance(node, plain):
            return plain(node)
    if isinstance(node, datetime.date):
        return node.isoformat()
    return None if node is None else str(node)
