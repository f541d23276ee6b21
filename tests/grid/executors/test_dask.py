"""Against a real Dask scheduler and worker processes."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from grid.executors import dask, local
from grid.hosts import Hosts
from grid.scheduler.driver import Driver, Silent
from grid.store.finished import Store
from preprocessing.errors import BadInput

pytest.importorskip("distributed")


class Cluster:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--no-dashboard")
        for _ in range(200):
            if self.file.exists():
                break
            time.sleep(0.1)
        self.workers = [self._worker() for _ in range(2)]
        self.kills = 0

    def _worker(self, *more: str, **environment: str) -> subprocess.Popen[bytes]:
        return self._start("worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", *more, **environment)

    def _start(self, what: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", what, "--scheduler-file", str(self.file), *arguments]
        env = {**os.environ, **environment}
        return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def add_gpu(self) -> None:
        """Put a worker that declares a GPU in the place of one that has none."""
        self.workers[1].kill()
        self.workers[1].wait()
        self.workers[1] = self._worker("--resources", "GPU=1", CUDA_VISIBLE_DEVICES="GPU-of-the-worker")

    def connect(self, n: int = 2) -> tuple[dask.Executor, list[Any]]:
        address = json.loads(self.file.read_text())["address"]
        for _ in range(100):
            try:
                executor, slots = dask.make(Hosts(dask=address))
            except BadInput:
                time.sleep(0.2)
                continue
            if len(slots) == n:
                return executor, slots
            executor.client.close()
            time.sleep(0.2)
        raise AssertionError("the workers didn't come")

    def kill_whoever_runs(self, job: str) -> None:
        """Kill the worker that runs this job, and start another in its place."""
        for n, worker in enumerate(self.workers):
            children = psutil.Process(worker.pid).children(recursive=True)
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(job in " ".join(child.cmdline()) for child in children):
                    worker.kill()
                    worker.wait()
                    self.workers[n] = self._worker()
                    self.kills += 1

    def end(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.end()


def driver(tmp_path: Path, executor: Any, slots: list[Any]) -> Driver:
    return Driver(
        store=Store(tmp_path / "store"),
        folder=tmp_path / "logs",
        executor=executor,
        slots=slots,
        display=Silent(),
    )


@pytest.mark.slow
def test_contract_and_a_worker_that_is_killed(tmp_path: Path, cluster: Cluster, probe_job: Any) -> None:
    executor, slots = cluster.connect()
    first = probe_job("first")
    bad = probe_job("bad", first, fail="on purpose")
    blocked = probe_job("blocked", bad)
    rest = [probe_job(f"rest{n}", first, seconds=2) for n in range(3)]

    def kill() -> None:
        while not cluster.kills:
            cluster.kill_whoever_runs(rest[0].id)
            time.sleep(0.1)

    threading.Thread(target=kill, daemon=True).start()
    report = driver(tmp_path, executor, slots).run([first, bad, blocked, *rest])
    assert cluster.kills == 1
    status = {job.id: report.outcomes[job.steps[0].key].status for job in (first, bad, blocked, *rest)}
    assert list(status.values()) == ["done", "failed", "blocked", "done", "done", "done"]
    executor.client.close()


@pytest.mark.slow
def test_jobs_for_gpus_go_to_workers_that_declare_them(
    tmp_path: Path, cluster: Cluster, probe_job: Any
) -> None:
    cluster.add_gpu()
    executor, slots = cluster.connect(3)  # two threads and a GPU
    assert [("train" in slot.kinds, "variant" in slot.kinds) for slot in slots] == [(False, True)] * 2 + [
        (True, False)
    ]
    jobs = [probe_job(str(n)) for n in range(4)]
    driver(tmp_path, executor, slots[2:]).run(jobs)
    store = Store(tmp_path / "store")
    facts = [store.verify("probe", job.steps[0].key)["facts"] for job in jobs]
    assert [fact["gpus"] for fact in facts] == ["GPU-of-the-worker"] * 4
    executor.client.close()


@pytest.mark.slow
def test_a_job_that_kills_its_worker_each_time(tmp_path: Path, cluster: Cluster, probe_job: Any) -> None:
    executor, slots = cluster.connect()
    deadly = probe_job("deadly", seconds=60)
    rest = [probe_job(f"rest{n}", seconds=1) for n in range(3)]
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.1):
            cluster.kill_whoever_runs(deadly.id)

    killer = threading.Thread(target=kill)
    killer.start()
    report = driver(tmp_path, executor, slots).run([deadly, *rest])
    over.set()
    killer.join()
    assert cluster.kills >= 3
    assert report.outcomes[deadly.steps[0].key].failure == "lost"
    assert [report.outcomes[job.steps[0].key].status for job in rest] == ["done"] * 3
    executor.client.close()


@pytest.mark.slow
def test_a_cluster_that_loses_all_its_workers_ends_the_run(
    tmp_path: Path, cluster: Cluster, probe_job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask, "NO_WORKER_S", 3.0)
    executor, slots = cluster.connect()
    for worker in cluster.workers:
        worker.kill()
    job = probe_job("alone", seconds=1)
    report = driver(tmp_path, executor, slots).run([job])
    outcome = report.outcomes[job.steps[0].key]
    assert outcome.status == "failed"
    assert outcome.failure == "infra"
    assert "no Dask worker" in outcome.error
    executor.client.close()


@pytest.mark.slow
def test_stopping_ends_what_runs_on_workers(tmp_path: Path, cluster: Cluster, probe_job: Any) -> None:
    executor, slots = cluster.connect()

    def stop() -> None:
        for _ in range(100):
            if list((tmp_path / "store").glob("tmp/*")):
                break
            time.sleep(0.1)
        one.interrupt()

    one = driver(tmp_path, executor, slots)
    threading.Thread(target=stop).start()
    report = one.run([probe_job("long", seconds=300)])
    assert report.interrupted
    for _ in range(100):
        children = [p for w in cluster.workers for p in psutil.Process(w.pid).children(recursive=True)]
        if not children:
            break
        time.sleep(0.1)
    assert children == []
    executor.client.close()


def test_bad_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "CONNECT_S", 0.5)
    with pytest.raises(BadInput, match="needs --dask"):
        dask.make(Hosts())
    with pytest.raises(BadInput, match="no scheduler answers"):
        dask.make(Hosts(dask="tcp://127.0.0.1:9"))


def test_a_worker_ends_a_job_whose_driver_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Recorder(local.Executor):
        stopped = False

        def stop(self) -> None:
            self.stopped = True

    beat = tmp_path / "beat"
    beat.write_text("1")
    monkeypatch.setattr(dask, "BEAT_S", 0.01)
    monkeypatch.setattr(dask, "SILENCE_S", 0.1)
    recorder = Recorder()
    dask._watch(beat, recorder, threading.Event())
    assert recorder.stopped
