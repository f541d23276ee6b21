"""check-model and complete as their users see them, on a grid of one bigram."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grid.cli.app import app
from grid.commands import check_model
from preprocessing.errors import BadInput
from tests.grid.conftest import MiniGrid

FUNCTION = """\
def area_{n}(width, height):
    total = width * height + {n}
    for step in range(total):  # every one
        total = total - step
    return total
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory, mini_grid: MiniGrid) -> Path:
    return mini_grid(
        tmp_path_factory.mktemp("mini"),
        code={f"m{n}.py": FUNCTION.format(n=n) * (1 + n % 3) for n in range(8)},
        models={"trigram": {"kind": "ngram", "order": 3}},
        axes={"rewrites": ["rename"], "intensity": [1], "train_on": ["original"]},
    )


@pytest.fixture(scope="module")
def results(spec: Path) -> Path:
    folder = spec.parent / "results"
    run = ["run", str(spec), "--results", str(folder), "--executor", "inprocess", "--no-report"]
    result = CliRunner().invoke(app, run, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder


def augrid(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def complete(spec: Path, results: Path, place: str, *options: object) -> str:
    file = spec.parent / "code" / "m0.py"
    result = augrid("complete", f"{file}:{place}", "--spec", spec, "--results", results, *options)
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_the_same_place_before_and_after_rewriting(spec: Path, results: Path) -> None:
    output = complete(spec, results, "2:12")
    assert "cell" in output.splitlines()[0]
    original, rewritten = (line for line in output.splitlines() if line.endswith("▮"))
    assert original.endswith("<newline> <indent> total = ▮")
    assert not rewritten.endswith("total = ▮")
    assert rewritten.endswith("= ▮")
    assert len([line for line in output.splitlines() if line.strip().startswith(("1 ", "10 "))]) == 2
    assert output.count("width stands there: rank ") == 2


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("3:12", "in stands there"),  # a blank: the token behind it
        ("3:10", "step stands there"),  # inside of a token
        ("3:33", "<newline> stands there"),  # inside of a comment, which no model sees
        ("5:16", "<newline> stands there"),
    ],
)
def test_where_a_place_is(spec: Path, results: Path, place: str, expected: str) -> None:
    assert expected in complete(spec, results, place, "--rewrites", "")


def test_rewrites_that_come_later_change_nothing(spec: Path, results: Path) -> None:
    output = complete(spec, results, "1:4", "--rewrites", "dead_branch, rename_variable")
    assert "changed nothing before this place" in output


def test_a_model_by_its_folder(spec: Path, results: Path) -> None:
    [folder] = [file.parent for file in results.glob("store/train/*/*/manifest.json")]
    by_cell = complete(spec, results, "4:8").splitlines()[1:]
    assert augrid("complete", f"{spec.parent}/code/m0.py:4:8", "--model", folder).output.splitlines()[1:] == (
        by_cell
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["complete", "{code}/m0.py:99:0"], "no place 99:0 in a text of 5 lines"),
        (["complete", "{code}/m0.py:1:99"], "line 1 has 26 characters"),
        (["complete", "{code}/m0.py:1"], "write FILE:LINE:COL"),
        (["complete", "{code}/no.py:1:1"], "no.py: No such file"),
        (["complete", "{spec}:1:1"], "mini.yaml:1:1: "),
        (["complete", "{code}/m0.py:1:1", "--rewrites", "renam"], "renam"),
        (["complete", "{code}/m0.py:1:1", "--rate", "2"], "rate"),
        (["complete", "{code}/m0.py:1:1", "--cell", "zz"], "zz: no such cell"),
        (["complete", "{code}/m0.py:1:1", "--model", "{code}"], "no trained model"),
        (["complete", "{code}/m0.py:1:1", "--results", "{code}"], "first `augrid run"),
        (["check-model", "grru"], "did you mean 'gru'"),
        (["check-model", "gru", "--set", "d_modle=3"], "did you mean 'd_model'"),
        (["check-model", "gpt", "--set", "heads=3"], "heads (3) must divide d_model (256)"),
        (["check-model", "nosuch", "--spec", "{spec}"], "no model 'nosuch'"),
    ],
)
def test_bad_input(spec: Path, results: Path, command: list[str], expected: str) -> None:
    places = {"code": spec.parent / "code", "spec": spec}
    given = [part.format(**places) for part in command]
    if given[0] == "complete":
        given = [*given, "--spec", str(spec), *([] if "--results" in given else ["--results", str(results)])]
    with pytest.raises(BadInput) as caught:
        augrid(*given)
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_check_model(spec: Path) -> None:
    result = augrid("check-model", "trigram", "--spec", spec)
    assert result.exit_code == 0, result.output
    assert "trigram: ok: 99" in result.output
    assert "it learns (checked with order 12; as configured" in result.output
    assert check_model.find("trigram", str(spec), ["order=4"])[1].model_dump()["order"] == 4


def test_check_model_fails_with_exit_code_1() -> None:
    result = augrid("check-model", "gru", "--set", "d_model=1")
    assert result.exit_code == 1
    assert "it does not learn" in result.output
