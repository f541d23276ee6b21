"""What a task says of its results, as it stands in run.json: the unit, the sums, the metrics, the scopes.

    {"unit": {"singular": "token", …}, "metrics": [{"name": "entropy", "form": {"kind": "ratio", …}, …}], …}

The task writes it, and whoever reads the tables needs nothing else to know what they hold.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from analysis.statistics.metrics import Metric


class BadDescription(ValueError):  # noqa: N818 - it names what is wrong, not that something is
    """A description that lacks something or contradicts itself; the message names the place in it."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What is scored, in words, and the column that says of how many of them a row is the sum."""

    singular: str
    plural: str
    count: str


@dataclass(frozen=True, kw_only=True)
class SumColumn:
    """A column of sums over units; `optional`: a cell lacks it as a whole if nothing asked for it."""

    name: str
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Some of the units; `label` names them in the plural.

    `rewritten` is the scope of a rewritten text that holds the same units as this one of the original text; a
    scope without it can't be compared. `by_variant`: which units of an original text belong to it depends on
    the variant that it is compared with. Scopes with the same `along` are places on one axis of that name,
    in their order; `at` is the place. `also`: metrics besides those that lead, which say more of it.
    """

    name: str
    label: str
    rewritten: str | None = None
    by_variant: bool = False
    along: str = ""
    at: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TokenCodes:
    """What the codes in tables of tokens stand for: the kinds and the changes, by code."""

    kinds: tuple[str, ...]
    changes: tuple[str, ...]

    def change(self, name: str) -> int:
        """The code of a change; −1, which no token has, for one that the task doesn't know."""
        return self.changes.index(name) if name in self.changes else -1


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a task says of its results.

    `leads`: the metrics that a report begins with; its summary is about the first of them. `validation`: what
    learning curves measure. `pairing`: how the units of two sides correspond, in words for the methods of a
    paper. `tokens`: None for a task that writes no tables of tokens.
    """

    name: str
    version: int
    unit: Unit
    sums: tuple[SumColumn, ...]
    metrics: tuple[Metric, ...]
    scopes: tuple[Scope, ...]
    leads: tuple[str, ...]
    validation: str
    pairing: str
    tokens: TokenCodes | None = None

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise BadDescription(problem)

    @cached_property
    def by_name(self) -> dict[str, Metric]:
        """The metrics by name, those that lead first."""
        metrics = {metric.name: metric for metric in self.metrics}
        return {name: metrics[name] for name in dict.fromkeys([*self.leads, *metrics])}

    @cached_property
    def comparable(self) -> dict[str, str]:
        """The scopes that can be compared, each with the one that holds the same units of a rewritten
        text."""
        return {scope.name: scope.rewritten for scope in self.scopes if scope.rewritten is not None}

    def scope(self, name: str) -> Scope:
        """The scope of this name."""
        return next(known for known in self.scopes if known.name == name)

    def label_of(self, scope: str) -> str:
        """A scope in words."""
        return self.scope(scope).label

    def plain(self) -> dict[str, Any]:
        """As it is written into run.json."""
        return asdict(self)

    @staticmethod
    def from_plain(plain: Any) -> "Description":
        """Raises `BadDescription` with every place where something is missing or of another type."""
        from pydantic import TypeAdapter, ValidationError

        try:
            return TypeAdapter(Description).validate_json(json.dumps(plain), strict=True)
        except ValidationError as error:
            raise BadDescription("; ".join(_told(error.errors()))) from None


def _told(errors: Sequence[Any]) -> Iterator[str]:
    """Each error with its place; of a metric's form those of its own kind alone."""
    other = {error["loc"][:4] for error in errors if error["loc"][-1:] == ("kind",)}
    own = [error for error in errors if error["loc"][:4] not in other]
    for error in own or [error for error in errors if error["loc"][-1:] == ("kind",)]:
        yield f"{'.'.join(map(str, error['loc']))}: {error['msg']}".removeprefix(": ")


def _problem(told: Description) -> str:
    """What doesn't fit together; "" if all does."""
    sums = [told.unit.count, *(one.name for one in told.sums)]
    metrics, scopes = [metric.name for metric in told.metrics], [scope.name for scope in told.scopes]
    for what, names in (("sums", sums), ("metrics", metrics), ("scopes", scopes)):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            return f"{what}: {twice} stands there twice"
    for metric in told.metrics:
        if not re.fullmatch(r"\w+", metric.name, re.ASCII):  # files are called after it
            return f"metrics: {metric.name!r} has more than letters, digits and underscores"
    made_of = [name for metric in told.metrics for name in (*metric.sums, metric.by) if name is not None]
    rewritten = [scope.rewritten for scope in told.scopes if scope.rewritten is not None]
    for what, wanted, there in (
        ("metrics: no sum", made_of, sums),
        ("scopes: no scope", rewritten, scopes),
        ("leads: no metric", told.leads, metrics),
        ("scopes: no metric", [name for scope in told.scopes for name in scope.also], metrics),
    ):
        absent = _absent(wanted, there)
        if absent:
            return f"{what} {absent!r}; there are {', '.join(there)}"
    return "" if told.leads else "leads: no metric"


def _absent(wanted: Sequence[str], there: Sequence[str]) -> str:
    return next((name for name in wanted if name not in there), "")
