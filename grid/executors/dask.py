"""The same jobs on an existing Dask cluster that shares the results folder: SLURM, Kubernetes, by hand.

One future per job; the worker runs the job's process as the local executor does. What joblib's Dask backend
does when a task kills its worker each time (it hangs) can't happen: the future then fails by itself.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import Any

from grid.executors import local
from grid.hosts import Hosts
from grid.scheduler import slots as kinds
from grid.scheduler.executor import Exit, Stateless
from grid.scheduler.slots import Slot
from preprocessing.errors import BadInput

CONNECT_S = 10.0
BEAT_S = 1.0
SILENCE_S = 30.0  # without a beat of the driver for so long, a worker ends the job
NO_WORKER_S = 60.0


def make(hosts: Hosts) -> tuple[Executor, list[Slot]]:
    """Connect to the cluster of a hosts file; one slot per worker thread, and per GPU that workers declare.

    Raises:
        BadInput: no address, no `distributed`, no scheduler there, or a scheduler without workers.
    """
    if hosts.dask is None:
        raise BadInput("the dask executor needs --dask ADDRESS, or dask: in the hosts file")
    try:
        from distributed import Client
    except ImportError:
        raise BadInput("the dask executor needs the package `distributed`: pip install distributed") from None
    try:
        client: Any = Client(hosts.dask, timeout=CONNECT_S)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise BadInput(f"dask: no scheduler answers at {hosts.dask}: {error}") from None
    workers = client.scheduler_info(n_workers=-1)["workers"]
    threads = sum(worker["nthreads"] for worker in workers.values())
    gpus = sum(int(worker.get("resources", {}).get("GPU", 0)) for worker in workers.values())
    if not threads:
        client.close()
        raise BadInput(f"dask: {hosts.dask} has no workers")
    made = [Slot(name=f"dask{n}", kinds=kinds.CPU_KINDS if gpus else kinds.ALL_KINDS) for n in range(threads)]
    made += [Slot(name=f"dask-gpu{n}", kinds=kinds.GPU_KINDS, gpu=local.INHERIT_GPU) for n in range(gpus)]
    return Executor(client, timeout_s=hosts.timeout_s), made


class Executor(Stateless):
    """Submits jobs to a `distributed.Client`; job files, events and results go over the shared folder."""

    def __init__(self, client: Any, *, timeout_s: float | None = None) -> None:
        self.client, self.timeout_s = client, timeout_s
        self._stopped = threading.Event()

    def run(self, file: Path, slot: Slot) -> Exit:
        """Submit one job and wait; beats tell the worker that the driver lives."""
        if self._stopped.is_set():
            return Exit(code=-15, failure="cancelled", reason="stopped before it began")
        beat = file.with_name("beat")
        beat.write_text("0")
        future = self.client.submit(
            do,
            str(file.resolve()),
            slot.gpu,
            self.timeout_s,
            pure=False,
            resources={"GPU": 1} if slot.gpu else None,
        )
        try:
            return self._wait(future, beat)
        finally:
            beat.unlink(missing_ok=True)  # a worker that still runs the job ends it
            with contextlib.suppress(Exception):
                future.cancel()

    def stop(self) -> None:
        """End all jobs: their beats stop."""
        self._stopped.set()

    def _wait(self, future: Any, beat: Path) -> Exit:
        seen = time.monotonic()
        for count in range(1, 10**9):
            with contextlib.suppress(OSError):
                beat.write_text(str(count))
            if future.done():
                return _ended(future)
            if self._stopped.wait(BEAT_S / 4):
                return Exit(code=-15, failure="cancelled", reason="stopped")
            if self.client.status != "running":
                return Exit(code=-1, failure="infra", reason="the connection to the Dask scheduler is lost")
            if count % 20 == 0 and self.client.scheduler_info(n_workers=-1)["workers"]:
                seen = time.monotonic()
            if time.monotonic() - seen > NO_WORKER_S:
                return Exit(code=-1, failure="infra", reason=f"no Dask worker for {NO_WORKER_S:g} s")
        raise AssertionError("unreachable")


def _ended(future: Any) -> Exit:
    if future.status == "finished":
        code, failure, reason = future.result()
        return Exit(code=code, failure=failure, reason=reason)
    if future.status == "error":
        error = future.exception()
        return Exit(code=-1, failure="lost", reason=f"{type(error).__name__}: {error}"[:300])
    return Exit(code=-1, failure="lost", reason=f"Dask says: {future.status}")


def do(file: str, gpu: str, timeout_s: float | None) -> tuple[int, str | None, str]:
    """On a worker: run the job's process; end it when the driver's beat stops."""
    executor = local.Executor(timeout_s=timeout_s)
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(Path(file).with_name("beat"), executor, over), daemon=True)
    watch.start()
    try:
        done = executor.run(Path(file), Slot(name="dask", kinds=kinds.ALL_KINDS, gpu=gpu))
    finally:
        over.set()
    return done.code, done.failure, done.reason


def _watch(beat: Path, executor: local.Executor, over: threading.Event) -> None:
    """Stop the job when `beat` is gone or hasn't changed for long: no clocks are compared."""
    last, since = "", time.monotonic()
    while not over.wait(BEAT_S):
        try:
            text = beat.read_text()
        except FileNotFoundError:
            executor.stop()
            return
        except OSError:
            text = last
        if text != last:
            last, since = text, time.monotonic()
        elif time.monotonic() - since > SILENCE_S:
            executor.stop()
            return
