"""A job's process and all that it starts die with the driver, however the driver dies."""

from __future__ import annotations

import ctypes
import json
import os
import signal
from pathlib import Path

PR_SET_PDEATHSIG = 1


def die_with_driver(descriptor: int = 0) -> None:
    """Fork a watcher that kills this process's group when the pipe at `descriptor` closes.

    The driver holds the other end of the pipe (the job's standard input) and nobody else does, so it
    closes when the driver ends, also by SIGKILL. A process of its own, not a thread: it needs no
    interpreter lock. The watcher itself dies with this process, by the kernel's parent death signal.
    """
    parent = os.getpid()
    if os.fork():
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    while os.getppid() == parent:
        if not os.read(descriptor, 4096):
            os.killpg(0, signal.SIGKILL)
    os._exit(0)


def told(descriptor: int = 0) -> Path | None:
    """Wait until the driver says which job file to do, and where its log is; None when it says nothing more.

    What is said is one line of JSON: file, log, and environment. It comes before any library that looks
    into the environment is loaded.
    """
    line = b""
    while not line.endswith(b"\n"):
        read = os.read(descriptor, 65536)
        if not read:
            return None
        line += read
    order = json.loads(line)
    os.environ.update(order["environment"])
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    return Path(order["file"])
