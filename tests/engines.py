"""Fixtures of tests marked `docker`: a real Docker Engine, images, and other engines as if on other hosts.

The engine at AUGRID_DOCKER (default unix:///var/run/docker.sock) is used when it answers; `make engine` sets
one up where none does. Without it, or without the base image, the tests are skipped.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import docker
import psutil
import pytest

URL = os.environ.get("AUGRID_DOCKER", "unix:///var/run/docker.sock")
BASE = "python-base:bookworm"
Engine = Callable[..., str]
LIGHT = """\
FROM {base}
RUN command -v python || ln -s "$(command -v python3)" /usr/local/bin/python
COPY . /code
ENV PYTHONPATH=/code
"""


def answers(url: str) -> bool:
    try:
        client = docker.DockerClient(base_url=url, version="auto", timeout=10)
    except docker.errors.DockerException:
        return False
    client.close()
    return True


def start_engine(*options: str, url: str, log: IO[bytes] | int) -> "subprocess.Popen[bytes]":
    """Start dockerd in a session of its own and wait until it answers at `url`."""
    command = ["/usr/sbin/dockerd", "--iptables=false", "--bridge=none", *options]
    engine = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not answers(url):
        if engine.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"dockerd does not answer at {url}")
        time.sleep(0.2)
    return engine


@pytest.fixture(scope="session")
def docker_url() -> str:
    """Address of an engine that answers; skips without one."""
    if not answers(URL):
        pytest.skip(f"no Docker Engine answers at {URL} (root on Debian: make engine)")
    return URL


@pytest.fixture(scope="session")
def docker_client(docker_url: str) -> Iterator[docker.DockerClient]:
    client = docker.DockerClient(base_url=docker_url, version="auto", timeout=600)
    yield client
    client.close()


@pytest.fixture(scope="session")
def base_image(docker_client: docker.DockerClient) -> str:
    """An image with Python 3.11 and venv."""
    if not docker_client.images.list(BASE):
        pytest.skip(f"the engine at {URL} has no image {BASE} (make engine)")
    try:
        docker_client.containers.run(BASE, ["python3", "--version"], network_mode="none", remove=True)
    except docker.errors.DockerException as error:
        pytest.skip(f"the engine at {URL} can't run a container: {error}")
    return BASE


@pytest.fixture
def other_engine(docker_url: str) -> Iterator[Engine]:
    """Start another engine with data of its own, as if it were another host: call it (with more options
    for dockerd) for its address."""
    if os.geteuid() != 0 or not Path("/usr/sbin/dockerd").exists():
        pytest.skip("a second engine needs root and /usr/sbin/dockerd")
    running: list[subprocess.Popen[bytes]] = []
    short = Path(tempfile.mkdtemp(prefix="engines"))  # paths of sockets have at most 107 characters
    # In memory: deleting layers from a busy disk took most of a minute, and loading an image twice as long.
    subprocess.run(["mount", "-t", "tmpfs", "engines", str(short)], check=True)

    def start(*more: str) -> str:
        folder = short / str(len(running))
        folder.mkdir()
        url = f"unix://{folder}/docker.sock"
        places = [
            "--data-root",
            f"{folder}/data",
            "--exec-root",
            f"{folder}/exec",
            "--pidfile",
            f"{folder}/pid",
        ]
        with open(folder / "log", "wb") as log:
            running.append(start_engine(*places, "-H", url, *more, url=url, log=log))
        return url

    yield start
    for engine in running:
        engine.terminate()
        engine.wait(60)
    for process in psutil.process_iter(["cmdline"]):  # an engine that was killed leaves containerd and shims
        if any(str(short) in word for word in process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.NoSuchProcess):
                for one in [*process.children(recursive=True), process]:  # and containers below them
                    with contextlib.suppress(psutil.NoSuchProcess):
                        one.kill()
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(str(short))), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False)
    shutil.rmtree(short, ignore_errors=True)


@pytest.fixture(scope="session")
def light_image(
    docker_client: docker.DockerClient, base_image: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """What does probe steps, and lacks torch and the rest: other engines have it in no time."""
    folder = tmp_path_factory.mktemp("light")
    for package in ("grid", "preprocessing"):
        shutil.copytree(Path(__file__).parent.parent / package, folder / package)
    (folder / "Dockerfile").write_text(LIGHT.format(base=base_image))
    docker_client.images.build(path=str(folder), tag="augrid:light", rm=True)
    return "augrid:light"


@pytest.fixture(scope="session")
def wheels() -> Path:
    """A folder with a wheel of every package that the image needs, downloaded once for all test runs."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256((root / "pyproject.toml").read_bytes() + (root / "constraints.txt").read_bytes())
    folder = Path(tempfile.gettempdir()) / f"augrid-test-wheels-{digest.hexdigest()[:12]}"
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the base image has Python 3.11, and pip gets wheels for the Python that it runs in")
    if not folder.exists():
        getting = folder.with_name(f"{folder.name}.{os.getpid()}")
        what = ["--constraint", "constraints.txt", ".", "setuptools", "setuptools-scm"]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(getting), *what]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no packages for the image: {done.stderr[-300:]}")
        with contextlib.suppress(OSError):
            getting.rename(folder)
    return folder


@pytest.fixture(scope="session")
def training_image(docker_client: docker.DockerClient, base_image: str, wheels: Path) -> str:
    """The image of this code, in the first engine; layers that haven't changed are found again."""
    from grid.commands import image

    image.build(docker_client, tag="augrid:test", base=base_image, wheels=wheels)
    return "augrid:test"
