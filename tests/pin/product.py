"""What the pin reads of the product: the one file here that knows its modules, functions and commands."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

ROOT = Path(__file__).parents[2]
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell: the texts of its axes, and by role (a test set is one) the keys of the steps behind it."""

    id: str
    baseline: str
    values: Mapping[str, str]
    steps: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step: what it reads as role → keys, and in `about` what a reader knows it by."""

    kind: str
    key: str
    group: str
    needs: Mapping[str, tuple[str, ...]]
    about: str


def planned(spec: str, raw_digest: str) -> tuple[list[Cell], list[Step], dict[str, str]]:
    """Cells and steps of a committed spec, in order, and the version of each kind of step.

    `raw_digest` takes the place of the digest of the corpus' data, which depends on the Python.
    """
    import tasks
    from grid.plan import graph, planner
    from grid.plan.opening import open_grid

    grid = open_grid(spec)
    task = tasks.lookup(grid.spec.task.kind)
    made = planner.make(grid.cells, grid.specs(), task, lambda config: raw_digest)
    cells = []
    for cell, behind in zip(made.cells.cells, made.by_cell, strict=True):
        artifacts = {"corpus": behind.corpus, "tokenizer": behind.tokenizer, "variant": behind.variant}
        artifacts |= {"train": behind.train, **{f"test {name}": test for name, test in behind.tests.items()}}
        keys = {role: one.keys for role, one in artifacts.items() if one is not None}
        values = {axis: value.text for axis, value in zip(made.cells.axes, cell.values, strict=True)}
        cells.append(Cell(id=cell.id, baseline=cell.baseline_id, values=values, steps=keys))
    steps = [
        Step(
            kind=step.kind,
            key=step.key,
            group=step.group,
            needs={role: artifacts.keys for role, artifacts in step.inputs.items()},
            about=_about(step.parameters),
        )
        for step in made.steps.values()
    ]
    return cells, steps, {kind: str(graph.version(kind)) for kind in graph.KINDS}


def _about(parameters: Mapping[str, Any]) -> str:
    """The few parameters that tell steps of one kind apart."""
    words = [name for name, _ in parameters.get("rewrites", ())]
    words += [f"{unit} {amount:g}" for unit, amount in parameters.get("intensity", {}).items()]
    words += [str(parameters["model"]["kind"])] if "model" in parameters else []
    words += [f"{name} {parameters[name]}" for name in ("seed", "shard") if name in parameters]
    return ", ".join(words)


def rewrites() -> list[str]:
    """The names of all rewrites."""
    from transformers_py import names

    return list(names())


@dataclass(frozen=True, kw_only=True)
class Intensity:
    """A share of the sites, or how many of them."""

    rate: float | None = None
    count: int | None = None


class Rewriter(Protocol):
    """Rewrites one text."""

    def __call__(self, names: list[str], intensity: Intensity, seed: int) -> str: ...


def rewriter(text: str) -> Rewriter:
    """Analyses a text once; the function takes names of rewrites, an intensity and a seed, and says what
    became of the text and what it is now.
    """
    from transformers_py import Source, emit

    source = Source.analyse(text)

    def rewritten(names: list[str], intensity: Intensity, seed: int) -> str:
        done = emit(source, names, rate=intensity.rate, count=intensity.count, seed=seed, key="pin")
        return f"{done.status}\n{done.text}"

    return rewritten


def run(spec: Path, folder: Path, *, code: Path = ROOT) -> Path:
    """Runs a grid in one process with one thread, with the code of a checkout; returns its results folder.

    Paths in the spec start at `folder`; the store is `folder/results/store`.
    """
    places = ("--results", "results", "--executor", "inprocess", "--no-report")
    _module("grid", "run", str(spec), *places, folder=folder, code=code)
    return folder / "results" / spec.stem


def report(results: Path, folder: Path, *, code: Path) -> None:
    """Makes figures, tables and report of a results folder, with the code of a checkout."""
    _module("analysis", str(results), folder=folder, code=code)


def modules(folder: Path) -> set[tuple[str, str]]:
    """Name and file of all modules that `run` and `report` have loaded in this folder."""
    listed = [json.loads(file.read_text()) for file in folder.glob("modules-*.json")]
    return {(name, file) for one in listed for name, file in one.items()}


PROGRAM = """
import atexit, json, runpy, sys

def tell():
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    with open(f"modules-{program}.json", "w") as listed:
        json.dump({name: file for name, file in files.items() if file}, listed)

sys.argv = sys.argv[1:]
program = sys.argv[0]
atexit.register(tell)
runpy.run_module(program, run_name="__main__")
"""


def _module(name: str, *arguments: str, folder: Path, code: Path) -> None:
    """`python -m NAME` in a folder with the packages of a checkout, whatever is installed.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    command = [sys.executable, "-P", "-c", PROGRAM, name, *arguments]
    environment = {**os.environ, **THREADS, "PYTHONPATH": str(code)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        raise RuntimeError(f"python -m {name} {' '.join(arguments)} with {code} failed:\n{said}")


def comparisons(results: Path) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Kind, scope, metric and difference table of all comparisons that analysis makes of a results folder; of
    the scopes that a variant decides on, the one table that tells of all.
    """
    from analysis.comparing.comparisons import compare
    from analysis.comparing.pairing import KINDS
    from analysis.comparing.where import where
    from analysis.report import difference_tables
    from analysis.results import Results

    read = Results(results)
    for kind in KINDS:
        for scope in (one for one in read.task.comparable if not read.task.scope(one).by_variant):
            compared = compare(read, kind, scope=scope)
            for metric in dict.fromkeys(compared.table["metric"]):
                yield kind, scope, metric, difference_tables.differences(read, compared, metric)
    places = where(read)
    for metric in dict.fromkeys(places["metric"]):
        yield "robustness", "where", metric, places[places["metric"] == metric]
