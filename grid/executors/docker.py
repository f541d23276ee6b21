"""Docker Engines of a hosts file: a container per job there, a process per job here for the rest."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from docker.errors import DockerException, ImageNotFound

from grid.engines.connection import Engine, LostHostError, StoppedError
from grid.engines.docker_host import DockerHost
from grid.engines.runner import Runner
from grid.executors import local
from grid.hosts import Hosts
from grid.plan.jobs import Job
from grid.scheduler import slots as kinds
from grid.scheduler.executor import Exit
from grid.scheduler.slots import Slot
from preprocessing.errors import BadInput

OPEN_S = 10.0
HERE = "local"


def make(hosts: Hosts) -> tuple[Executor, list[Slot]]:
    """Connect to all hosts at once. A host that doesn't answer is left out, with a message.

    Raises:
        BadInput: no hosts, an image that isn't there, or no slot left that trains.
    """
    if not hosts.hosts:
        raise BadInput("the docker executor needs hosts: in a hosts file (configs/hosts/docker.yaml)")
    runners = {
        host.name: Runner(
            Engine(host, patience_s=hosts.lost_after_s), timeout_s=hosts.timeout_s, detach=hosts.detach
        )
        for host in hosts.hosts
    }
    with ThreadPoolExecutor(len(runners)) as pool:
        problems = dict(zip(runners, pool.map(_reach, runners.values()), strict=True))
    for name, problem in problems.items():
        if problem:
            print(f"left out: {problem}", file=sys.stderr)
            runners.pop(name).engine.close()
    here = hosts.make_slots()
    made = [slot for runner in runners.values() for slot in slots(runner.engine.host, runner.engine.cores)]
    if any(slot.gpu for slot in made):
        here = [slot if slot.gpu else replace(slot, kinds=slot.kinds & kinds.CPU_KINDS) for slot in here]
    made = [*here, *made]
    if not any("train" in slot.kinds for slot in made):
        raise BadInput("\n".join(["hosts: no slot for training is left", *filter(None, problems.values())]))
    return Executor(runners, local.Executor(timeout_s=hosts.timeout_s), {s.name for s in made}), made


def slots(host: DockerHost, cores: int) -> list[Slot]:
    """The slots of a host that has this many cores: per GPU (or share), and for the CPU."""
    n = len(host.gpus) * host.slots_per_gpu
    made = [
        Slot(
            name=f"{host.name}/gpu{index}.{share}",
            kinds=kinds.GPU_KINDS,
            host=host.name,
            threads=max(1, cores // n),
            gpu=gpu,
            memory_bytes=host.memory,
        )
        for index, gpu in enumerate(host.gpus)
        for share in range(host.slots_per_gpu)
    ]
    groups = [tuple(group) for group in host.cores] if host.cores is not None else [()] * host.slots
    return made + [
        Slot(
            name=f"{host.name}/cpu{n}",
            kinds=kinds.GPU_KINDS,
            host=host.name,
            threads=len(group) or max(1, cores // len(groups)),
            cores=group,
            memory_bytes=host.memory,
        )
        for n, group in enumerate(groups)
    ]


class Executor:
    """Gives each job to the host of its slot."""

    def __init__(self, runners: dict[str, Runner], here: local.Executor, slots: set[str]) -> None:
        self.runners, self.here, self._slots = runners, here, slots
        self._stopping = threading.Lock()

    def open(self, logs: Path, todo: Sequence[Job]) -> dict[str, str]:
        """Find what an earlier run left: id of a job → slot where it runs or has ended."""
        pinned = self.here.open(logs, todo)
        for runner in self.runners.values():
            left = [job for job in todo if job.id not in pinned]
            try:
                pinned |= runner.open(logs, left, self._slots)
            except LostHostError as error:
                print(error, file=sys.stderr)
        return pinned

    def run(self, file: Path, slot: Slot) -> Exit:
        """One job, to its end."""
        return (self.here if slot.host == HERE else self.runners[slot.host]).run(file, slot)

    def stop(self) -> None:
        """End what runs here; containers are ended by the threads that wait for them."""
        for runner in self.runners.values():
            runner.engine.stopped.set()
        with self._stopping:
            self.here.stop()

    def close(self) -> None:
        """Leave nothing behind on any host, or say where that can't be known."""
        self.here.close()
        for runner in self.runners.values():
            try:
                runner.close()
            except (LostHostError, StoppedError, DockerException) as error:
                where = f"{runner.engine.host.name}: {error or 'no answer'}"
                print(f"{where}; containers may still run there, the next run looks again", file=sys.stderr)
            runner.engine.close()


def _reach(runner: Runner) -> str:
    """Whether a host answers and has the image: what is wrong, or nothing."""
    engine = runner.engine
    try:
        engine.ask(lambda client: client.images.get(engine.host.image), patience_s=OPEN_S)
        _ = engine.cores
    except ImageNotFound:
        what = f"hosts: {engine.host.name} has no image {engine.host.image}"
        raise BadInput(f"{what}: `augrid image build --hosts FILE` makes it") from None
    except (LostHostError, DockerException) as error:
        return str(error)
    return ""
