"""What any task must keep to: ours, the toys of these tests, and those of the folders in AUGRID_TASKS."""

import json
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import models.kinds
import tasks
from analysis.statistics.descriptions import Description
from analysis.statistics.strata import STRATA
from models.config import ModelConfig
from models.lookup import MODELS
from preprocessing.corpus.building import CorpusConfig
from tasks import TASKS, EvaluationConfig, Task, TaskConfig
from tests.tasks import toy_grids
from tests.tasks.toy_grids import KINDS, TOYS, told
from transformers_py import options

ALL = sorted({*TASKS.names(), *KINDS})
TORCHLESS = """
import json, sys
import tasks
from models.lookup import MODELS
found = {}
for kind in tasks.TASKS.names():
    task = tasks.lookup(kind)
    [MODELS.lookup(model) for model in task.MODELS]
    found[kind] = sorted({"torch", "pandas", "pyarrow"} & set(sys.modules))
print(json.dumps(found))
"""


@pytest.fixture(params=ALL)
def task(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Task:
    """Each task that there is; toys are found as if AUGRID_TASKS named their folder."""
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(TOYS)])
    own = map(str, TOYS.glob("*/kinds"))
    monkeypatch.setattr(models.kinds, "__path__", [*models.kinds.__path__, *own])
    return tasks.lookup(request.param)


def test_the_toys_are_found_through_the_environment_and_import_without_torch() -> None:
    found = told(TORCHLESS)
    assert set(KINDS) <= set(found)
    assert "completion" in found
    assert not any(found.values()), found


def test_the_folder_may_be_relative_and_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOYS.parent)
    monkeypatch.setitem(toy_grids.ENVIRONMENT, "AUGRID_TASKS", "toys")
    assert set(KINDS) <= set(told(TORCHLESS))
    monkeypatch.setitem(toy_grids.ENVIRONMENT, "AUGRID_TASKS", "none")
    assert toy_grids.augrid("ls", code=2) == f"error: AUGRID_TASKS: no folder {TOYS.parent / 'none'}\n"


def test_it_is_named_like_its_folder(task: Task) -> None:
    assert isinstance(task, ModuleType)
    assert task.__file__ is not None
    name = Path(task.__file__).parent.name
    assert task.DESCRIPTION.name == task.Config.model_fields["kind"].default == name
    assert task.DESCRIPTION.version >= 1


def test_its_description_reads_back(task: Task) -> None:
    assert Description.from_plain(json.loads(json.dumps(task.DESCRIPTION.plain()))) == task.DESCRIPTION


def test_its_metrics_are_made_of_its_sums(task: Task) -> None:
    told, units = task.DESCRIPTION, task.UNITS
    assert told.unit.count == units.count
    assert [one.name for one in told.sums] == [one.name for one in units.sums]
    assert [one.optional for one in told.sums] == [one.optional for one in units.sums]
    one_unit = {name: np.ones(1) for name in (units.count, *(one.name for one in units.sums))}
    for metric in told.metrics:
        assert {*metric.sums, metric.by} - {None} <= set(one_unit)
        sums = {name: values[:, None] for name, values in one_unit.items()} if metric.by else one_unit
        assert metric.of(sums).shape == (1,)
        plain = vars(metric.form)
        assert STRATA % plain.get("bins", 1) == 0
        assert (STRATA * plain.get("coverage", 1.0)) % 1 == pytest.approx(0)


def test_its_scopes_are_those_of_its_units(task: Task) -> None:
    nothing = [np.zeros(0, dtype=np.int64) for _ in task.UNITS.places]
    found = dict(task.UNITS.scopes(*nothing))
    told = task.DESCRIPTION.scopes
    assert list(found) == [scope.name for scope in told if not scope.by_variant]
    if task.UNITS.paired is not None:
        found |= dict(task.UNITS.paired.scopes(np.zeros(0, dtype=np.uint8)))
    assert list(found) == [scope.name for scope in told]
    assert all(inside.shape == (0,) for inside in found.values())
    assert task.DESCRIPTION.comparable


def test_its_table_of_sums_is_one_that_analysis_reads(task: Task) -> None:
    schema = task.UNITS.table_of()
    assert schema.names[:4] == ["sample", "project", "scope", task.UNITS.count]
    assert all(kind in (pa.int64(), pa.float64()) for kind in schema.types[3:])


def test_its_sections_are_configs_that_may_be_left_out(task: Task) -> None:
    assert issubclass(task.Config, TaskConfig)
    assert issubclass(task.Evaluation, EvaluationConfig)
    config = task.Config.model_validate({"kind": task.DESCRIPTION.name})
    assert task.Evaluation().tests == ("original", "augmented")
    keyed = tasks.keyed(config)
    assert tasks.configured(keyed.get("task"))[1] == config


def test_what_it_needs_is_there(task: Task) -> None:
    plain: Any = CorpusConfig.model_validate({"source": {"kind": "stdlib"}}).model_dump()
    for path in task.CORPUS:
        value = plain
        for part in path.split("."):
            value = value[part]
    assert task.MODELS
    for model in task.MODELS:
        assert issubclass(MODELS.lookup(model).Config, ModelConfig)


def test_it_says_of_every_rewrite_whether_it_fits(task: Task) -> None:
    why = {rewrite: task.refuses(rewrite, {}) for rewrite in options.names()}
    assert set(map(type, why.values())) == {str}
    assert "" in why.values()


def test_its_functions_take_what_they_are_given(task: Task) -> None:
    for name in ("refuses", "encode", "objective", "evaluate"):
        own, asked = signature(getattr(task, name)), signature(getattr(Task, name))
        given = [one for one in asked.parameters.values() if one.name != "self"]
        assert [(one.name, one.kind) for one in own.parameters.values()] == [(g.name, g.kind) for g in given]
