import json
from pathlib import Path

import pytest

from grid.plan.opening import open_grid
from grid.spec import schema as specs
from grid.spec.document import parse
from preprocessing.errors import BadInput
from tasks import completion

GOOD = """\
name: demo
corpus: {source: {kind: stdlib}}
rewrites:
  rename: [rename_variable]
  parens: [{parentheses: {nested: true}}]
tokenizer: {kind: bpe, vocab_size: 500}
models:
  small: {kind: gru, d_model: 8}
training: {batch_tokens: 64, window: 32}
axes:
  rewrites: [rename, parens]
  intensity: [0.5, 1]
  seed: [1]
"""


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "demo.yaml"
    file.write_text(text)
    return str(file)


def problems(tmp_path: Path, text: str, *sets: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        open_grid(written(tmp_path, text), sets)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def test_good(tmp_path: Path) -> None:
    grid = open_grid(written(tmp_path, GOOD))
    assert len(grid.cells.cells) == 5
    assert grid.resolved["rewrites"]["parens"] == [["parentheses", {"nested": True}]]
    assert grid.resolved["training"]["max_steps"] == 2000


def test_a_set_may_have_a_limit_of_growth(tmp_path: Path) -> None:
    text = GOOD.replace("[rename_variable]", "{rewrites: [rename_variable], growth_limit: 1.5}")
    grid = open_grid(written(tmp_path, text))
    assert grid.resolved["rewrites"]["rename"]["growth_limit"] == 1.5
    assert [name for name, _ in grid.resolved["rewrites"]["rename"]["rewrites"]] == ["rename_variable"]
    plain = open_grid(written(tmp_path, GOOD))
    assert plain.resolved["rewrites"]["rename"][0][0] == "rename_variable"


@pytest.mark.parametrize(
    ("limited", "expected"),
    [
        (
            "{rewrites: [no_op], growth_limit: 0.5}",
            "demo.yaml:4:31: rewrites.rename.growth_limit: growth_limit must be 1 or more (tokens of the "
            "variant / tokens), got 0.5",
        ),
        ("{rewrites: [no_op], growth_limit: much}", "rename.growth_limit: growth_limit must be 1 or more"),
        ("{rewrites: [no_op], growth_limt: 2}", "growth_limt: no such key; did you mean 'growth_limit'?"),
        ("{rewrites: [no_up]}", "demo.yaml:4:23: rewrites.rename.rewrites[0]: unknown rewrite 'no_up'"),
        ("{growth_limit: 2}", "rewrites.rename.rewrites: is missing"),
        ("{rewrites: []}", "an empty set"),
    ],
)
def test_mistakes_in_a_set_with_a_limit(tmp_path: Path, limited: str, expected: str) -> None:
    found = "\n".join(problems(tmp_path, GOOD.replace("[rename_variable]", limited)))
    assert expected in found


def test_a_rewrite_that_the_model_cant_see_is_refused(tmp_path: Path) -> None:
    def message(text: str) -> str:
        with pytest.raises(BadInput) as caught:
            open_grid(written(tmp_path, text)).plan  # noqa: B018
        return str(caught.value).replace(f"{tmp_path}/", "")

    comment = GOOD.replace("[rename_variable]", "[rename_variable, add_comment]")
    expected = "demo.yaml:4:29: rewrites.rename[1]: add_comment changes nothing that the model reads"
    assert message(comment).startswith(expected)
    assert "`tokens: {comments: keep}` would show them" in message(comment)
    assert open_grid(written(tmp_path, comment + "tokens: {comments: keep}\n")).plan
    for name in ("blank_lines", "split_line"):
        text = GOOD.replace("{parentheses: {nested: true}}", name)
        assert message(text).startswith(f"demo.yaml:5:12: rewrites.parens[0]: {name} changes nothing")
        assert "a tokenizer of running text" in message(text + "tokens: {comments: keep}\n")


def test_claims_hold_levels_as_tables_show_them(tmp_path: Path) -> None:
    claims = "claims: {primary: {comparison: robustness, metric: entropy, intensity: 1, rewrites: parens}}\n"
    margin = GOOD + claims.replace("}}", "}, margin: {entropy: 0.05}}")
    assert open_grid(written(tmp_path, margin)).claims == {
        "primary": {"comparison": "robustness", "metric": "entropy", "intensity": "1", "rewrites": "parens"},
        "margin": {"entropy": 0.05},
    }
    assert open_grid(written(tmp_path, GOOD)).claims == {"primary": {}, "margin": {}}


def test_all_mistakes_at_once_with_their_places(tmp_path: Path) -> None:
    text = (
        GOOD.replace("d_model: 8", "d_modl: 8, layers: zero")
        .replace("kind: stdlib", "kind: stdlb")
        .replace("[rename_variable]", "[rename_varible]")
        .replace("nested: true", "nestd: true")
        .replace("window: 32", "windw: 32")
        .replace("vocab_size: 500", "vocab_size: -1")
        .replace("axes:", "axis:")
    )
    found = "\n".join(problems(tmp_path, text))
    assert "demo.yaml:2:10: corpus.source: no kind 'stdlb'; did you mean 'stdlib'?" in found
    assert "demo.yaml:4:12: rewrites.rename[0]: unknown rewrite 'rename_varible'" in found
    assert "demo.yaml:5:12: rewrites.parens[0]: rewrite parentheses: unknown option 'nestd'" in found
    assert "demo.yaml:6:24: tokenizer.vocab_size: " in found
    assert "got -1" in found
    assert "demo.yaml:8:22: models.small.d_modl: no such key; did you mean 'd_model'?" in found
    assert "demo.yaml:8:33: models.small.layers: " in found
    assert "demo.yaml:9:30: training.windw: no such key; did you mean 'window'?" in found
    assert "demo.yaml:10:1: axis: no such key; did you mean 'axes'?" in found
    assert "axes: is missing" in found


def test_axes_are_checked_although_sections_are_wrong(tmp_path: Path) -> None:
    text = (
        GOOD.replace("window: 32", "windw: 32")
        .replace("[rename_variable]", "[rename_varible]")
        .replace("seed: [1]", "seed: [1]\n  model: [small, smal]\n  training.max_steps: [1, x]")
    )
    found = problems(tmp_path, text)
    assert [line.split(": ")[1] for line in found] == [
        "rewrites.rename[0]",
        "training.windw",
        "axes.model[1]",
    ]
    assert "no model 'smal'; did you mean 'small'?" in found[2]


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ("name: demo", "name: ../demo", "demo.yaml:1:1: name: "),
        ("name: demo", "name: store", "demo.yaml:1:1: name: 'store' is where finished steps are"),
        ("name: demo", "name: demo\nname: again", "demo.yaml:2:1: not valid YAML: found duplicate key"),
        ("{kind: gru, d_model: 8}", "{d_model: 8}", "needs a 'kind'; valid: "),
        ("{kind: gru, d_model: 8}", "{kind: gru2}", "no kind 'gru2'; did you mean 'gru'?"),
        (
            "intensity: [0.5, 1]",
            "intensity: [0.5, 2]",
            "demo.yaml:12:20: axes.intensity[1]: an intensity is a rate",
        ),
        ("seed: [1]", "sede: [1]", "demo.yaml:13:3: axes.sede: no such axis; did you mean 'seed'?"),
        ("rewrites: [rename, parens]", "rewrites: [renam]", "no rewrites 'renam'; did you mean 'rename'?"),
        (
            "seed: [1]",
            "training.max_stepz: [1]",
            "training.max_stepz: no such key; did you mean 'max_steps'?",
        ),
        (
            "seed: [1]",
            "training.max_steps: [1, -5]",
            "demo.yaml:13:27: axes.training.max_steps[1]: training.max_steps: ",
        ),
        ("seed: [1]", "models.small.layers: [1, x]", "axes.models.small.layers[1]"),
        (
            "seed: [1]",
            "seed: [1]\noverride: [{when: {}, set: {training.x: 1}}]",
            "override[0].set.training.x",
        ),
        (
            "seed: [1]",
            "seed: [1]\n  test_on: [same, {set: parns}]",
            "demo.yaml:14:19: axes.test_on[1]: test_on: no set 'parns'; did you mean 'parens'?",
        ),
        (
            "seed: [1]",
            "seed: [1]\n  test_on: [same]\nevaluation: {tests: [original]}",
            "demo.yaml:15:14: evaluation.tests: the axis test_on says what is tested on",
        ),
        (
            "seed: [1]",
            "seed: [1]\nclaims: {margin: {accuracy: 0.1}}",
            "demo.yaml:14:19: claims.margin.accuracy: no metric that is compared; did you mean 'accuracy_",
        ),
        ("seed: [1]", "seed: [1]\nclaims: {margin: {entropy: 0}}", "demo.yaml:14:19: claims.margin.entropy"),
        ("seed: [1]", "seed: [1]\nclaims: {margin: {perplexity: 1}}", "no metric that is compared"),
        (
            "seed: [1]",
            "seed: [1]\nclaims: {primary: {comparison: fall, metric: entropy}}",
            "demo.yaml:14:20: claims.primary.comparison: no comparison 'fall'; valid: robustness",
        ),
        ("seed: [1]", "seed: [1]\nclaims: {primary: {comparison: robustness}}", "metric is missing; valid: "),
        (
            "seed: [1]",
            "seed: [1]\nclaims: {guess: {trainin: {entropy: {project: 1, seed: 1}}}}",
            "demo.yaml:14:18: claims.guess.trainin: no comparison; did you mean 'training'?",
        ),
        (
            "seed: [1]",
            "seed: [1]\nclaims: {guess: {clean: {perplexity: {project: 1, seed: 1}}}}",
            "demo.yaml:14:26: claims.guess.clean.perplexity: no metric that is compared",
        ),
        (
            "seed: [1]",
            "seed: [1]\nclaims: {guess: {clean: {entropy: {project: 1, seed: -1}}}}",
            "demo.yaml:14:48: claims.guess.clean.entropy.seed",
        ),
        (
            "seed: [1]",
            "seed: [1]\nclaims: {guess: {clean: {entropy: {project: 1}}}}",
            "claims.guess.clean.entropy.seed: is missing",
        ),
        (
            "seed: [1]",
            "seed: [1]\nclaims: {primary: {comparison: training, metric: entropy}}",
            "no cells of the grid can be compared like that: a cell that isn't trained on the original",
        ),
        (
            "seed: [1]",
            "seed: [1]\nclaims: {primary: {comparison: robustness, metric: entropy, intensity: 0.3}}",
            "primary.intensity: no cell of a robustness comparison that fits the rest has intensity 0.3",
        ),
        (
            "seed: [1]",
            "seed: [1]\nclaims: {primary: {comparison: robustness, metric: entropy, seed: 1}}",
            "claims.primary.seed: a comparison is over all seeds",
        ),
        (
            "seed: [1]",
            "seed: [1]\nclaims: {primary: {comparison: robustness, metric: entropy, rewrite: parens}}",
            "claims.primary.rewrite: no axis 'rewrite'; did you mean 'rewrites'?",
        ),
        ("seed: [1]", "seed: [1]\nexclude: [{seed: 2}]", "exclude[0].seed: the axis has no value 2"),
        ("rename: [rename", "none: [rename", "rewrites.none: 'none' is the name of the baseline"),
        ("[rename_variable]", "[]", "an empty set"),
        (
            "{source: {kind: stdlib}}",
            "{source: {kind: stdlib}, split: {by: file, train: 0.5, valid: 0, test: 0.5}}",
            "demo.yaml:2:64: corpus.split.valid: 0 leaves no samples",
        ),
        (
            "seed: [1]",
            "corpus.split: [{train: 1, valid: 0, test: 0}]",
            "demo.yaml:13:18: axes.corpus.split[0]: corpus.split.valid: 0 leaves no samples",
        ),
        ("[rename_variable]", "[7]", "write a rewrite as name"),
        ("name: demo", "name: [", "not valid YAML"),
        ("name: demo", "- demo", "not valid YAML"),
    ],
)
def test_one_mistake(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    assert expected in "\n".join(found)


def test_what_a_task_needs_of_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = {"unit": frozenset({"function"}), "functions.docstring": frozenset({"split", "keep"})}
    monkeypatch.setattr(completion, "CORPUS", needs)
    expected = "corpus.unit: the task completion needs function; got 'file'"
    assert problems(tmp_path, GOOD) == [f"demo.yaml:2:1: {expected}"]
    files = GOOD.replace("{source: {kind: stdlib}", "{source: {kind: stdlib}, unit: file")
    assert problems(tmp_path, files) == [f"demo.yaml:2:34: {expected}"]
    wrong_elsewhere = problems(tmp_path, files.replace("window", "windw"))
    assert [line.split(": ")[1] for line in wrong_elsewhere] == ["corpus.unit", "training.windw"]
    functions = GOOD.replace("{source: {kind: stdlib}", "{source: {kind: stdlib}, unit: function")
    assert open_grid(written(tmp_path, functions))


@pytest.mark.parametrize(
    "assignment, expected",
    [
        ("training.max_steps", "--set training.max_steps: write it as"),
        (
            "training.max_stps=5",
            "--set training.max_stps=5: training.max_stps: no such key; did you mean 'max_steps'?",
        ),
        ("training.max_steps=many", "--set training.max_steps=many: training.max_steps: "),
        ("name.x=5", "'name' is not a mapping"),
    ],
)
def test_set_says_what_is_wrong(tmp_path: Path, assignment: str, expected: str) -> None:
    assert expected in "\n".join(problems(tmp_path, GOOD, assignment))


def test_set_overrides(tmp_path: Path) -> None:
    grid = open_grid(written(tmp_path, GOOD), ["training.max_steps=10", "axes.seed=[1, 2, 3]"])
    assert grid.spec.training.max_steps == 10
    assert len([cell for cell in grid.cells.cells if not cell.baseline]) == 12


def test_yaml_is_1_2() -> None:
    data = parse("a: 1e-4\nb: no\nc: 10_000\nd: &x [1, 2]\ne: *x\n", name="x").data
    assert data == {"a": 1e-4, "b": "no", "c": 10_000, "d": [1, 2], "e": [1, 2]}


def test_an_unknown_spec_names_those_there_are() -> None:
    with pytest.raises(BadInput, match=r"nosuch: no such spec; a path, or one of: .*quickstart"):
        specs.find("nosuch")


def test_bombs_are_refused() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    with pytest.raises(BadInput, match="too large"):
        parse(f"a0: &a0 [{', '.join('x' * 10)}]\n{levels}", name="bomb")


@pytest.mark.parametrize("name", sorted(f.stem for f in Path("configs/grid").glob("*.yaml")))
def test_committed_specs_are_valid(name: str) -> None:
    assert open_grid(name).cells.cells


def test_the_committed_schema_is_the_generated_one() -> None:
    committed = json.loads(Path("docs/grid.schema.json").read_text())
    assert committed == specs.schema(), "run `augrid schema > docs/grid.schema.json`"


def test_naturalness_is_measured_or_not(tmp_path: Path) -> None:
    assert open_grid(written(tmp_path, GOOD)).spec.naturalness
    found = problems(tmp_path, GOOD + "naturalness: very\n")
    assert len(found) == 1
    assert found[0].startswith("demo.yaml:14:1: naturalness: input should be a valid boolean")
