"""Where results come from: code, packages, machine, command; part of every manifest and of run.json."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

PACKAGES = ("augrid", "torch", "libcst", "tokenizers", "numpy", "pyarrow", "pandas", "safetensors", "joblib")
_ASKING = threading.Lock()


@cache
def versions() -> dict[str, str]:
    """Versions of the packages that results rest on."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


@cache
def git() -> dict[str, Any]:
    """Commit of this code and whether it was changed since; empty when it isn't a git checkout."""
    folder = Path(__file__).parents[2]
    program = shutil.which("git")
    if program is None or not (folder / ".git").exists():
        return {}

    def ask(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - no shell, a fixed program
            [program, "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    return {"commit": ask("rev-parse", "HEAD"), "changed": bool(ask("status", "--porcelain", "-uno"))}


def shown() -> str:
    """The version of this code, for people: of the distribution, and of the checkout where it is one."""
    version = versions().get("augrid", "not installed")
    found = git()
    if not found:
        return version
    return f"{version} (checkout at {found['commit'][:12]}{', changed' if found['changed'] else ''})"


@cache
def machine() -> dict[str, Any]:
    """This host: name, system, processor, cores, memory, GPUs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    model = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "name": platform.node(),
        "system": platform.platform(),
        "processor": model or platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": memory,
        "gpus": gpus(),
        "python": sys.version.split()[0],
    }


@cache
def gpus() -> list[dict[str, Any]]:
    """GPUs of this machine (uuid, name, memory_mib, driver), as nvidia-smi lists them."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = "--query-gpu=uuid,name,memory.total,driver_version"
    done = subprocess.run(  # noqa: S603 - no shell, a fixed program
        [program, query, "--format=csv,noheader,nounits"], capture_output=True, text=True, check=False
    )
    rows = [[part.strip() for part in line.split(",")] for line in done.stdout.splitlines()]
    fields = ("uuid", "name", "memory_mib", "driver")
    return [
        dict(zip(fields, row, strict=True))
        for row in rows
        if done.returncode == 0 and len(row) == len(fields)
    ]


def record() -> dict[str, Any]:
    """All of it, for manifests. Slots begin together, and the first asks git and nvidia-smi for all."""
    with _ASKING:
        return {"git": git(), "versions": versions(), "gpus": gpus(), "command": sys.argv[:]}
