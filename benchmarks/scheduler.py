"""Planning, no-op runs, overhead per step and makespan: `python -m benchmarks.scheduler`.

Prints one JSON object. Goals: plan of 100,000 cells <= 10 s and <= 500 MB; no-op run of 1,000 finished
cells <= 2 s; the local executor <= 50 ms per step over the interpreter's own start; makespan <= 1.05 x the
lower bound. CPU seconds are given beside wall seconds: they hold on a machine that is busy otherwise.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grid.engines.docker_host import DockerHost
from grid.executors import dask, docker, inprocess, local
from grid.hosts import Hosts
from grid.keys import digest
from grid.plan.graph import Step
from grid.plan.jobs import Job
from grid.scheduler.driver import Driver, Silent
from grid.scheduler.queue import Policy
from grid.scheduler.slots import Slot
from grid.store.finished import Store

SPEC = """\
name: big
corpus: {source: {kind: directory, path: CODE}, shards: 4}
rewrites: {a: [rename_variable], b: [parentheses], c: [dead_branch], d: [unused_variable]}
tokenizer: {kind: bpe, vocab_size: 500}
models: {small: {kind: gru, d_model: 8}, large: {kind: gru, d_model: 16}}
axes:
  rewrites: [a, b, c, d]
  intensity: INTENSITIES
  train_on: [original, augmented, original+augmented]
  model: [small, large]
  seed: SEEDS
  training.learning_rate: [0.01, 0.003]
override: [{when: {model: large}, set: {training.max_steps: 4000}}]
max_cells: 1000000
"""


def write_spec(folder: Path, intensities: int, seeds: int) -> Path:
    """A spec with 48 x intensities x seeds cells over one small file."""
    (folder / "code").mkdir(exist_ok=True)
    (folder / "code" / "a.py").write_text("x = 1\n")
    rates = [round((n + 1) / intensities, 6) for n in range(intensities)]
    text = SPEC.replace("CODE", str(folder / "code")).replace("INTENSITIES", str(rates))
    spec = folder / "big.yaml"
    spec.write_text(text.replace("SEEDS", str(list(range(seeds)))))
    return spec


PLAN = """
import json, resource, sys, time
began = time.perf_counter()
from grid.plan.opening import open_grid
from grid.plan import jobs
from grid.store.finished import Store
from pathlib import Path
grid = open_grid(sys.argv[1])
cells = len(grid.cells.cells)
expanded = time.perf_counter() - began
steps = len(grid.plan.steps)
planned = time.perf_counter() - began
todo = len(jobs.group(jobs.state(grid.plan, Store(Path(sys.argv[2]))).missing))
grouped = time.perf_counter() - began
usage = resource.getrusage(resource.RUSAGE_SELF)
about = dict(cells=cells, steps=steps, jobs=todo, expand_s=expanded, plan_s=planned, group_s=grouped)
print(json.dumps(dict(**about, cpu_s=usage.ru_utime + usage.ru_stime, peak_mb=usage.ru_maxrss / 1024)))
"""


def plan(folder: Path) -> dict[str, Any]:
    """Seconds and memory to plan 100,000 cells in a process of its own, imports included."""
    spec = write_spec(folder, intensities=42, seeds=50)
    done = subprocess.run(
        [sys.executable, "-c", PLAN, str(spec), str(folder)], capture_output=True, text=True, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


FINISH = """
import sys
from pathlib import Path
from grid.plan import jobs
from grid.plan.opening import open_grid
from grid.store.finished import Store
grid, store = open_grid(sys.argv[1]), Store(Path(sys.argv[2]) / "store")
for key, step in grid.plan.steps.items():
    with store.writing(step.kind, key) as folder:
        (folder / "file").write_text("x")
        facts = {"document": step.document(), "inputs": {}, "facts": {}, "wall_s": 1.0, "finished": 0.0}
        store.publish(folder, step.kind, key, facts)
