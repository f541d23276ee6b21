"""Each cell has one typed spec, made of sections that cells share."""

from typing import Any

import pytest

from grid.cells.expansion import Cell
from grid.cells.resolving import CellSpec, put
from grid.plan.opening import Grid, from_document
from grid.spec.document import parse
from models.kinds.gru import Config as Gru
from preprocessing.errors import BadInput

SPEC = """\
name: demo
corpus: {source: {kind: stdlib}}
rewrites: {rename: [rename_variable], parens: [{parentheses: {nested: true}}]}
tokenizer: {kind: bpe, vocab_size: 500}
models: {small: {kind: gru, d_model: 8}, bigram: {kind: ngram, order: 2}}
training: {batch_tokens: 64, window: 32}
axes:
  rewrites: [rename, parens]
  intensity: [0.5, {count: 2}]
  train_on: [original, augmented]
  seed: [1, 2]
"""


def opened(text: str = SPEC) -> Grid:
    return from_document(parse(text, name="demo.yaml"))


def specs(grid: Grid) -> list[tuple[dict[str, Any], Cell, CellSpec]]:
    """Values by axis, cell and spec of each cell."""
    axes = grid.cells.axes
    return [
        ({n: v.plain for n, v in zip(axes, cell.values, strict=True)}, cell, spec)
        for cell, spec in zip(grid.cells.cells, grid.specs(), strict=True)
    ]


def test_the_spec_of_a_cell_has_the_values_of_its_axes() -> None:
    sets = {
        "rename": ("rename_variable", "pseudo"),
        "parens": ("parentheses", True),
    }
    for values, cell, spec in specs(opened()):
        assert spec.seed == values["seed"]
        assert spec.train_on == values["train_on"]
        assert spec.model.kind == {"small": "gru", "bigram": "ngram"}[values["model"]]
        assert (spec.rewriting is None) is cell.baseline
        if spec.rewriting is not None:
            [(name, options)] = spec.rewriting.rewrites
            assert (name, next(iter(options.values()))) == sets[values["rewrites"]]
            assert spec.rewriting.intensity == values["intensity"]
            assert spec.rewriting.seed == values["seed"]


def test_sites_and_names_are_drawn_by_a_seed_of_their_own() -> None:
    found = specs(opened(SPEC + "  rewriting_seed: [1, 7]\n"))
    for values, cell, spec in found:
        assert spec.seed == values["seed"]
        if spec.rewriting is None:
            assert cell.baseline
            assert values["rewriting_seed"] is None
        else:
            assert spec.rewriting.seed == values["rewriting_seed"]
    assert sum(cell.baseline for _, cell, _ in found) == 2 * 2  # models × seeds, however many draws


def test_what_cells_see_alike_is_one_object() -> None:
    grid = opened()
    found = [spec for _, _, spec in specs(grid)]
    for name in ("corpus", "size", "tokens", "tokenizer", "training", "evaluation"):
        assert {id(getattr(spec, name)) for spec in found} == {id(getattr(grid.spec, name))}, name
    assert {id(spec.model) for spec in found} == {id(model) for model in grid.spec.models.values()}
    rewritings = {id(spec.rewriting) for spec in found if spec.rewriting is not None}
    assert len(rewritings) == 2 * 2 * 2  # sets × intensities × seeds, whatever the model and its training


def test_axes_and_overrides_change_their_cells_alone() -> None:
    axis = SPEC + "  training.learning_rate: [0.1, 0.2]\n"
    override = (
        "override:\n"
        "  - {when: {seed: 2}, set: {models.small.layers: 3, training.max_steps: 7}}\n"
        "  - {when: {seed: 2, model: bigram}, set: {training.max_steps: 9}}\n"
    )
    grid = opened(axis + override)
    for values, _, spec in specs(grid):
        late, small = values["seed"] == 2, values["model"] == "small"
        assert spec.training.learning_rate == values["training.learning_rate"]
        assert spec.training.max_steps == ((7 if small else 9) if late else 2000)
        assert spec.training.window == 32
        if isinstance(spec.model, Gru):
            assert (spec.model.layers, spec.model.d_model) == (3 if late else 1, 8)
    assert len({id(spec.training) for _, _, spec in specs(grid)}) == 2 * 3


