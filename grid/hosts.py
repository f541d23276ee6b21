"""Hosts files: where a grid runs. Another file than the spec, and never part of a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from grid.engines.docker_host import DockerHost, Gpu, Size
from grid.scheduler import slots
from grid.scheduler.queue import Policy
from grid.scheduler.slots import Slot
from grid.spec import document as documents
from grid.spec.findings import validated
from grid.store import provenance
from preprocessing import shipped
from preprocessing.errors import BadInput

FOLDER = Path("configs/hosts")


class Local(BaseModel):
    """This machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    slots: int | None = Field(
        default=None, ge=0, le=256, description="CPU jobs at a time; null: one per core"
    )
    cores: list[list[int]] | None = Field(
        default=None, description="one slot per group of cores, bound to it"
    )
    gpus: list[Gpu] | None = Field(default=None, description="UUIDs or indices; null: all; []: none")
    slots_per_gpu: int = Field(default=1, ge=1, le=32)
    memory: Size | None = Field(default=None, description="limit of one job, such as 8 GiB")
    train: bool | None = Field(
        default=None, description="whether it trains and scores; null: unless there are hosts, or with a GPU"
    )


class Hosts(BaseModel):
    """A hosts file, as written in configs/hosts/*.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    local: Local = Local()
    hosts: list[DockerHost] = Field(default=[], description="Docker Engines, here or elsewhere")
    dask: str | None = Field(default=None, description="address of a Dask scheduler that does everything")
    timeout_s: float | None = Field(default=None, gt=0, description="longest time of one job")
    lost_after_s: float = Field(
        default=120.0, gt=0, description="how long a Docker host may be silent before its jobs go elsewhere"
    )
    detach: bool = Field(default=False, description="whether containers go on when a run is stopped")
    attempts: int = Field(default=3, ge=1, description="how often lost work is tried")
    quarantine_after: int = Field(default=2, ge=1, description="losses in a row before a slot gets no more")

    @field_validator("hosts")
    @classmethod
    def _named_once(cls, hosts: list[DockerHost]) -> list[DockerHost]:
        names = [host.name for host in hosts]
        twice = sorted({name for name in names if names.count(name) > 1 or name == "local"})
        if twice:
            raise ValueError(f"each host needs a name of its own, other than local; got {', '.join(twice)}")
        return hosts

    def changed(self, *, slots: int | None, dask: str | None, detach: bool = False) -> Hosts:
        """The same with another number of CPU slots, or another Dask scheduler; None changes nothing."""
        update: dict[str, Any] = {} if dask is None else {"dask": dask}
        if slots is not None:
            update["local"] = self.local.model_copy(update={"slots": slots, "cores": None})
        if detach:
            update["detach"] = True
        return self.model_copy(update=update)

    @property
    def executor(self) -> str:
        """Name of the executor that this file means."""
        return "dask" if self.dask else "docker" if self.hosts else "local"

    def make_slots(self) -> list[Slot]:
        """The slots of this machine.

        Raises:
            BadInput: a GPU or core that isn't there, or no slot at all.
        """
        here = self.local
        devices = _devices(here.gpus)
        trains = here.train if here.train is not None else not self.hosts
        kinds = slots.ALL_KINDS if trains and not devices else slots.CPU_KINDS
        if here.cores is not None:
            made = [_bound(n, group, kinds, here.memory) for n, group in enumerate(here.cores)]
        else:
            made = slots.cpu(here.slots, kinds, here.memory)
        if here.train is not False:
            made += slots.gpu(devices, here.slots_per_gpu, here.memory)
        there = {kind for slot in made for kind in slot.kinds}
        for needed, remedy in (
            (slots.CPU_KINDS, "local.slots must be at least 1, or local.cores name a group of cores"),
            (frozenset() if self.hosts else slots.GPU_KINDS, "local.train must be true, or left out"),
        ):
            if missing := needed - there - {"probe"}:
                raise BadInput(f"hosts: no slot for {', '.join(sorted(missing))} steps: {remedy}")
        return made

    def policy(self, deadline: float | None) -> Policy:
        """When to try again; `deadline` is one of time.monotonic()."""
        return Policy(attempts=self.attempts, quarantine_after=self.quarantine_after, deadline=deadline)


def load(name: str | None) -> Hosts:
    """Read a hosts file by path or by its bare name in configs/hosts/; without one, this machine as it is.

    Raises:
        BadInput: every problem, with its place.
    """
    if name is None:
        return Hosts()
    candidates = map(shipped.located, (Path(name), FOLDER / name, FOLDER / f"{name}.yaml"))
    path = next((file for file in candidates if file.is_file()), None)
    if path is None:
        there = ", ".join(shipped.names(FOLDER)) or "(none)"
        raise BadInput(f"--hosts {name}: no such file; a path, or one of: {there}")
    return validated(Hosts, documents.read(path))


def _devices(wanted: list[str] | None) -> list[str]:
    found = [str(gpu["uuid"]) for gpu in provenance.gpus()]
    if wanted is None:
        return found
    chosen = []
    for name in wanted:
        if name in found:
            chosen.append(name)
        elif name.isdecimal() and int(name) < len(found):
            chosen.append(found[int(name)])
        else:
            raise BadInput(f"hosts: local.gpus: no GPU {name}; there are: {', '.join(found) or 'none'}")
    return chosen


def _bound(number: int, cores: list[int], kinds: frozenset[str], memory: int | None) -> Slot:
    there = slots.cores()
    strange = sorted(set(cores) - set(there))
    if strange or not cores:
        raise BadInput(f"hosts: local.cores[{number}]: no core {strange or 'given'}; there are: {there}")
    return Slot(name=f"cpu{number}", kinds=kinds, threads=len(cores), cores=tuple(cores), memory_bytes=memory)


def schema() -> dict[str, Any]:
    """JSON schema of a hosts file, for editors: docs/hosts.schema.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Hosts.model_json_schema()}
