"""How containers end, in the words of the scheduler; and a container that only says what it finds."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import docker
from docker.errors import DockerException

from grid.engines import containers
from grid.engines.connection import Engine
from grid.engines.container_output import LOST_GPU, OUT_OF_GPU_MEMORY
from grid.scheduler.executor import Exit

CANCELLED = Exit(code=-signal.SIGTERM, failure="cancelled", reason="stopped")
SIGNALS = 128
LOOK_S = 0.05


def classify(state: Mapping[str, Any], tail: str) -> Exit:
    """Exit of a container from its State and the end of its log; events of its steps count more."""
    code = int(state["ExitCode"])
    if code == 0:
        return Exit(code=0)
    if state.get("OOMKilled"):
        return Exit(code=code, failure="oom_host", reason="used more memory than its limit")
    if OUT_OF_GPU_MEMORY.search(tail):
        return Exit(code=code, failure="oom_gpu", reason=_last(tail))
    if LOST_GPU.search(tail):
        return Exit(code=code, failure="infra", reason=f"lost its GPU: {_last(tail)}")
    if code > SIGNALS:
        return Exit(code=code, failure="lost", reason=f"killed by {_signal(code - SIGNALS)}")
    if state.get("Error"):
        return Exit(code=code, failure="infra", reason=str(state["Error"])[:300])
    return Exit(code=code)


def wait(one: threading.Event, other: threading.Event, timeout_s: float) -> None:
    """Wait for either of two events."""
    deadline = time.monotonic() + timeout_s
    while not one.wait(LOOK_S) and not other.is_set() and time.monotonic() < deadline:
        pass


def probe(engine: Engine, grid: str, *, gpus: list[str] | None = None) -> dict[str, Any]:
    """`grid.engines.inside` in a container with the host's GPUs; raises as `output_of`."""
    wanted = engine.host.gpus if gpus is None else gpus
    output = output_of(engine, ["python", "-m", "grid.engines.inside"], grid, gpus=wanted)
    return dict(json.loads(output.splitlines()[-1]))


def output_of(engine: Engine, command: list[str], grid: str, *, gpus: Sequence[str] = ()) -> str:
    """What a command writes in a container like those of jobs.

    Raises:
        docker.errors.APIError: it can't be started; docker.errors.DockerException: it failed.
        LostHostError: the host doesn't answer.
    """
    options = {
        "image": engine.host.image,
        "entrypoint": command,
        "command": [],
        "labels": {containers.GRID: grid},
        "device_requests": containers.gpu_requests(list(gpus)),
        "environment": {"HOME": "/tmp"},  # noqa: S108 - in the container
        **containers.isolation(engine.user),
    }

    def once(client: docker.DockerClient) -> tuple[int, bytes, bytes]:
        container = client.containers.create(**options)
        try:
            container.start()
            code = int(container.wait()["StatusCode"])
            return code, container.logs(stderr=False), container.logs(stdout=False)
        finally:
            container.remove(v=True, force=True)  # also one that couldn't be started

    code, output, error = engine.ask(once)
    if code != 0:
        what = f"{engine.host.image}: {' '.join(command)} ended with code {code}"
        raise DockerException(f"{what}: {_last(error.decode())}")
    return output.decode()


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last(tail: str) -> str:
    lines = tail.strip().splitlines()
    return lines[-1][:300] if lines else ""
