"""Keys: what shares a step, what changes one, and that they stay what they are."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import transformers_py
from grid.cells.axes import Names
from grid.cells.expansion import expand
from grid.cells.resolving import Resolver
from grid.keys import canonical, digest
from grid.plan import graph, jobs, planner
from grid.plan.graph import Step
from grid.plan.planner import Plan
from grid.spec.document import parse
from grid.spec.findings import Findings
from grid.spec.rewrite_sets import FIRST_VERSION
from grid.spec.schema import Spec
from grid.store.finished import Store
from tasks import completion
from transformers_py import lookup
from transformers_py.rewrites import rename_variable

RAW: dict[str, Any] = {
    "name": "demo",
    "corpus": {"source": {"kind": "stdlib"}, "shards": 2},
    "rewrites": {"rename": ["rename_variable"], "parens": ["parentheses"]},
    "tokenizer": {"kind": "bpe", "vocab_size": 500},
    "models": {"small": {"kind": "gru", "d_model": 8}, "bigram": {"kind": "ngram"}},
    "training": {"batch_tokens": 64, "window": 32},
    "placebo": False,
    "axes": {
        "rewrites": ["rename", "parens"],
        "intensity": [0.5, 1],
        "train_on": ["original", "augmented", "original+augmented"],
        "model": ["small"],
        "seed": [1, 2],
    },
}


def make(raw_digest: str = "raw", **changes: Any) -> Plan:
    raw = json.loads(json.dumps({**RAW, **changes}))
    findings = Findings(parse("{}", name="test"))
    spec = Spec.model_validate(raw)
    cells = expand(spec, Names(tuple(spec.rewrites), tuple(spec.models)), findings)
    findings.raise_if_any()
    return planner.make(cells, Resolver(raw, spec).specs(cells), completion, lambda config: raw_digest)


def kinds(made: Plan) -> Counter[str]:
    return Counter(step.kind for step in made.steps.values())


def test_what_is_shared() -> None:
    made = make()
    assert len(made.cells.cells) == 2 * 2 * 3 * 2 + 2
    variants = 2 * 2 * 2
    assert kinds(made) == {
        "corpus": 1,
        "tokenizer": 1,
        "variant": variants * 2,
        "naturalness": variants,
        "encode": (variants + 1) * 2,
        "train": 2 + variants * 2,  # trained on the original: once per seed, whatever the rewrites
        "evaluate": 2 * (1 + variants // 2) + variants * 2 * 2,
    }


def test_draws_of_a_rewriting_share_what_is_trained_on_the_original() -> None:
    plain, axes = make(), {**RAW["axes"], "rewriting_seed": [1, 2]}
    crossed = make(axes=axes)
    assert plain.steps.keys() <= crossed.steps.keys()  # left out, it is the seed: the diagonal of these
    assert kinds(crossed) - kinds(plain) == {
        "train": 2 * 2 * 2 * 2,  # sets × intensities × mixes with the variant, off the diagonal
        "evaluate": 2 * 2 * 2 * (2 * 2 + 1),  # both tests of these, and the variant for those without
    }
    assert not make(axes={**axes, "rewriting_seed": [3]}).steps.keys() & {
        key for key, step in plain.steps.items() if step.kind == "variant"
    }


def test_a_model_can_be_tested_on_another_variant_than_it_was_trained_on() -> None:
    axes = {**RAW["axes"], "intensity": [0.5], "seed": [1]}
    own = make(axes=axes)
    matrix = make(axes={**axes, "test_on": [{"set": "rename"}, {"set": "parens"}]})
    assert own.steps.keys() <= matrix.steps.keys()
    assert kinds(matrix) - kinds(own) == {"evaluate": 2 * 2}  # sets × mixes, each on the other set
    by_name = {
        tuple(value.text for value in cell.values): steps
        for cell, steps in zip(matrix.cells.cells, matrix.by_cell, strict=True)
    }
    assert len(by_name) == 2 + 2 * 2 * 2 + 1  # on the original: by test set alone; and the baseline
    off = by_name["rename", "0.5", "augmented", "small", "1", "parens"]
    assert off.variant is by_name["rename", "0.5", "augmented", "small", "1", "same"].variant
    assert off.tested is by_name["parens", "0.5", "original", "small", "1", "same"].tested
    assert off.train is by_name["rename", "0.5", "augmented", "small", "1", "same"].train
    alone = make(axes={**axes, "train_on": ["augmented"], "test_on": ["original"]})
    assert all(list(steps.tests) == ["original"] and steps.tested is None for steps in alone.by_cell)


def test_a_placebo_is_trained_once_for_all_variants_where_no_size_rule_acts() -> None:
    mixes = make(axes={**RAW["axes"], "train_on": ["original+augmented"]})
    placebos = make(axes={**RAW["axes"], "train_on": ["original+augmented"]}, placebo=True)
    assert kinds(placebos) - kinds(mixes) == {"train": 2, "evaluate": 2 * (1 + 2 * 2)}  # by seed; test sets
    rule = {"throw_out": {"max_growth": 2}}
    one_each = make(axes={**RAW["axes"], "train_on": ["original+original"]}, size=rule)
    trains = [step for step in one_each.steps.values() if step.kind == "train"]
    assert len(trains) == 2 + 2 * 2 * 2  # baselines; sets × intensities × seeds
    assert {step.roles for step in trains} == {
        ("tokenizer", "original"),
        ("tokenizer", "original", "repeated", "survivors"),
    }


def test_each_step_comes_after_what_it_needs() -> None:
    seen: set[str] = set()
    for key, step in make().steps.items():
        assert all(need in seen for artifacts in step.inputs.values() for need in artifacts.keys)
        seen.add(key)


DATA = ("corpus", "tokenizer", "variant", "naturalness", "encode")


@pytest.mark.parametrize(
    "changes, kept",
    [
        ({"training": {**RAW["training"], "checkpoint_s": 5, "tensorboard": True, "compile": "auto"}}, 1.0),
        ({"training": {**RAW["training"], "compile": "off"}}, {*DATA}),
        ({"training": {**RAW["training"], "devices": 2}}, {*DATA}),
        ({"evaluation": {"rows": 8}}, {*DATA, "train"}),
        ({"training": {**RAW["training"], "max_steps": 7}}, {*DATA}),
        ({"tokenizer": {"kind": "bpe", "vocab_size": 600}}, {"corpus", "variant", "naturalness"}),
        ({"size": {"throw_out": {"max_tokens": 9}}}, {"corpus", "tokenizer"}),
        ({"tokens": {"comments": "keep"}}, {"corpus"}),
        ({"corpus": {**RAW["corpus"], "duplicates": "none"}}, set()),
        ({"raw_digest": "other"}, set()),
        ({"name": "another", "max_cells": 5000, "models": {**RAW["models"], "more": {"kind": "gru"}}}, 1.0),
    ],
)
def test_what_changes_which_keys(changes: dict[str, Any], kept: Any) -> None:
    before, after = make(), make(**changes)
    same = {step.kind for key, step in after.steps.items() if key in before.steps}
    assert same == (
        set(graph.KINDS)
        if kept == 1.0
        else kept | (same & {"encode", "train", "evaluate"} if "size" in changes else set())
    )


def test_fields_that_came_later_are_in_no_key_by_default() -> None:
    training = next(step.parameters["training"] for step in make().steps.values() if step.kind == "train")
    assert set(training) == {
        *("batch_tokens", "window", "max_steps", "learning_rate", "final_learning_rate", "warmup"),
        *("weight_decay", "betas", "clip_norm", "validate_every", "valid_tokens", "early_stop"),
        *("micro_batches", "precision", "threads"),
    }
    tokenizer = next(step.parameters["config"] for step in make().steps.values() if step.kind == "tokenizer")
    assert set(tokenizer) == {"kind", "vocab_size"}
    assert (
        make(tokenizer={"kind": "bpe", "train_bytes": 9})
        .steps.keys()
        .isdisjoint(key for key, step in make().steps.items() if step.kind == "tokenizer")
    )


def behind(made: Plan, first: Callable[[Step], bool]) -> set[str]:
    """Keys of the first steps, and of all that is made of what they make."""
    found: set[str] = set()
    for key, step in made.steps.items():
        if first(step) or any(need in found for artifacts in step.needs for need in artifacts.keys):
            found.add(key)
    return found


def test_the_version_of_a_rewrite_is_in_the_keys_of_its_variants_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sets = {**RAW["rewrites"], "both": ["parentheses", {"rename_variable": {"style": "random"}}]}
    changes: dict[str, Any] = {"rewrites": sets, "axes": {**RAW["axes"], "rewrites": [*sets]}}
    before = make(**changes)
    monkeypatch.setattr(rename_variable, "VERSION", rename_variable.VERSION + 1)
    after = make(**changes)

    def renames(step: Step) -> bool:
        return step.kind == "variant" and "rename_variable" in dict(step.parameters["rewrites"])

    old, new = behind(before, renames), behind(after, renames)
    assert Counter(before.steps[key].kind for key in old) == {
        "variant": 2 * 2 * 2 * 2,  # sets × intensities × seeds × shards
        "naturalness": 2 * 2 * 2,
        "encode": 2 * 2 * 2 * 2,
        "train": 2 * 2 * 2 * 2,  # sets × intensities × seeds × mixes with the variant
        "evaluate": 2 * 2 * 2 * (2 * 2 + 1),  # both tests of these, and the variant for those without
    }
    assert before.steps.keys() - after.steps.keys() == old
    assert after.steps.keys() - before.steps.keys() == new
    assert len(old) == len(new)


def test_the_version_of_the_engine_is_in_the_keys_of_all_variants_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = make()
    monkeypatch.setattr(transformers_py, "VERSION", transformers_py.VERSION + 1)
    graph.version.cache_clear()
    try:
        after = make()
    finally:
        graph.version.cache_clear()
    assert before.steps.keys() - after.steps.keys() == behind(before, lambda step: step.kind == "variant")


def test_versions_that_keys_were_published_with_stand_as_they_stood() -> None:
    documents = [step.document() for step in make().steps.values()]
    assert {canonical(d["version"]) for d in documents if d["step"] in ("variant", "encode")} == {"[1,8]"}
    for parameters in [d["parameters"] for d in documents if d["step"] == "variant"]:
        raised = any(lookup(name).VERSION != FIRST_VERSION for name, _ in parameters["rewrites"])
        later = ("versions",) if raised else ()
        assert {*parameters} == {"rewrites", "intensity", "seed", "size", "tokens", "shard", *later}


def test_dotted_axes_and_overrides_reach_the_steps() -> None:
    axes = {**RAW["axes"], "train_on": ["original"], "seed": [1], "training.learning_rate": [0.1, 0.2]}
    override = [
        {"when": {"training.learning_rate": 0.2}, "set": {"training.max_steps": 5, "models.small.layers": 2}}
    ]
    made = make(axes=axes, override=override)
    trains = [step.parameters for step in made.steps.values() if step.kind == "train"]
    found = {
        (p["training"]["learning_rate"], p["training"]["max_steps"], p["model"]["layers"]) for p in trains
    }
    assert found == {(0.1, 2000, 1), (0.2, 5, 2)}


def test_jobs_group_what_is_done_together(tmp_path: Path) -> None:
    made = make()
    todo = jobs.group(jobs.state(made, Store(tmp_path)).missing)
    assert Counter(job.kind for job in todo) == {
        "corpus": 1,
        "tokenizer": 1,
        "variant": 2,  # one pass per shard, whatever the number of variants
        "naturalness": 1,  # whose models are learnt once
        "encode": 4,
        "train": 18,
        "evaluate": 18,
    }
    known = {job.id for job in todo}
    assert all(set(job.after) <= known for job in todo)


def test_only_what_is_needed_is_missing(tmp_path: Path) -> None:
    made = make()
    store = Store(tmp_path)
    for key, step in made.steps.items():
        if step.kind not in ("encode", "tokenizer"):
            with store.writing(step.kind, key) as folder:
                store.publish(folder, step.kind, key, {})
    assert jobs.state(made, store).missing == {}
    evaluation = next(step for step in made.steps.values() if step.kind == "evaluate")
    store.remove("evaluate", evaluation.key)
    missing = Counter(step.kind for step in jobs.state(made, store).missing.values())
    assert missing == {"evaluate": 1, "encode": 2, "tokenizer": 1}


@pytest.mark.parametrize("rule", ["augment_only", "throw_out"])
def test_a_size_rule_in_subwords_needs_the_tokenizer_first(rule: str, tmp_path: Path) -> None:
    made = make(size={rule: {"max_subwords": 100}})
    variants = [step for step in made.steps.values() if step.kind == "variant"]
    assert variants
    assert all(step.inputs["tokenizer"].kind == "tokenizer" for step in variants)
    todo = {job.id: job for job in jobs.group(jobs.state(made, Store(tmp_path)).missing)}
    behind = [todo[name].kind for job in todo.values() if job.kind == "variant" for name in job.after]
    assert Counter(behind) == {"corpus": 2, "tokenizer": 2}
    without = make(size={rule: {"max_tokens": 100}})
    assert not any("tokenizer" in s.inputs for s in without.steps.values() if s.kind == "variant")


def test_names_with_as_many_subwords_need_the_tokenizer_first() -> None:
    sets = {**RAW["rewrites"], "same": ["parentheses", {"rename_variable": {"style": "keep_tokens"}}]}
    axes = {**RAW["axes"], "rewrites": [*sets]}
    made = make(rewrites=sets, axes=axes)
    variants = [step for step in made.steps.values() if step.kind == "variant"]
    for step in variants:
        same = "keep_tokens" in str(step.parameters["rewrites"])
        assert ("tokenizer" in step.inputs) is same
        assert step.parameters.get("versions", {}).get("keep_tokens") == (9 if same else None)
    other = make(rewrites=sets, axes=axes, tokenizer={"kind": "bpe", "vocab_size": 600})
    kept = [step for step in variants if step.key in other.steps]
    assert kept == [step for step in variants if "tokenizer" not in step.inputs]
    assert len(kept) == len(variants) * 2 // 3


def test_canonical_json() -> None:
    assert canonical({"b": 1.0, "a": ["é", None, True]}) == '{"a":["é",null,true],"b":1.0}'
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))


def test_keys_are_golden() -> None:
    """Independent of the defaults and versions of other packages."""
    document = {
        "step": "train",
        "version": 1,
        "parameters": {"seed": 1, "rate": 0.5},
        "inputs": {"a": "0" * 64},
    }
    assert digest(document) == GOLDEN


GOLDEN = "5d211fd33e4521bda2c62da3a89b836d8ee94f5b3f8232261bfcb61342ed3865"
