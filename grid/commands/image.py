"""Builds the image that training and scoring run in, from a checkout of this code."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

import docker
from docker.errors import BuildError, DockerException

from grid.store import provenance
from preprocessing.errors import BadInput

TAG = "augrid:latest"
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
