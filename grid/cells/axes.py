"""Axes of a grid: their values in one canonical form, so that 1, 1.0 and {rate: 1} are one value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from grid.errors import suggest
from grid.keys import canonical
from grid.spec.document import Loc

CORE = ("rewrites", "intensity", "train_on", "model", "seed")
TRAIN_ON = ("original", "augmented", "original+augmented")
SECTIONS = ("corpus", "rewrites", "size", "tokens", "tokenizer", "models", "training", "evaluation")


class Collector(Protocol):
    """Where problems go; see `findings.Findings`."""

    def add(self, loc: Loc, message: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an axis: `plain` is JSON data, `text` is what tables show, `json` names it."""

    plain: Any = field(compare=False)
    text: str = field(compare=False)
    json: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A named axis and its values, in the order in which they are written."""

    name: str
    values: tuple[Value, ...]


NO_REWRITES = Value("none", "none", canonical("none"))
NO_INTENSITY = Value({"rate": 0.0}, "0", canonical({"rate": 0.0}))
ORIGINAL = Value("original", "original", canonical("original"))


def is_field(name: str) -> bool:
    """Whether an axis can be a field of the spec: its dotted path starts with a section."""
    first, dot, _ = name.partition(".")
    return first in SECTIONS and (bool(dot) or first != "rewrites")


def normalise(name: str, raw: object, sets: Iterable[str], models: Iterable[str]) -> Value:
    """The canonical value of axis `name`.

    Raises:
        ValueError: not a value of this axis; lists the valid ones.
    """
    if name == "intensity":
        return _intensity(raw)
    if name == "seed":
        if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw < 2**63:
            raise ValueError(f"a seed is a whole number from 0; got {raw!r}")
        return Value(raw, str(raw), canonical(raw))
    if name in CORE:
        valid = {"rewrites": sets, "model": models, "train_on": TRAIN_ON}[name]
        names = list(valid)
        if raw not in names:
            raise ValueError(f"no {name} {raw!r}{suggest(raw, names)}")
        return Value(raw, str(raw), canonical(raw))
    return Value(raw, raw if isinstance(raw, str) else canonical(raw), canonical(raw))


def _intensity(raw: object) -> Value:
    unit, amount = "rate", raw
    if isinstance(raw, dict) and len(raw) == 1:
        unit, amount = next(iter(raw.items()))
    elif isinstance(raw, str) and raw.startswith("count "):
        unit, amount = "count", int(raw[6:]) if raw[6:].isdecimal() else raw
    number = isinstance(amount, int | float) and not isinstance(amount, bool)
    if unit == "rate" and number and 0 < float(amount) <= 1:  # type: ignore[arg-type]
        rate = float(amount)  # type: ignore[arg-type]
        return Value({"rate": rate}, f"{rate:g}", canonical({"rate": rate}))
    if unit == "count" and number and amount == int(amount) and amount >= 1:  # type: ignore[call-overload,operator]
        count = int(amount)  # type: ignore[call-overload]
        return Value({"count": count}, f"count {count}", canonical({"count": count}))
    raise ValueError(f"an intensity is a rate (0 < rate <= 1) or {{count: n}} with n >= 1; got {raw!r}")


def read_axes(
    raw: dict[str, list[Any]], sets: Sequence[str], models: Sequence[str], findings: Collector
) -> list[Axis]:
    """The axes of a spec. Core axes that aren't written get one value each, or all names there are."""
    defaults: dict[str, list[Any]] = {
        "rewrites": list(sets),
        "intensity": [1.0],
        "train_on": ["original"],
        "model": list(models),
        "seed": [1],
    }
    axes = []
    for name, written in {**raw, **{k: v for k, v in defaults.items() if k not in raw}}.items():
        if name not in CORE and not is_field(name):
            known = [*CORE, *(f"{section}.…" for section in SECTIONS)]
            findings.add(("axes", name), f"no such axis{suggest(name, known)}")
            continue
        values: dict[str, Value] = {}
        for index, item in enumerate(written):
            loc: Loc = ("axes", name, index)
            try:
                value = normalise(name, item, sets, models)
            except ValueError as error:
                findings.add(loc, str(error))
                continue
            if value.json in values:
                findings.add(loc, f"{value.text} stands here twice")
            values[value.json] = value
        if not written:
            findings.add(("axes", name), "an axis needs at least one value")
        axes.append(Axis(name, tuple(values.values())))
    return axes
