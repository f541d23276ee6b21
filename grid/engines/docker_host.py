"""One Docker host in a hosts file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

SOCKET = "/var/run/docker.sock"
SHARED = "shared"
_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_URL = re.compile(
    r"unix://(?P<socket>/[^\s:]+)"
    r"|ssh://(?:(?P<user>[\w][\w.-]*)@)?(?P<host>[\w][\w.-]*)(?::(?P<port>\d{1,5}))?(?P<path>/[^\s:]+)?"
    r"|tcp://(?P<name>[\w][\w.-]*):(?P<tcp_port>\d{1,5})",
    re.ASCII,
)


def size(value: object) -> object:
    """Bytes of "2 GiB", "500MB" or a whole number."""
    if not isinstance(value, str):
        return value
    for unit, factor in _UNITS.items():
        number = value.removesuffix(unit).strip()
        if value.endswith(unit) and number.replace(".", "", 1).isdecimal():
            return int(float(number) * factor)
    raise ValueError(f"a size is written as 2 GiB or 500 MB; got {value!r}")


def _url(value: str) -> str:
    if _URL.fullmatch(value) is None:
        raise ValueError("must be unix:///socket, ssh://user@host:port or tcp://host:port")
    return value


def _data(value: str) -> str:
    if value != SHARED and not re.fullmatch(r"/[^\s:]*|[A-Za-z0-9][A-Za-z0-9_.-]+", value):
        raise ValueError("must be shared, an absolute folder of the host, or the name of a volume")
    return value


Size = Annotated[int, BeforeValidator(size, json_schema_input_type=int | str), Field(ge=1)]
Gpu = Annotated[
    str,
    BeforeValidator(
        lambda value: str(value) if type(value) is int else value, json_schema_input_type=int | str
    ),
]


class Ssh(NamedTuple):
    """Where a tunnel goes: `target` as ssh takes it, and the socket there."""

    target: str
    port: int | None
    socket: str


class Tls(BaseModel):
    """Files (PEM) for tcp://. Without TLS whoever reaches the socket is root there, so that isn't offered."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ca: Path = Field(description="certificate of who signed the engine's")
    cert: Path = Field(description="certificate of this client")
    key: Path = Field(description="its private key")


class DockerHost(BaseModel):
    """A Docker Engine, here or elsewhere. It needs the image, and no shared disk."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="in logs and manifests")
    url: Annotated[str, AfterValidator(_url)] = Field(
        description="unix:///var/run/docker.sock, ssh://user@host:port or tcp://host:port"
    )
    image: str = Field(default="augrid:latest", min_length=1, description="made by augrid image build")
    gpus: list[Gpu] = Field(default=[], description="UUIDs or indices")
    slots_per_gpu: int = Field(default=1, ge=1, le=32)
    slots: int = Field(default=0, ge=0, le=256, description="CPU jobs at a time")
    cores: list[list[int]] | None = Field(default=None, description="instead: a slot per group of cores")
    memory: Size | None = Field(default=None, description="limit of one job, such as 8 GiB")
    data: Annotated[str, AfterValidator(_data)] | None = Field(
        default=None,
        description="shared (it has the results folder under the same path), a folder of the host, or "
        "a volume; null: shared for unix://, else a volume that goes away with the run",
    )
    user: str | None = Field(
        default=None,
        pattern=r"^\d+:\d+$",
        description="uid:gid in containers; null: yours, 1000:1000 for root",
    )
    tls: Tls | None = None
    ssh_config: Path | None = Field(default=None, description="for ssh -F; null: your own")

    @model_validator(mode="after")
    def _fits(self) -> DockerHost:
        if (self.tls is None) == self.url.startswith("tcp://"):
            raise ValueError("tcp:// needs tls: {ca, cert, key}, and nothing else has it")
        if not (self.gpus or self.slots or self.cores):
            raise ValueError("no slots: give gpus, slots or cores")
        return self

    @property
    def shared(self) -> bool:
        """Whether jobs there read and write the results folder itself."""
        return self.data == SHARED or (self.data is None and self.url.startswith("unix://"))

    @property
    def ssh(self) -> Ssh | None:
        """Where its tunnel goes, if it needs one."""
        found = _URL.fullmatch(self.url)
        assert found is not None
        if found["host"] is None:
            return None
        target = f"{found['user']}@{found['host']}" if found["user"] else str(found["host"])
        return Ssh(target, int(found["port"]) if found["port"] else None, found["path"] or SOCKET)
