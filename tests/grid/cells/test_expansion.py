"""Expansion against an oracle that does the same with plain dicts, one rule after the other."""

import itertools
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grid.cells.axes import Names
from grid.cells.expansion import Cells, expand
from grid.spec.schema import Rules

SETS, MODELS = ["rename", "parens", "dead"], ["small", "gpt"]
VALUES: dict[str, list[Any]] = {
    "rewrites": SETS,
    "intensity": [0.25, 0.5, 1.0, {"count": 1}, {"count": 5}],
    "train_on": ["original", "augmented", "original+augmented"],
    "model": MODELS,
    "seed": [1, 2, 3],
    "training.learning_rate": [0.1, 0.01],
    "rewriting_seed": [1, 7],
}
OPTIONAL = ("training.learning_rate", "rewriting_seed")
NAMES = Names(tuple(SETS), tuple(MODELS))


class Notes:
    def __init__(self) -> None:
        self.found: list[tuple[Any, str]] = []

    def add(self, loc: Any, message: str) -> None:
        self.found.append((loc, message))


def grid(**parts: Any) -> tuple[Cells, list[tuple[Any, str]]]:
    notes = Notes()
    rules = Rules.model_validate({"placebo": False, **parts})
    return expand(rules, NAMES, notes), notes.found


def rows(cells: Cells) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    asked = [cell for cell in cells.cells if not cell.baseline]
    return [
        ({n: v.plain for n, v in zip(cells.axes, cell.values, strict=True)}, dict(cell.patch))
        for cell in asked
    ]


def canonical(name: str, value: Any) -> Any:
    return {"rate": float(value)} if name == "intensity" and isinstance(value, float | int) else value