from grid.results import cell_status
from grid.results.folder import Folder, write_json
state = jobs.state(grid.plan, store)
found = list(cell_status.statuses(grid.plan, state.manifests, {}))
folder = Folder(Path(sys.argv[2]), "big")
folder.claim(grid.document.data, grid.document.text)
write_json(folder.path / "run.json", {"fingerprint": cell_status.fingerprint(grid.plan, found)})
(folder.path / "report.html").write_text("x")
print(len(found))
"""


def noop(folder: Path) -> dict[str, Any]:
    """Seconds of `augrid run` on a finished grid of 1,000 cells (empty artifacts)."""
    spec = write_spec(folder, intensities=5, seeds=4)
    made = subprocess.run(
        [sys.executable, "-c", FINISH, str(spec), str(folder)], capture_output=True, text=True, check=True
    )
    command = [sys.executable, "-m", "grid", "run", str(spec), "--results", str(folder)]
    walls = []
    cpu = _children_cpu_s()
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        walls.append(time.perf_counter() - began)
    cpu_s = (_children_cpu_s() - cpu) / 3
    return {"cells": int(made.stdout), "noop_s": sorted(walls)[1], "noop_cpu_s": cpu_s}


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def probes(seconds: list[float]) -> list[Job]:
    """Independent steps that sleep."""
    steps = [
        Step("probe", digest([n, s]), str(n), {"n": n, "seconds": s}, (), (), {})
        for n, s in enumerate(seconds)
    ]
    return [Job(f"probe-{n}", "probe", (step,), ()) for n, step in enumerate(steps)]


def drive(folder: Path, todo: list[Job], executor: Any, slots: int) -> float:
    """Wall time of jobs that all finish."""
    host = "here" if isinstance(executor, docker.Executor) else "local"
    driver = Driver(
        store=Store(folder / "store"),
        folder=folder / "logs",
        executor=executor,
        slots=[Slot(name=f"s{n}", kinds=frozenset({"probe"}), host=host) for n in range(slots)],
        display=Silent(),
        policy=Policy(),
        expected_s=lambda job: float(job.steps[0].parameters["seconds"]),
    )
    began = time.perf_counter()
    report = driver.run(todo)
    wall = time.perf_counter() - began
    assert all(outcome.status == "done" for outcome in report.outcomes.values()), report
    return wall


def overhead(folder: Path, n: int, docker_url: str | None, dask_address: str | None) -> dict[str, float]:
    """Milliseconds per empty step, one at a time, and of a bare interpreter start."""
    began = time.perf_counter()
    for _ in range(n):
        subprocess.run([sys.executable, "-c", "pass"], check=True)
    bare = (time.perf_counter() - began) / n
    executors: dict[str, Any] = {"inprocess": inprocess.Executor(), "local": local.Executor()}
    if docker_url is not None:
        host = DockerHost(name="here", url=docker_url, slots=1)
        executors["docker"] = docker.make(Hosts(hosts=[host]))[0]
    if dask_address is not None:
        executors["dask"] = dask.make(Hosts(dask=dask_address))[0]
    result = {"interpreter_ms": bare * 1000}
    for name, executor in executors.items():
        drive(folder / f"warm-{name}", probes([0.0]), executor, 1)
        result[f"{name}_ms"] = drive(folder / name, probes([0.0] * n), executor, 1) / n * 1000
    result["local_over_interpreter_ms"] = result["local_ms"] - result["interpreter_ms"]
    return result


def makespan(folder: Path, steps: int, slots: int) -> dict[str, float]:
    """Wall time of sleeping steps of mixed length against the lower bound."""
    rng = random.Random(1)  # noqa: S311 - no secret
    seconds = [round(rng.uniform(0.2, 3.0), 2) for _ in range(steps)]
    bound = max(sum(seconds) / slots, max(seconds))
    wall = drive(folder / "makespan", probes(seconds), local.Executor(), slots)
    return {"bound_s": bound, "wall_s": wall, "ratio": wall / bound}


def main() -> None:
    """Run all four and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["plan", "noop", "overhead", "makespan"], action="append")
    parser.add_argument("--steps", type=int, default=200, help="sleeping steps of the makespan")
    parser.add_argument("--docker", metavar="URL", help="an engine with the image: its overhead, too")
    parser.add_argument("--dask", metavar="ADDRESS", help="a scheduler with a worker: its overhead, too")
    chosen = parser.parse_args()
    benchmarks: dict[str, Callable[[Path], dict[str, float]]] = {
        "plan": plan,
        "noop": noop,
        "overhead": lambda folder: overhead(folder, 20, chosen.docker, chosen.dask),
        "makespan": lambda folder: makespan(folder, chosen.steps, 8),
    }
    results: dict[str, Any] = {}
    for name, benchmark in benchmarks.items():
        if not chosen.only or name in chosen.only:
            with tempfile.TemporaryDirectory() as folder:
                results[name] = benchmark(Path(folder))
    results["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
