"""The commands that look after runs, on a planned grid whose artifacts are written by hand."""

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grid import executors, hosts
from grid.cli.app import app
from grid.cli.arguments import console
from grid.commands import keeping
from grid.commands.run import Run
from grid.plan.opening import Grid, open_grid
from grid.results.folder import Folder
from grid.store.finished import Store
from preprocessing.errors import BadInput
from tests.grid.conftest import MiniGrid


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def spec(tmp_path: Path, mini_grid: MiniGrid) -> str:
    changes = {
        "models": {"small": {"kind": "gru", "d_model": 8}},
        "training": {"batch_tokens": 64, "window": 16},
    }
    return str(mini_grid(tmp_path, code={"a.py": "x = 1\n"}, name="kept", **changes))


@pytest.fixture
def grid(spec: str) -> Grid:
    return open_grid(spec)


def finish(grid: Grid, root: Path) -> Store:
    """Every step of the grid as an artifact with one small file."""
    store = Store(root / "store")
    for key, step in grid.plan.steps.items():
        with store.writing(step.kind, key) as folder:
            (folder / "file").write_text("x" * 100)
            store.publish(
                folder, step.kind, key, {"document": step.document(), "finished": 1.0, "wall_s": 2.0}
            )
    folder_ = Folder(root, "kept")
    folder_.claim(grid.document.data, grid.document.text)
    return store


def test_find_cell(grid: Grid) -> None:
    cell = grid.cells.cells[0]
    assert keeping.find_cell(grid, cell.id[:8]) == (0, cell)
    with pytest.raises(BadInput, match="3 cells begin with it"):
        keeping.find_cell(grid, "")
    with pytest.raises(BadInput, match="no such cell"):
        keeping.find_cell(grid, "zzz")


def test_gc_takes_what_no_grid_needs(grid: Grid, spec: str, tmp_path: Path) -> None:
    store = finish(grid, tmp_path)
    with store.writing("train", "ab" * 32) as folder:
        (folder / "file").write_text("y")
        store.publish(folder, "train", "ab" * 32, {})
    assert "1 artifacts would be removed" in run("gc", "--dry-run", "--results", tmp_path).output
    assert store.has("train", "ab" * 32)
    run("gc", "--results", tmp_path)
    assert not store.has("train", "ab" * 32)
    assert all(store.has(step.kind, key) for key, step in grid.plan.steps.items())


def test_gc_refuses_when_it_can_t_know(grid: Grid, tmp_path: Path) -> None:
    finish(grid, tmp_path)
    (tmp_path / "kept" / "spec.json").write_text("{")
    with pytest.raises(BadInput, match="nobody knows what it needs"):
        keeping.collect(tmp_path, dry_run=False)


def test_rm_removes_a_cell_s_own_steps(grid: Grid, spec: str, tmp_path: Path) -> None:
    store = finish(grid, tmp_path)
    cell, steps = grid.cells.cells[0], grid.plan.by_cell[0]
    result = run("rm", spec, cell.id, "--results", tmp_path)
    assert "3 artifacts removed" in result.output  # one training, two test sets
    assert not store.has("train", steps.train.name)
    assert steps.variant is not None
    assert store.has("variant", steps.variant.name)


def test_ls_verify_sets_aside(grid: Grid, tmp_path: Path) -> None:
    store = finish(grid, tmp_path)
    assert "evaluate" in run("ls", "--results", tmp_path).output
    (store.path("train", grid.plan.by_cell[0].train.name) / "file").write_text("z" * 100)
    result = run("ls", "--verify", "--results", tmp_path)
    assert result.exit_code == 1
    assert "1 damaged" in result.output
    assert not store.has("train", grid.plan.by_cell[0].train.name)


def test_plan_why_names_the_field(grid: Grid, spec: str, tmp_path: Path) -> None:
    finish(grid, tmp_path)
    assert "nothing to do" in run("plan", spec, "--why", "--results", tmp_path).output
    result = run("plan", spec, "--why", "--results", tmp_path, "--set", "training.max_steps=7")
    assert "parameters.training.max_steps: 2000 -> 7" in result.output
    assert "inputs.train: another train, which must be made too" in result.output


def test_diff(grid: Grid, spec: str) -> None:
    first, second, _ = (cell.id for cell in grid.cells.cells)
    result = run("diff", spec, first, second)
    assert "rewrites: rename | parens" in result.output
    assert "1 corpus, 1 tokenizer" in result.output


def test_logs(grid: Grid, tmp_path: Path) -> None:
    finish(grid, tmp_path)
    assert keeping.logs(grid, tmp_path, 0) == []
    job = tmp_path / "kept" / "logs" / f"train-{grid.plan.by_cell[0].train.name[:12]}"
    job.mkdir(parents=True)
    (job / "log.txt").write_text("--- began")
    assert keeping.logs(grid, tmp_path, 0) == [job / "log.txt"]


def test_stop_of_what_doesn_t_run(grid: Grid, spec: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "grid", "stop", spec, "--results", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "kept is not running" in done.stderr


def test_only_and_retry(grid: Grid, tmp_path: Path) -> None:
    from grid.commands import cell_choice

    finish(grid, tmp_path)
    rename, parens, baseline = grid.cells.cells
    assert cell_choice.cells(grid, [], None, tmp_path) is None
    assert cell_choice.cells(grid, ["rewrites=rename"], None, tmp_path) == {rename.id, baseline.id}
    for written in ("1", "1.0", "{rate: 1}"):
        assert cell_choice.cells(grid, [f"intensity={written}"], None, tmp_path) == {
            rename.id,
            parens.id,
            baseline.id,
        }
    with pytest.raises(BadInput, match="the axis has no such value"):
        cell_choice.cells(grid, ["intensity=0.7"], None, tmp_path)
    with pytest.raises(BadInput, match="did you mean 'rename'"):
        cell_choice.cells(grid, ["rewrites=renam"], None, tmp_path)
    with pytest.raises(BadInput, match="no cell failed like that"):
        cell_choice.cells(grid, [], "oom", tmp_path)
    steps = grid.plan.by_cell[1]
    failed = {steps.tests["augmented"].name: {"status": "failed", "failure": "oom_host"}}
    (tmp_path / "kept" / cell_choice.FILE).write_text(json.dumps(failed))
    assert cell_choice.cells(grid, [], "oom", tmp_path) == {parens.id}
    assert cell_choice.cells(grid, [], "failed", tmp_path) == {parens.id}


def test_a_full_disk_is_said_plainly(grid: Grid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Run, wanted: set[str] | None) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    monkeypatch.setattr(Run, "make", full)
    worker, free = executors.lookup("inprocess", hosts.Hosts())
    one = Run(grid=grid, root=tmp_path, slots=free, executor=worker, console=console)
    with pytest.raises(BadInput, match=r"somewhere: No space left on device; make room .* are kept"):
        one.run()


def test_a_place_that_can_t_be_written(grid: Grid, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    worker, free = executors.lookup("inprocess", hosts.Hosts())
    one = Run(grid=grid, root=tmp_path / "file", slots=free, executor=worker, console=console)
    with pytest.raises(BadInput, match="can't write here"):
        one.run()
