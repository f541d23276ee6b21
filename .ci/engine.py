"""`make engine`: a Docker Engine for the tests marked `docker`, and an image with Python from no registry.

Where no engine answers, and we are root on Debian, one is installed, started and left running. It has no
bridge: containers have no network, or the host's. What can't be had is said, and the tests skip then.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import docker

from tests.engines import BASE, URL, answers, start_engine

HUB = "python:3.11-slim-bookworm"
PROGRAMS = ("dockerd", "debootstrap", "sshd")
PACKAGES = ("docker.io", "debootstrap", "openssh-server", "openssh-client")
LOCK = Path(tempfile.gettempdir()) / "augrid-test-docker.lock"


def main() -> None:
    """Set up what is missing, and say what can't be."""
    with open(LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another checkout may do the same
        if not answers(URL):
            _demand(f"no Docker Engine answers at {URL}")
            _install()
            start_engine(url=URL, log=subprocess.DEVNULL)
        client = docker.DockerClient(base_url=URL, version="auto", timeout=600)
        if not client.images.list(BASE):
            try:
                client.images.pull(*HUB.split(":")).tag(*BASE.split(":"))
            except docker.errors.DockerException as error:
                _demand(f"{HUB} can't be pulled: {error}")
                _install()
                _bootstrap(client)
    print(f"a Docker Engine answers at {URL}, and has {BASE}")


def _demand(reason: str) -> None:
    """End here unless what is missing can be set up."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        sys.exit(f"{reason}; root on Debian could set it up")


def _install() -> None:
    """Debian's packages, unless all programs are there."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    if not all(shutil.which(program, path=path) for program in PROGRAMS):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
            subprocess.run(["apt-get", *command], check=True, capture_output=True, env=environment)


def _bootstrap(client: docker.DockerClient) -> None:
    """Debian with Python from the mirror that apt uses, imported as BASE."""
    sources = "\n".join(file.read_text() for file in Path("/etc/apt/sources.list.d").glob("*.sources"))
    mirrors = [line.split()[1] for line in sources.splitlines() if line.startswith("URIs:")]
    include = "--include=python3,python3-venv,ca-certificates"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = ["/usr/sbin/debootstrap", "--variant=minbase", include, "bookworm", folder, *mirrors[:1]]
        subprocess.run(command, check=True, capture_output=True)
        with subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE) as tar:
            repository, tag = BASE.split(":")
            client.api.import_image_from_data(tar.stdout, repository=repository, tag=tag)


if __name__ == "__main__":
    try:
        main()
    except (subprocess.CalledProcessError, OSError, RuntimeError) as error:
        sys.exit(f"no Docker Engine could be set up: {error}")
