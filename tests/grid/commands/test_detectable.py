"""What a plan says a grid can find, by guesses, finished grids and pilots, and where nothing can be said."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grid.commands import detectable, keeping
from grid.commands.run import DONE, Run
from grid.executors import inprocess
from grid.hosts import Hosts
from grid.plan import pilot
from grid.plan.opening import Grid, open_grid
from preprocessing.errors import BadInput
from tests.grid.conftest import FUNCTION, MiniGrid

AXES = {"rewrites": ["rename", "parens"], "train_on": ["original", "original+augmented"], "seed": [1, 2, 3]}
GUESS = {"training": {"accuracy_1": {"project": 0.0097, "seed": 0.0041}}}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, mini_grid: MiniGrid) -> Path:
    """A folder with the code of 24 projects, of equal size, and a store with their corpus."""
    folder = tmp_path_factory.mktemp("built")
    for n in range(24):
        (folder / "projects" / f"p{n}").mkdir(parents=True)
        (folder / "projects" / f"p{n}" / "m.py").write_text(FUNCTION.format(n=n))
    build(opened(folder, mini_grid, folder), folder / "results")
    return folder


def opened(built: Path, mini_grid: MiniGrid, folder: Path, *, test: float = 0.4, **changes: Any) -> Grid:
    """A grid over that corpus whose folder of results is empty but for the store."""
    folder.mkdir(exist_ok=True)
    if folder != built:
        (folder / "results").mkdir()
        (folder / "results" / "store").symlink_to(built / "results" / "store")
    corpus = {
        "source": {"kind": "directory", "path": str(built / "projects")},
        "keep": {"min_bytes": 1},
        "split": {"by": "project", "train": round(0.8 - test, 1), "valid": 0.2, "test": test, "seed": 1},
        "shards": 1,
    }
    changes = {"axes": AXES, "placebo": False, "corpus": corpus} | changes
    return open_grid(str(mini_grid(folder, code=1, **changes)))


def build(grid: Grid, root: Path) -> None:
    """Makes the corpus alone."""
    made = run(grid, root)
    with made.claimed():
        made.make({steps.corpus.keys[0] for steps in grid.plan.by_cell})


def run(grid: Grid, root: Path) -> Run:
    executor, slots = inprocess.make(Hosts())
    return Run(
        grid=grid, root=root, slots=slots, executor=executor, console=Console(quiet=True), report=False
    )


def told(grid: Grid, folder: Path) -> str:
    return "\n".join(detectable.lines(grid, folder / "results"))


def finished(folder: Path, name: str, *, pilot: bool = False, **row: float) -> None:
    """A folder of results that holds one table of differences in accuracy."""
    out = folder / "results" / name
    (out / "figures").mkdir(parents=True)
    about = {"task": {"name": "completion"}, "finished": "2026-11-29", **({"pilot": True} if pilot else {})}
    (out / "run.json").write_text(json.dumps(about))
    values = {"n_effective": 20, "n_seeds": 3, "n_draws": 1, "standard_error_models": 0.002}
    values |= {"variance_draw": float("nan"), "variance_residual": 0, "standard_error": 0.003} | row
    with (out / "figures" / "table-robustness-accuracy_1.csv").open("w") as file:
        writer = csv.DictWriter(file, values)
        writer.writeheader()
        writer.writerow(values)


def test_without_anything_to_go_by_it_is_unknown_and_says_what_would_help(
    built: Path, tmp_path: Path, mini_grid: MiniGrid
) -> None:
    other = opened(built, mini_grid, tmp_path / "other", test=0.3)
    assert "unknown before its test projects are; `augrid corpus" in told(other, tmp_path / "other")
    text = told(opened(built, mini_grid, tmp_path / "there"), tmp_path / "there")
    assert "unknown: how much differences vary stands in no finished grid" in text
    assert "--pilot` takes minutes" in text
    assert "nan" not in text


def test_a_guess_and_a_margin(built: Path, tmp_path: Path, mini_grid: MiniGrid) -> None:
    claims = {"guess": GUESS, "margin": {"accuracy_1": 0.005}}
    text = told(opened(built, mini_grid, tmp_path, claims=claims), tmp_path)
    assert "with 10 test projects that weigh as much as 10.0 of equal size" in text
    (line,) = (line for line in text.splitlines() if "accuracy_1: finds" in line)
    found = float(line.split("≥ ")[1].split(" in a gain")[0])
    assert 0.012 < found < 0.02
    assert "for 0.005 in a gain take " in text
    assert "60 projects of equal size × 12 seeds" in text
    assert "margin of 0.005: a gain: can't be shown, but within 0.0" in text
    assert "a fall: unknown, since how much differences vary is" in text
    assert "by what is guessed in claims.guess" in text
    assert (
        "after Holm's correction: ≥ 0.019 (4 rows)" in text
    )  # of a gain there is one row for each of two sets and two models
    easy = {"guess": {"training": {"accuracy_1": {"project": 0.001, "seed": 0.001}}}}
    text = told(
        opened(built, mini_grid, tmp_path / "easy", claims=easy | {"margin": {"accuracy_1": 0.01}}),
        tmp_path / "easy",
    )
    assert "a gain: can be shown" in text
    assert "take" not in text


def test_finished_grids_and_pilots_are_named(built: Path, tmp_path: Path, mini_grid: MiniGrid) -> None:
    grid = opened(built, mini_grid, tmp_path)
    finished(tmp_path, "other", variance_project=0.5, variance_seed=0.5)
    text = told(grid, tmp_path)
    assert "in a fall" in text
    assert "by the finished grid in " in text
    finished(tmp_path, "another-pilot", pilot=True, variance_project=0.5, variance_seed=0.5)
    assert "a pilot's models" not in told(grid, tmp_path)
    finished(tmp_path, "mini-pilot", pilot=True, variance_project=0.5, variance_seed=0.5)
    text = told(grid, tmp_path)
    assert "by the pilot in " in text
    assert "a pilot's models are hardly trained" in text


def test_a_table_of_one_seed_tells_nothing_of_seeds(built: Path, tmp_path: Path, mini_grid: MiniGrid) -> None:
    grid = opened(built, mini_grid, tmp_path)
    nan = float("nan")
    finished(tmp_path, "one", n_seeds=1, standard_error=nan, variance_project=1, variance_seed=nan)
    text = told(grid, tmp_path)
    assert "a fall: unknown, since how much training seeds differ is" in text
    assert "nan" not in text


def test_one_seed_and_few_projects_find_nothing_and_say_so(
    built: Path, tmp_path: Path, mini_grid: MiniGrid
) -> None:
    claims = {"guess": GUESS}
    one = opened(built, mini_grid, tmp_path / "seed", axes=AXES | {"seed": [1]}, claims=claims)
    assert "nothing beyond these models, since each has one seed" in told(one, tmp_path / "seed")
    few = opened(built, mini_grid, tmp_path / "few", test=0.1, claims=claims)
    build(few, tmp_path / "few" / "results")
    assert "nothing; the test split has 2 projects, and below 5 no interval" in told(few, tmp_path / "few")
    axes = AXES | {"model": ["small", "bigram"]}
    exclude = [{"model": "bigram", "seed": [2, 3]}]
    mixed = opened(built, mini_grid, tmp_path / "mixed", axes=axes, exclude=exclude, claims=claims)
    assert "a gain: 2 of 4 rows are of one seed" in told(mixed, tmp_path / "mixed")


def test_rows_seeds_and_draws_of_a_comparison(tmp_path: Path, mini_grid: MiniGrid) -> None:
    axes = AXES | {"rewriting_seed": [1, 2]}
    grid = open_grid(str(mini_grid(tmp_path, axes=axes, placebo=False)))
    asked = detectable.asked(grid, "robustness")
    assert asked == detectable.Asked(rows=8, single=0, seeds=3, draws=2)
    assert detectable.asked(grid, "training") == detectable.Asked(rows=4, single=0, seeds=3, draws=2)
    (tmp_path / "plain").mkdir()
    plain = open_grid(str(mini_grid(tmp_path / "plain", axes=AXES | {"train_on": ["original"]})))
    assert detectable.asked(plain, "training") is None
    assert detectable.asked(plain, "robustness") == detectable.Asked(rows=4, single=0, seeds=3, draws=1)


def test_a_pilot_has_each_value_once_and_little_to_do(tmp_path: Path, mini_grid: MiniGrid) -> None:
    axes = AXES | {"intensity": [0.5, 1.0], "model": ["small", "bigram"]}
    training = {
        "batch_tokens": 64,
        "window": 16,
        "max_steps": 500,
        "budget": {"kind": "flops", "amount": 1e9},
    }
    grid = open_grid(str(mini_grid(tmp_path, axes=axes, training=training)))
    small = pilot.miniature(grid)
    ids = {cell.id for cell in grid.cells.cells}
    assert {cell.id for cell in small.cells.cells} < ids
    positions = {name: grid.cells.position(name) for name in ("rewrites", "intensity", "model", "train_on")}
    of = [{name: cell.values[i].text for name, i in positions.items()} for cell in small.cells.cells]
    for name, values in {"rewrites": {"rename", "parens"}, "intensity": {"0.5", "1"}}.items():
        assert {one[name] for one in of} >= values
    trained = {(one["model"], one["train_on"]) for one in of}
    mixes = ("original", "original+augmented", "original+original")
    assert trained == {(model, mix) for model in ("small", "bigram") for mix in mixes}
    seeds = {cell.values[grid.cells.position("seed")].text for cell in small.cells.cells}
    assert seeds == {"1", "2"}
    assert {cell.baseline_id for cell in small.cells.cells} <= {cell.id for cell in small.cells.cells}
    specs = list(small.specs())
    assert {spec.training.max_steps for spec in specs} == {30}
    assert {spec.training.budget for spec in specs} == {None}
    assert {spec.corpus.keep.max_samples for spec in specs} == {200}
    assert len(small.plan.by_cell) == len(small.cells.cells)
    assert small.spec.name == "mini-pilot"


def test_a_pilot_has_a_folder_of_its_own_and_its_steps_are_kept(tmp_path: Path, mini_grid: MiniGrid) -> None:
    axes = {"rewrites": ["rename"], "seed": [1], "model": ["bigram"]}
    grid = open_grid(str(mini_grid(tmp_path, axes=axes)))
    small, root = pilot.miniature(grid), tmp_path / "results"
    assert run(small, root).run() == DONE
    about = json.loads((root / "mini-pilot" / "run.json").read_text())
    assert (about["name"], about["pilot"], about["claims"]) == (
        "mini-pilot",
        True,
        {"primary": {}, "margin": {}},
    )
    assert not (root / "mini" / "run.json").exists()
    assert keeping.needed(root) >= set(small.plan.steps)
    (tmp_path / "named").mkdir()
    named = open_grid(str(mini_grid(tmp_path / "named", name="mini-pilot")))
    with pytest.raises(BadInput, match="belongs to another spec of the same name"):
        run(named, root).check_owner()
