"""One subprocess per job on this machine, each in a process group of its own that dies with the driver."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from grid.executors.base import Exit, Stateless
from grid.hosts import Hosts
from grid.scheduler import Slot

POLL_S = 0.02
WATCH_S = 0.5
INHERIT_GPU = "inherit"  # as `Slot.gpu`: what the environment says
GRACE_S = 2.0


def make(hosts: Hosts) -> tuple[Executor, list[Slot]]:
    """An executor with the limits of a hosts file, and the slots of this machine."""
    return Executor(timeout_s=hosts.timeout_s), hosts.make_slots()


class Executor(Stateless):
    """Runs `python -m grid step FILE.json`; bounds threads, memory (resident, whole group) and time."""

    def __init__(self, *, timeout_s: float | None = None) -> None:
        self.timeout_s = timeout_s
        self._lock = threading.RLock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, file: Path, slot: Slot) -> Exit:
        """Start the job's process, wait for it, and end whatever it left behind."""
        with open(file.with_name("log.txt"), "ab") as log:
            process = self._start(file, slot, log.fileno())
            if process is None:
                return Exit(code=-signal.SIGTERM, failure="cancelled", reason="stopped before it began")
            try:
                exit_ = self._wait(process, slot)
            finally:
                _kill_group(process.pid, signal.SIGKILL)
                with self._lock:
                    self._running.discard(process)
                if process.stdin is not None:
                    process.stdin.close()
                process.wait()
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

    def _start(self, file: Path, slot: Slot, log: int) -> subprocess.Popen[bytes] | None:
        command = [sys.executable, "-m", "grid", "step", "--guarded", str(file)]
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(  # noqa: S603 - no shell, arguments are ours
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=_environment(slot),
            )
            self._running.add(process)
            return process

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
    threads = {
        name: str(slot.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    }
    gpus = {} if slot.gpu == INHERIT_GPU else {"CUDA_VISIBLE_DEVICES": slot.gpu}
    return {**os.environ, **threads, **gpus, "TOKENIZERS_PARALLELISM": "true"}


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