def test_a_changed_field_counts_as_if_it_had_been_written() -> None:
    """What a preset gives stands back behind what is written, and comes in where nothing is."""
    preset = SPEC.replace("{kind: gru, d_model: 8}", "{kind: gru, preset: published, layers: 2}")
    grid = opened(preset + "  models.small.d_model: [8, 16]\n")
    sizes = {
        (spec.model.d_model, spec.model.layers, spec.model.dropout)
        for _, _, spec in specs(grid)
        if isinstance(spec.model, Gru)
    }
    assert sizes == {(8, 2, 0.5), (16, 2, 0.5)}


def test_values_that_are_wrong_together_are_named() -> None:
    grid = opened(SPEC + "  training.window: [32, 64]\n  training.batch_tokens: [64, 32]\n")
    expected = (
        r"demo.yaml: training.batch_tokens=32 and training.window=64 don't work together: "
        r"training: batch_tokens \(32\) must be a multiple of window \(64\)"
    )
    with pytest.raises(BadInput, match=expected):
        grid.plan  # noqa: B018


def test_a_closed_world_is_one_of_functions() -> None:
    closed = "[parentheses, {rename_function: {world: closed}}]"
    text = SPEC.replace("rename: [rename_variable]", f"rename: {closed}")
    with pytest.raises(BadInput) as caught:
        _ = opened(text).plan
    assert str(caught.value).startswith(
        "demo.yaml:3:34: rewrites.rename[1]: rename_function with world: closed also renames what other files"
    )
    assert "it needs corpus.unit: function, and on files world: open is valid" in str(caught.value)
    functions = text.replace("{kind: stdlib}", "{kind: stdlib}, unit: function")
    assert specs(opened(functions))
    one = functions + "override: [{when: {rewrites: rename}, set: {corpus.unit: file}}]\n"
    with pytest.raises(BadInput, match=r"3:34: rewrites.rename\[1\]"):
        _ = opened(one).plan


def test_a_pretrained_model_needs_its_own_tokenizer_in_its_cells() -> None:
    text = SPEC.replace("bigram: {kind: ngram, order: 2}", "hub: {kind: huggingface, path: some/model}")
    with pytest.raises(BadInput) as caught:
        opened(text).plan  # noqa: B018
    assert str(caught.value).startswith(
        "demo.yaml:5:42: models.hub: needs the tokenizer that it was trained with, {kind: huggingface"
    )
    own = "override: [{when: {model: hub}, set: {tokenizer: {kind: huggingface, path: some/model}}}]\n"
    assert {spec.tokenizer.kind for _, _, spec in specs(opened(text + own))} == {"bpe", "huggingface"}


def test_a_path_leads_to_a_field_or_an_item() -> None:
    target: dict[str, Any] = {"a": {"b": [1, {"c": 2}]}, "plain": 3}
    put(target, "a.b.1.c", 4)
    put(target, "a.b.0", 5)
    put(target, "new.field", 6)
    assert target == {"a": {"b": [5, {"c": 4}]}, "plain": 3, "new": {"field": 6}}
    with pytest.raises(ValueError, match=r"'a\.b\.2': '2' is not an index of a list of 2"):
        put(target, "a.b.2", 0)


def test_a_path_through_a_value_is_refused_at_its_place() -> None:
    text = SPEC.replace("seed: [1, 2]", "seed: [1, 2]\n  rewrites.rename.0.x: [1]\n")
    with pytest.raises(BadInput, match=r"demo.yaml:12:\d+: axes.rewrites.rename.0.x\[0\]: .*plain value"):
        opened(text)
