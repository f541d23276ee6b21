"""Builds the image that training and scoring run in, from a checkout of this code."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import docker
from docker.errors import BuildError, DockerException

from grid import hosts
from grid.engines.connection import Engine, LostHostError
from grid.engines.docker_host import SOCKET, DockerHost
from grid.store import provenance
from preprocessing.errors import BadInput

TAG = "augrid:latest"
BUILD_S = 7200
DOCKERFILE = "grid/Dockerfile"
FILES = ("pyproject.toml", "setup.py", "constraints.txt", "README.md", "LICENSE")
FOLDERS = ("grid", "transformers_py", "preprocessing", "models", "tasks", "analysis", "configs")


def build(
    client: docker.DockerClient,
    *,
    tag: str = TAG,
    base: str | None = None,
    wheels: Path | None = None,
    arguments: Mapping[str, str] | None = None,
    show: Callable[[str], None] = lambda line: None,
) -> str:
    """Build the image on one engine and name it `tag`; returns its digest (sha256:…).

    `base` replaces the Dockerfile's BASE_IMAGE. `wheels` is a folder with a wheel of every package
    (`pip download`), for engines without a network. `show` gets the lines of the build's output.

    Raises:
        BadInput: this isn't a checkout, or the build failed; with the last lines of its output.
    """
    given = {"VERSION": provenance.versions().get("augrid", ""), **(arguments or {})}
    if base is not None:
        given["BASE_IMAGE"] = base
    if wheels is not None:
        given.setdefault("PIP_NO_INDEX", "1")
    last: list[str] = []
    try:
        with tempfile.TemporaryFile() as file:
            write_context(file, checkout(), wheels)
            file.seek(0)
            output = client.api.build(
                fileobj=file,
                custom_context=True,
                dockerfile=DOCKERFILE,
                tag=tag,
                buildargs=given,
                rm=True,
                forcerm=True,
                decode=True,
            )
            for line in _lines(output):
                show(line)
                last = [*last[-9:], line]
        identity = client.images.get(tag).id
    except (DockerException, BuildError) as error:
        raise BadInput("\n  ".join([f"the image can't be built: {error}", *last])) from None
    assert identity is not None
    return identity


def places(file: str | None, names: Sequence[str]) -> list[DockerHost]:
    """The Docker hosts of a hosts file (those named, if any are); without a file, the engine of this machine.

    Raises:
        BadInput: the file lists no Docker hosts, or none of that name.
    """
    here = DockerHost(name="local", url=f"unix://{SOCKET}", slots=1)
    found = [here] if file is None else hosts.load(file).hosts
    if not found:
        raise BadInput(
            f"--hosts {file}: it lists no Docker hosts; add them under hosts:, as in "
            "configs/hosts/docker.yaml, or leave out --hosts for the engine of this machine"
        )
    if unknown := sorted(set(names) - {place.name for place in found}):
        listed = ", ".join(place.name for place in found)
        raise BadInput(f"--host {', '.join(unknown)}: no such Docker host; there are: {listed}")
    return [place for place in found if not names or place.name in names]


@contextmanager
def client_of(place: DockerHost) -> Iterator[docker.DockerClient]:
    """A client of a host's engine that has the patience for a build.

    Raises:
        BadInput: the engine can't be reached.
    """
    engine = Engine(place)
    try:
        client = engine.ask(lambda client: client, patience_s=10)
        client.api.timeout = BUILD_S
        yield client
    except LostHostError as error:
        raise BadInput(str(error)) from None
    finally:
        engine.close()


def checkout() -> Path:
    """The root of the checkout that this code runs from.

    Raises:
        BadInput: it was installed without one.
    """
    root = Path(__file__).parents[2]
    missing = [name for name in (*FILES, DOCKERFILE) if not (root / name).is_file()]
    if missing:
        raise BadInput(
            f"{root}: no {', '.join(missing)}: an image is built from a checkout (pip install -e .)"
        )
    return root


def write_context(file: IO[bytes], root: Path, wheels: Path | None) -> None:
    """Write what the Dockerfile copies as a tar: no times and no owners, so that layers are found again."""
    with tarfile.open(fileobj=file, mode="w") as tar:
        for path in _sources(root):
            _add(tar, path, str(path.relative_to(root)))
        if wheels is not None:
            for path in sorted(wheels.glob("*.whl")):
                _add(tar, path, f"wheels/{path.name}")


def _sources(root: Path) -> Iterator[Path]:
    yield from (root / name for name in FILES)
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = path.stat().st_size, 0o644
    with open(path, "rb") as stream:
        tar.addfile(info, stream)


def _lines(output: Iterator[Mapping[str, object]]) -> Iterator[str]:
    for message in output:
        if "error" in message:
            raise DockerException(str(message["error"]))
        yield from str(message.get("stream") or message.get("status") or "").splitlines()
