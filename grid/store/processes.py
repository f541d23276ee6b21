"""Who is running: names of processes that stay true after a reboot or a reused process id."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path


@cache
def host() -> str:
    """Name of this machine, safe in file names."""
    return "".join(c if c.isalnum() else "-" for c in os.uname().nodename) or "localhost"


def started(pid: int) -> str:
    """When process `pid` started, as an opaque text ("" when there is no such process).

    Kernel ticks since boot and the boot's id: neither a clock that jumps nor a process id that was
    given away again can make a dead process look alive.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (OSError, ValueError):
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else f"{fields[18]}.{boot[:8]}"


def identity() -> str:
    """This process, as host+pid+start."""
    return f"{host()}+{os.getpid()}+{started(os.getpid())}"


def is_dead(identity_text: str) -> bool | None:
    """Whether the process of an `identity()` has ended; None when it is on another host."""
    name, _, rest = identity_text.partition("+")
    pid, _, start = rest.partition("+")
    if name != host():
        return None
    return not pid.isdecimal() or started(int(pid)) != start
