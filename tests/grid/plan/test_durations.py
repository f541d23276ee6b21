from pathlib import Path

import pytest

from grid.plan.durations import Durations
from grid.plan.graph import Step
from grid.plan.jobs import state
from grid.plan.opening import open_grid
from grid.plan.planner import Plan
from grid.store.finished import Store
from tests.grid.conftest import MiniGrid

WALL_S = {"gru": 100.0, "ngram": 2.0}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def other(tmp_path: Path, store: Store, mini_grid: MiniGrid) -> Plan:
    """A plan with another seed than one whose steps are all in the store: 5 s each, but for trainings."""
    axes = {"rewrites": ["rename"], "intensity": [1.0], "model": ["small", "bigram"], "seed": [1]}
    file = mini_grid(tmp_path, code=1, axes=axes)
    for key, step in (plan := open_grid(str(file)).plan).steps.items():
        trained = plan.steps[step.inputs["train"].keys[0]] if step.kind == "evaluate" else step
        wall_s = WALL_S[trained.parameters["model"]["kind"]] if trained.kind == "train" else 5.0
        with store.writing(step.kind, key) as folder:
            inputs = {role: {"kind": a.kind, "keys": list(a.keys)} for role, a in step.inputs.items()}
            about = {"document": step.document(), "inputs": inputs, "wall_s": wall_s, "finished": 0.0}
            store.publish(folder, step.kind, key, about)
    return open_grid(str(file), ["axes.seed=[2]"]).plan


@pytest.fixture
def missing(other: Plan, store: Store) -> list[Step]:
    return list(state(other, store).missing.values())


@pytest.fixture
def past(other: Plan, store: Store, missing: list[Step]) -> Durations:
    return Durations(store, other, {step.kind for step in missing})


def test_what_no_grid_has_done_is_of_unknown_length(other: Plan, missing: list[Step], tmp_path: Path) -> None:
    nothing = Durations(Store(tmp_path / "empty"), other, ["train"])
    assert {nothing.step_s(step) for step in missing} == {None}


def test_steps_of_another_grid_tell_how_long_a_kind_of_step_takes(
    past: Durations, missing: list[Step]
) -> None:
    assert {past.step_s(step) for step in missing if step.kind in ("variant", "encode")} == {5.0}
    assert past.by_kind_s["variant"] == 5.0


def test_trainings_take_as_long_as_those_of_their_kind_of_model(past: Durations, missing: list[Step]) -> None:
    trainings = [step for step in missing if step.kind == "train"]
    assert {step.parameters["model"]["kind"]: past.step_s(step) for step in trainings} == WALL_S


def test_so_do_scores(past: Durations, missing: list[Step]) -> None:
    assert {past.step_s(step) for step in missing if step.kind == "evaluate"} == set(WALL_S.values())