def oracle(spec: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The cells of a spec that has no mistakes (zip: at most one pair)."""
    axes = {n: [canonical(n, v) for v in values] for n, values in spec["axes"].items()}
    names = list(axes)
    cells = [dict(zip(names, values, strict=True)) for values in itertools.product(*axes.values())]
    for first, second in spec["zip"]:
        cells = [c for c in cells if axes[first].index(c[first]) == axes[second].index(c[second])]

    def matches(cell: dict[str, Any], rule: dict[str, Any]) -> bool:
        return all(
            cell[n]
            in ([canonical(n, v) for v in wanted] if isinstance(wanted, list) else [canonical(n, wanted)])
            for n, wanted in rule.items()
        )

    cells = [c for c in cells if not any(matches(c, rule) for rule in spec["exclude"])]
    result = []
    for cell in cells:
        patch: dict[str, Any] = {}
        for rule in spec["override"]:
            if matches(cell, rule["when"]):
                patch.update(rule["set"])
        result.append((cell, patch))
    return result + [({n: canonical(n, rule[n]) for n in names}, {}) for rule in spec["add"]]


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    axes: dict[str, list[Any]] = {}
    for name, values in VALUES.items():
        if name not in OPTIONAL or draw(st.booleans()):
            axes[name] = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique_by=json.dumps))
    axes = dict(draw(st.permutations(list(axes.items()))))
    names = list(axes)
    pairs = [[a, b] for a, b in itertools.combinations(names, 2) if len(axes[a]) == len(axes[b])]
    tied = draw(st.booleans())
    zipped = [draw(st.sampled_from(pairs))] if pairs and tied else []

    def rule() -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
        return {
            n: draw(st.one_of(st.sampled_from(axes[n]), st.lists(st.sampled_from(axes[n]), min_size=1)))
            for n in chosen
        }

    spec = {"axes": axes, "zip": zipped, "exclude": [rule() for _ in range(draw(st.integers(0, 2)))]}
    paths = st.sampled_from(["training.max_steps", "models.gpt.layers", "size.throw_out.max_tokens"])
    spec["override"] = [
        {"when": rule(), "set": {draw(paths): draw(st.integers(1, 9))}}
        for _ in range(draw(st.integers(0, 3)))
    ]
    added = {n: draw(st.sampled_from(VALUES[n])) for n in names}
    spec["add"] = [added] if draw(st.booleans()) else []
    return spec


@settings(max_examples=60, deadline=None)
@given(specs())
def test_like_the_oracle(spec: dict[str, Any]) -> None:
    cells, problems = grid(**spec)
    expected = oracle(spec)
    assert rows(cells) == expected or problems
    product = [cell for cell, _ in oracle({**spec, "exclude": [], "override": [], "add": []})]
    left = [cell for cell, _ in expected[: len(expected) - len(spec["add"])]]
    twice = bool(spec["add"]) and any(p == {} and c == expected[-1][0] for c, p in expected[:-1])

    def useless(rule: dict[str, Any], among: list[dict[str, Any]]) -> bool:
        return not oracle_matches(rule, among)

    wrong = (
        twice
        or not expected
        or any(useless(rule, product) for rule in spec["exclude"])
        or any(useless(rule["when"], left) for rule in spec["override"])
    )
    assert bool(problems) == wrong, problems


def oracle_matches(rule: dict[str, Any], cells: list[dict[str, Any]]) -> bool:
    return any(
        all(
            cell[n] in ([canonical(n, v) for v in w] if isinstance(w, list) else [canonical(n, w)])
            for n, w in rule.items()
        )
        for cell in cells
    )


@settings(max_examples=60, deadline=None)
@given(specs())
def test_every_cell_has_its_baseline(spec: dict[str, Any]) -> None:
    cells, _ = grid(**spec)
    by_id = {cell.id: cell for cell in cells.cells}
    assert len(by_id) == len(cells.cells) or grid(**spec)[1]
    changed = {"rewrites", "intensity", "train_on", "rewriting_seed"}
    for cell in cells.cells:
        baseline = by_id[cell.baseline_id]
        assert baseline.baseline
        same = [n for n, a, b in zip(cells.axes, cell.values, baseline.values, strict=True) if a == b]
        assert set(cells.axes) - set(same) <= changed
        assert baseline.patch == cell.patch


AXES: dict[str, list[Any]] = {
    "rewrites": ["rename"],
    "intensity": [0.5],
    "train_on": ["original"],
    "model": ["small"],
    "seed": [1, 2],
}


def messages(**parts: Any) -> list[str]:
    return [message for _, message in grid(**{"axes": AXES, **parts})[1]]


def test_mistakes_have_names() -> None:
    assert messages(exclude=[{"seed": 3}]) == ["the axis has no value 3; valid: 1, 2"]
    assert "did you mean 'seed'?" in messages(exclude=[{"sede": 1}])[0]
    assert messages(exclude=[{"seed": 1}, {"seed": [1, 2], "model": "small"}]) == ["no cell is left"]
    assert messages(override=[{"when": {"model": "gpt"}, "set": {"training.max_steps": 3}}]) == [
        "the axis has no value gpt; valid: small"
    ]
    assert messages(zip=[["seed", "model"]]) == [
        "zipped axes need equally many values: seed has 2, model has 1"
    ]
    assert messages(max_cells=1) == ["the product of the axes has 2 cells, max_cells allows 1"]
    assert "twice" in messages(add=[{n: values[0] for n, values in AXES.items()}])[0]
    assert messages(add=[{"seed": 1}]) == [
        "a whole cell names every axis; missing: rewrites, intensity, train_on, model"
    ]
    assert "stands here twice" in messages(axes={**AXES, "intensity": [0.5, {"rate": 0.5}]})[0]
    assert "a rate" in messages(axes={**AXES, "intensity": [5]})[0]
    assert "is an axis" in messages(override=[{"when": {}, "set": {"seed": 3}}])[0]


def asked(**parts: Any) -> list[str]:
    cells, problems = grid(**parts)
    assert not problems
    return [" / ".join(value.text for value in cell.values) for cell in cells.cells if not cell.baseline]


TESTED: dict[str, list[Any]] = {
    "rewrites": ["rename", "parens"],
    "intensity": [0.5],
    "train_on": ["original", "augmented"],
    "test_on": ["original", "same", {"set": "parens", "intensity": 1}],
    "model": ["small"],
    "seed": [1],
}


def test_what_is_trained_on_the_original_is_named_by_its_test_set_and_merged() -> None:
    assert asked(axes=TESTED) == [
        "rename / 0.5 / original / same / small / 1",
        "parens / 1 / original / same / small / 1",  # from both sets
        "rename / 0.5 / augmented / original / small / 1",
        "rename / 0.5 / augmented / same / small / 1",
        "rename / 0.5 / augmented / parens 1 / small / 1",
        "parens / 0.5 / original / same / small / 1",
        "parens / 0.5 / augmented / original / small / 1",
        "parens / 0.5 / augmented / same / small / 1",
        "parens / 0.5 / augmented / intensity 1 / small / 1",  # of its own set
    ]
    assert not grid(axes=TESTED, max_cells=9)[1]
    assert "more than 8" in grid(axes=TESTED, max_cells=8)[1][0][1]


def test_a_test_set_with_the_cells_own_values_is_its_own() -> None:
    axes = {**TESTED, "rewrites": ["parens"], "train_on": ["augmented"]}
    same = [{"set": "parens"}, {"intensity": 0.5}, {"rewriting_seed": 1}, "same"]
    assert asked(axes={**axes, "test_on": same}) == ["parens / 0.5 / augmented / same / small / 1"]
    drawn = asked(axes={**TESTED, "rewrites": ["parens"], "test_on": [{"rewriting_seed": 7}]})
    assert drawn == [f"parens / 0.5 / {mix} / draw 7 / small / 1" for mix in ("original", "augmented")]
    both = {**TESTED, "rewriting_seed": [3], "test_on": [{"set": "rename", "rewriting_seed": 7}]}
    assert asked(axes=both) == [
        "rename / 0.5 / original / same / small / 1 / 7",
        "rename / 0.5 / augmented / draw 7 / small / 1 / 3",
        "parens / 0.5 / augmented / rename draw 7 / small / 1 / 3",
    ]


def test_a_model_that_is_trained_and_tested_on_the_original_is_a_baseline() -> None:
    cells, problems = grid(axes={**TESTED, "train_on": ["original"], "test_on": ["original"]})
    assert not problems
    [baseline] = cells.cells
    assert baseline.baseline


def test_test_sets_that_arent_there_have_messages() -> None:
    def message(test: Any) -> str:
        [(loc, text)] = grid(axes={**TESTED, "test_on": ["same", test]})[1]
        assert loc == ("axes", "test_on", 1)
        return text

    assert message({"set": "parns"}) == "test_on: no set 'parns'; did you mean 'parens'?"
    assert "did you mean 'set'?" in message({"sets": "parens"})
    assert message("parens").startswith("test_on is same, original, or some of {set: …, intensity: …")
    assert "a rate" in message({"set": "parens", "intensity": 7})
    assert message({"rewriting_seed": -1}) == "a seed is a whole number from 0; got -1"
    assert message("same") == "same stands here twice"
    assert "got {}" in message({})


def test_each_mix_has_its_placebo() -> None:
    axes = {**AXES, "train_on": ["original", "original+augmented"], "seed": [1]}
    mixes = [
        "rename / 0.5 / original / small / 1",
        "rename / 0.5 / original+augmented / small / 1",
    ]
    placebo = "rename / 0.5 / original+original / small / 1"
    assert asked(axes=axes) == mixes
    assert asked(axes=axes, placebo=True) == [*mixes, placebo]
    written = {**axes, "train_on": ["original+original", "original+augmented"]}
    assert asked(axes=written, placebo=True) == [placebo, mixes[1]]
    assert asked(axes={**axes, "train_on": ["augmented"]}, placebo=True) == [
        "rename / 0.5 / augmented / small / 1"
    ]
    (_, message), *_ = grid(axes=axes, placebo=True, max_cells=2)[1]
    assert message == ("3 cells, max_cells allows 2; 1 are placebos, which `placebo: false` leaves out")


def test_a_huge_product_is_refused_at_once() -> None:
    axes = {
        **AXES,
        "seed": list(range(100_000)),
        "training.learning_rate": [n / 7 for n in range(1, 100_000)],
    }
    assert "has 9,999,900,000 cells" in messages(axes=axes, exclude=[{"seed": 1}])[0]


def test_ids_are_golden() -> None:
    cells, _ = grid(axes=AXES)
    assert [cell.id for cell in cells.cells] == GOLDEN


GOLDEN = ["97e5281ac774", "a7f887cc946d", "1502173364a2", "95f8ae9d418f"]
