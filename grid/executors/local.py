"""One subprocess per job on this machine, each in a process group of its own that dies with the driver.

While jobs run, as many processes as there are jobs are started ahead and wait for the next ones: starting an
interpreter costs more than an empty step, and this way nobody waits for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from grid.hosts import Hosts
from grid.plan.jobs import Job
from grid.scheduler import slots
from grid.scheduler.executor import Exit, Stateless
from grid.scheduler.slots import Slot
from preprocessing import interpreter

POLL_S = 0.02
WATCH_S = 0.5
SETTLED_S = 0.2  # by then a job has started, and so have others that began at the same time
INHERIT_GPU = "inherit"  # as `Slot.gpu`: what the environment says
GRACE_S = 2.0


def make(hosts: Hosts) -> tuple[Executor, list[Slot]]:
    """An executor with the limits of a hosts file, and the slots of this machine, which does everything.

    Raises:
        BadInput: slots that can't be, or none for some kind of step.
    """
    return Executor(timeout_s=hosts.timeout_s), hosts.model_copy(update={"hosts": []}).make_slots()


class Executor(Stateless):
    """Runs `python -m grid step FILE.json`; bounds threads, memory (resident, whole group) and time."""

    def __init__(self, *, timeout_s: float | None = None) -> None:
        self.timeout_s = timeout_s
        self._lock = threading.RLock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ahead: list[subprocess.Popen[bytes]] = []
        self._logs, self._left = Path(), 0  # jobs that weren't asked for yet
        self._stopped = False

    def open(self, logs: Path, todo: Sequence[Job]) -> dict[str, str]:
        """From now on processes are started ahead; nothing outlives a run."""
        self._logs, self._left = logs, len(todo)
        return {}

    def close(self) -> None:
        """End the processes that were started ahead."""
        with self._lock:
            self._left = 0
            unused, self._ahead = self._ahead, []
        for process in unused:
            _end(process)

    def run(self, file: Path, slot: Slot) -> Exit:
        """Start the job's process, wait for it, and end whatever it left behind."""
        with self._lock:
            process = None if self._stopped else self._given(file, slot) or self._start(file, slot)
            if process is None:
                return Exit(code=-signal.SIGTERM, failure="cancelled", reason="stopped before it began")
            self._running.add(process)
            self._left -= 1
        try:
            if not _ends_within(process, SETTLED_S):
                self._start_ahead()
            exit_ = self._wait(process, slot)
        finally:
            with self._lock:
                self._running.discard(process)
            _end(process)
        if self._stopped:
            return Exit(code=process.returncode, failure="cancelled", reason="stopped")
        return exit_

    def stop(self) -> None:
        """SIGTERM to all groups, SIGKILL after two seconds to those that are left."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            _kill_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline and any(process.poll() is None for process in running):
            time.sleep(POLL_S)
        for process in running:
            _kill_group(process.pid, signal.SIGKILL)

    def _given(self, file: Path, slot: Slot) -> subprocess.Popen[bytes] | None:
        """A process that was started ahead and has been given this job; None if there is none (left)."""
        order = json.dumps({"file": str(file), "log": str(_log(file)), "environment": _environment(slot)})
        while self._ahead:
            process = self._ahead.pop(0)
            assert process.stdin is not None
            try:
                process.stdin.write(f"{order}\n".encode())
                process.stdin.flush()
            except OSError:  # somebody killed it while it waited
                _end(process)
            else:
                return process
        return None

    def _start_ahead(self) -> None:
        with self._lock:
            if self._left > len(self._ahead) and not self._stopped:
                self._ahead.append(_spawn(["--ahead", str(self._logs)], subprocess.DEVNULL, {}))

    def _start(self, file: Path, slot: Slot) -> subprocess.Popen[bytes]:
        with open(_log(file), "ab") as log:
            return _spawn(["--guarded", str(file)], log.fileno(), _environment(slot))

    def _wait(self, process: subprocess.Popen[bytes], slot: Slot) -> Exit:
        began = time.monotonic()
        while not _ends_within(process, WATCH_S):
            if self.timeout_s is not None and time.monotonic() - began > self.timeout_s:
                return Exit(
                    code=-signal.SIGKILL, failure="timeout", reason=f"took more than {self.timeout_s:g} s"
                )
            if slot.memory_bytes is not None:
                used = _resident(process.pid)
                if used > slot.memory_bytes:
                    reason = f"used {used / 2**30:.2f} GiB of {slot.memory_bytes / 2**30:.2f} GiB"
                    return Exit(code=-signal.SIGKILL, failure="oom_host", reason=reason)
        return _ended(process.wait())


def _spawn(arguments: list[str], output: int, more: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - no shell, arguments are ours
        interpreter.command("grid", "step", *arguments),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        start_new_session=True,
        env=interpreter.environment() | more,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a process's group, and reap it."""
    _kill_group(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    process.wait()


def _log(file: Path) -> Path:
    return file.with_name("log.txt")


def _ends_within(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Wait for the end of a process without polling, where the kernel can say it (Linux 5.3)."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout_s)
        return process.poll() is not None
    try:
        return bool(select.select([descriptor], [], [], timeout_s)[0])
    finally:
        os.close(descriptor)


def _ended(code: int) -> Exit:
    if code >= 0:
        return Exit(code=code)
    return Exit(code=code, failure="lost", reason=f"killed by {signal.Signals(-code).name}")


def _environment(slot: Slot) -> dict[str, str]:
    gpus = {} if slot.gpu == INHERIT_GPU else {"CUDA_VISIBLE_DEVICES": slot.gpu}
    return {**slots.bounded(slot.threads), **gpus, "TOKENIZERS_PARALLELISM": "true"}


def _kill_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _resident(pid: int) -> int:
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        for process in [leader, *leader.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total
