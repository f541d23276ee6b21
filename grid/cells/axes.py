"""Axes of a grid: their values in one canonical form, so that 1, 1.0 and {rate: 1} are one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

from grid.keys import canonical
from grid.spec.document import Loc
from grid.spec.schema import Sections
from preprocessing.errors import suggest

TrainOn = Literal["original", "augmented", "original+augmented", "original+original"]
"""The last is the placebo of the one before it."""

CORE = ("rewrites", "intensity", "train_on", "model", "seed")
"""Axes of every grid."""
NAMED = (*CORE, "rewriting_seed", "test_on")
"""Axes that are no fields of the spec; those beyond CORE are there where they are written."""
SECTIONS = tuple(Sections.model_fields)


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
class Names:
    """What a spec names, and its axes `rewrites` and `model` choose from."""

    rewrites: tuple[str, ...]
    models: tuple[str, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Names | None:
        """The names in a spec of which the rest may be wrong; None when there are none of a kind."""
        rewrites, models = data.get("rewrites"), data.get("models")
        if not isinstance(rewrites, dict) or not isinstance(models, dict) or not rewrites or not models:
            return None
        return Names(tuple(rewrites), tuple(models))


@dataclass(frozen=True, slots=True)
class Axis:
    """A named axis and its values, in the order in which they are written."""

    name: str
    values: tuple[Value, ...]


TEST_FIELDS = {"set": "rewrites", "intensity": "intensity", "rewriting_seed": "rewriting_seed"}
"""What `test_on` may name of a test set, and the axis that it is a value of."""
NO_REWRITES = Value("none", "none", canonical("none"))
NO_INTENSITY = Value({"rate": 0.0}, "0", canonical({"rate": 0.0}))
ORIGINAL = Value("original", "original", canonical("original"))
MIX = Value("original+augmented", "original+augmented", canonical("original+augmented"))
PLACEBO = Value("original+original", "original+original", canonical("original+original"))
NO_DRAW = Value(None, "none", canonical(None))
SAME = Value("same", "same", canonical("same"))
TEST_ON = "{set: …, intensity: …, rewriting_seed: …}"


def is_field(name: str) -> bool:
    """Whether an axis can be a field of the spec: it starts with a section. A grid has one task."""
    first, dot, _ = name.partition(".")
    return first in SECTIONS and (bool(dot) or first not in ("rewrites", "task")) and name != "task.kind"


def normalise(name: str, raw: object, names: Names) -> Value:
    """The canonical value of axis `name`.

    Raises:
        ValueError: not a value of this axis; lists the valid ones.
    """
    if name == "intensity":
        return _intensity(raw)
    if name in ("seed", "rewriting_seed"):
        if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw < 2**63:
            raise ValueError(f"a seed is a whole number from 0; got {raw!r}")
        return Value(raw, str(raw), canonical(raw))
    if name == "test_on":
        return _tested(raw, names)
    if name in CORE:
        valid = {"rewrites": names.rewrites, "model": names.models, "train_on": get_args(TrainOn)}[name]
        if raw not in valid:
            raise ValueError(f"no {name} {raw!r}{suggest(raw, valid)}")
        return Value(raw, str(raw), canonical(raw))
    return Value(raw, raw if isinstance(raw, str) else canonical(raw), canonical(raw))


def _tested(raw: object, names: Names) -> Value:
    if raw == "same":
        return SAME
    if raw == "original":
        return ORIGINAL
    unknown = [name for name in raw if name not in TEST_FIELDS] if isinstance(raw, dict) else []
    if not isinstance(raw, dict) or not raw or unknown:
        hint = suggest(unknown[0], TEST_FIELDS) if unknown else ""
        raise ValueError(f"test_on is same, original, or some of {TEST_ON}{hint}; got {raw!r}")
    if raw.get("set", names.rewrites[0]) not in names.rewrites:
        raise ValueError(f"test_on: no set {raw['set']!r}{suggest(raw['set'], names.rewrites)}")
    return test_on(
        {axis: normalise(axis, raw[name], names) for name, axis in TEST_FIELDS.items() if name in raw}
    )


def own_variant(cell: Mapping[str, Value]) -> dict[str, Value]:
    """Set, intensity and draw of a cell's own variant, from its values by axis."""
    return {axis: cell.get(axis, cell["seed"]) for axis in TEST_FIELDS.values()}


def tested_variant(cell: Mapping[str, Value]) -> dict[str, Value] | None:
    """Set, intensity and draw of what a cell is tested on; None where that is the original alone."""
    test = cell.get("test_on", SAME)
    if test == ORIGINAL:
        return None
    own, other = own_variant(cell), test.plain if isinstance(test.plain, dict) else {}
    names = Names((other.get("set", ""),), ())
    return own | {
        axis: normalise(axis, other[name], names) for name, axis in TEST_FIELDS.items() if name in other
    }


def test_on(parts: Mapping[str, Value]) -> Value:
    """The value of the axis `test_on` for a test set that differs from the cell's own in these axes."""
    if not parts:
        return SAME
    plain = {name: parts[axis].plain for name, axis in TEST_FIELDS.items() if axis in parts}
    words = [parts["rewrites"].text] if "rewrites" in parts else []
    if "intensity" in parts:
        words += [parts["intensity"].text] if words else [f"intensity {parts['intensity'].text}"]
    words += [f"draw {parts['rewriting_seed'].text}"] if "rewriting_seed" in parts else []
    return Value(plain, " ".join(words), canonical(plain))


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


def read_axes(raw: Mapping[str, list[Any]], names: Names, findings: Collector) -> list[Axis]:
    """The axes of a spec. Core axes that aren't written get one value each, or all names there are."""
    defaults: dict[str, list[Any]] = {
        "rewrites": list(names.rewrites),
        "intensity": [1.0],
        "train_on": ["original"],
        "model": list(names.models),
        "seed": [1],
    }
    axes = []
    for name, written in {**raw, **{k: v for k, v in defaults.items() if k not in raw}}.items():
        if name not in NAMED and not is_field(name):
            known = [*NAMED, *(f"{section}.…" for section in SECTIONS)]
            findings.add(("axes", name), f"no such axis{suggest(name, known)}")
            continue
        values: dict[str, Value] = {}
        for index, item in enumerate(written):
            loc: Loc = ("axes", name, index)
            try:
                value = normalise(name, item, names)
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
