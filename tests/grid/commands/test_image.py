"""`augrid image build`, on a real engine."""

import re
import subprocess
import sys
from pathlib import Path

import docker
import pytest

from grid.commands import image
from preprocessing.errors import BadInput

HOSTS = """\
hosts:
  - {{name: first, url: "{url}", slots: 1, image: "augrid:built-1"}}
  - {{name: second, url: "{url}", slots: 1, image: "augrid:built-2"}}
"""


def build(*options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "grid", "image", "build", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)


@pytest.fixture
def hosts(tmp_path: Path, docker_url: str) -> Path:
    file = tmp_path / "hosts.yaml"
    file.write_text(HOSTS.format(url=docker_url))
    return file


@pytest.mark.docker
def test_on_all_hosts_of_a_file(
    hosts: Path, docker_client: docker.DockerClient, training_image: str, base_image: str, wheels: Path
) -> None:
    done = build("--hosts", hosts, "--base", base_image, "--wheels", wheels)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        said = done.stdout.splitlines()[-200:]
        for n, name in enumerate(("first", "second"), 1):
            built = docker_client.images.get(f"augrid:built-{n}")
            assert f"{name} augrid:built-{n}: {built.id}" in said
        assert "Step 1/" in done.stdout  # the engine's own lines are shown
        shown = docker_client.containers.run("augrid:built-1", ["--help"], network_mode="none", remove=True)
        assert b"doctor" in shown
        user = docker_client.images.get("augrid:built-1").attrs["Config"]["User"]
        assert user not in ("", "0", "root")
    finally:
        for n in (1, 2):
            docker_client.images.remove(f"augrid:built-{n}")


@pytest.mark.docker
def test_on_one_host_that_fails(hosts: Path, docker_client: docker.DockerClient) -> None:
    done = build("--hosts", hosts, "--host", "second", "--base", "nowhere.invalid/no-such-image:1")
    assert done.returncode == 2
    assert "the image can't be built" in done.stderr
    assert "nowhere.invalid" in done.stderr
    assert "Traceback" not in done.stderr
    assert docker_client.images.list("augrid:built-2") == []


def test_what_is_refused(tmp_path: Path) -> None:
    hosts, none = tmp_path / "two.yaml", tmp_path / "none.yaml"
    hosts.write_text(HOSTS.format(url="unix:///nowhere.sock"))
    none.write_text("local: {slots: 1}\n")
    for options, said in (
        (("--host", "third"), "--host third: no such Docker host; there are: first, second"),
        (("--build-arg", "X"), "--build-arg X: must be NAME=VALUE"),
        (("--wheels", tmp_path), "no wheels there"),
    ):
        done = build("--hosts", hosts, *options)
        assert done.returncode == 2
        assert said in done.stderr
    assert "it lists no Docker hosts; add them under hosts:" in build("--hosts", none).stderr


@pytest.mark.slow
def test_a_host_that_does_not_answer(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text(HOSTS.format(url="unix:///nowhere.sock"))
    assert "host first is lost" in build("--hosts", file).stderr


def test_without_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "__file__", str(tmp_path / "grid" / "commands" / "image.py"))
    with pytest.raises(BadInput, match="an image is built from a checkout"):
        image.checkout()


def test_every_package_goes_into_the_image() -> None:
    root = image.checkout()
    packages = {file.parent.name for file in root.glob("*/__init__.py")}
    assert packages | {"configs"} == set(image.FOLDERS)
    copied = re.findall(r"^COPY (\S+) \1$", (root / image.DOCKERFILE).read_text(), re.MULTILINE)
    assert set(copied) == set(image.FOLDERS)
