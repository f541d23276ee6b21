"""What a job's container is allowed to do: nothing but its work."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from docker.types import DeviceRequest, LogConfig, Mount

from grid.engines.docker_host import DockerHost
from grid.engines.orders import INSIDE, Order, keys_label
from grid.scheduler import slots
from grid.scheduler.slots import Slot
from grid.store import processes

GRID, JOB, SLOT, KEYS = "augrid.grid", "augrid.job", "augrid.slot", "augrid.keys"
PIDS = 512
TMP_BYTES = 2 * 2**30
SHM_BYTES = 2 * 2**30
LOG_BYTES = "200m"


def grid_id(logs: Path) -> str:
    """One grid's runs on this machine: its labels, so that a restarted driver finds its own containers."""
    return hashlib.sha256(f"{processes.host()}:{logs.resolve()}".encode()).hexdigest()[:12]


def name(grid: str, job: str) -> str:
    """A container's name; an engine gives it once, so no job runs twice on a host."""
    return f"augrid-{grid}-{job}"


def hostname(grid: str, job: str) -> str:
    """The host's name inside: the same in each attempt, so that a checkpoint's owner is known to be dead."""
    return "augrid-" + hashlib.sha256(name(grid, job).encode()).hexdigest()[:12]


def volume(grid: str, host: DockerHost) -> str:
    """The volume of a host without a shared disk."""
    return host.data or f"augrid-{grid}"


def isolation(user: tuple[int, int]) -> dict[str, Any]:
    """Options of every container: unprivileged, without a network, on a root that can't be written."""
    return {
        "user": f"{user[0]}:{user[1]}",
        "read_only": True,
        "network_mode": "none",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": PIDS,
        "tmpfs": {"/tmp": f"rw,nosuid,nodev,mode=1777,size={TMP_BYTES}"},  # noqa: S108 - in the container
        "init": True,
        "log_config": LogConfig(type="json-file", config={"max-size": LOG_BYTES, "max-file": "2"}),
    }


def gpu_requests(gpus: list[str]) -> list[DeviceRequest]:
    """The request for some GPUs, by UUID or index."""
    return [DeviceRequest(device_ids=gpus, capabilities=[["gpu"]])] if gpus else []


def options(host: DockerHost, user: tuple[int, int], grid: str, order: Order, slot: Slot) -> dict[str, Any]:
    """Arguments of `containers.create` for one job on one slot."""
    limits = {"mem_limit": slot.memory_bytes, "memswap_limit": slot.memory_bytes}
    return {
        "image": host.image,
        "entrypoint": ["python", "-m", "grid", "step", order.inside],
        "name": name(grid, order.job),
        "hostname": hostname(grid, order.job),
        "labels": {
            GRID: grid,
            JOB: order.job,
            SLOT: slot.name,
            KEYS: keys_label([key for _, key in order.steps]),
        },
        "mounts": _mounts(host, grid, order),
        "environment": _environment(slot.threads),
        "device_requests": gpu_requests([slot.gpu] if slot.gpu else []),
        "cpuset_cpus": ",".join(map(str, slot.cores)) or None,
        "shm_size": SHM_BYTES,
        **isolation(user),
        **(limits if slot.memory_bytes else {}),
    }


def _mounts(host: DockerHost, grid: str, order: Order) -> list[Mount]:
    if host.shared:
        return [
            Mount(f"{INSIDE}/store", str(order.store), type="bind"),
            Mount(f"{INSIDE}/jobs/{order.job}", str(order.folder), type="bind", read_only=True),
        ]
    source = volume(grid, host)
    return [Mount(INSIDE, source, type="bind" if source.startswith("/") else "volume")]


def _environment(threads: int) -> dict[str, str]:
    """Nothing of this machine's environment goes in: it may hold secrets."""
    about = {"HOME": "/tmp", "USER": "augrid", "PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "true"}  # noqa: S108 - in the container
    return {**slots.bounded(threads), **about}
