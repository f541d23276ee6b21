"""`augrid doctor`, on this machine and on hosts with a real engine."""

import io
import os
from pathlib import Path

import docker
import pytest
from rich.console import Console

from grid import hosts as places
from grid.commands.doctor import run as check_places
from grid.engines import containers

Checks = dict[str, tuple[bool, str]]


def doctor(root: Path, hosts: Path | None = None) -> tuple[int, Checks]:
    """Exit code, and check → (ticked?, the rest of its row)."""
    out = io.StringIO()
    code = check_places(places.load(str(hosts) if hosts else None), root, Console(file=out, width=600))
    rows = [line.split(maxsplit=1) for line in out.getvalue().splitlines()[1:]]
    cells = [(mark == "✓", rest.split("  ", 1)) for mark, rest in rows]
    return code, {name: (fine, " ".join(rest).strip()) for fine, (name, *rest) in cells}


def test_this_machine(tmp_path: Path) -> None:
    code, checks = doctor(tmp_path)
    assert checks["a step in a process of its own"] == (True, "finished and published")
    assert all(fine for fine, _ in checks.values())
    assert code == 0


def test_a_results_folder_that_can_t_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, checks = doctor(tmp_path / "file")
    fine, said = checks["results folder"]
    assert not fine
    assert "choose another with --results" in said
    assert code == 1


@pytest.fixture(scope="module")
def engines(
    tmp_path_factory: pytest.TempPathFactory, docker_url: str, training_image: str, light_image: str
) -> tuple[int, Checks]:
    """What is said of five hosts: one that is as it should be, and four that each lack something."""
    folder = tmp_path_factory.mktemp("doctor")
    (folder / "hosts.yaml").write_text(
        f"""hosts:
  - {{name: good, url: "{docker_url}", slots: 1, image: "{training_image}"}}
  - {{name: old, url: "{docker_url}", slots: 1, image: "{light_image}", user: "4242:4242"}}
  - {{name: bare, url: "{docker_url}", slots: 1, image: "augrid:never-built"}}
  - {{name: gpu, url: "{docker_url}", gpus: [0], image: "{light_image}"}}
  - {{name: gone, url: "unix:///nowhere/docker.sock", slots: 1}}
"""
    )
    return doctor(folder, folder / "hosts.yaml")


@pytest.mark.docker
def test_a_host_that_is_as_it_should_be(engines: tuple[int, Checks]) -> None:
    good = {name: fine for name, (fine, _) in engines[1].items() if name.startswith("good: ")}
    names = ("reachable", "image", "a container", "versions", "clock", "disk")
    assert good == {f"good: {name}": True for name in names}
    assert f"runs as {os.getuid()}:{os.getgid()}" in engines[1]["good: a container"][1]


@pytest.mark.docker
def test_containers_run_as_the_user_of_the_hosts_file(engines: tuple[int, Checks]) -> None:
    fine, said = engines[1]["old: a container"]
    assert fine
    assert "runs as 4242:4242" in said


@pytest.mark.docker
@pytest.mark.parametrize(
    "check, expected",
    [
        ("old: versions", ("torch None (here ", "augrid image build")),
        ("bare: image", ("no augrid:never-built", "augrid image build --hosts FILE")),
        ("gpu: GPUs", ("could not select device driver",)),
        ("gone: reachable", ("is dockerd running there?",)),
    ],
)
def test_what_a_host_lacks(engines: tuple[int, Checks], check: str, expected: tuple[str, ...]) -> None:
    code, checks = engines
    assert code == 1
    fine, said = checks[check]
    assert not fine
    assert all(words in said for words in expected)


@pytest.mark.docker
def test_no_container_is_left(engines: tuple[int, Checks], docker_client: docker.DockerClient) -> None:
    label = f"{containers.GRID}=doctor"
    left = docker_client.api.containers(all=True, filters={"label": label})
    assert left == []  # not even the one that couldn't be started
