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


def doctor(root: Path, hosts: Path | None = None) -> tuple[int, dict[str, tuple[bool, str]]]:
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


@pytest.mark.docker
def test_hosts(
    tmp_path: Path,
    docker_url: str,
    docker_client: docker.DockerClient,
    training_image: str,
    light_image: str,
) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text(
        f"""hosts:
  - {{name: good, url: "{docker_url}", slots: 1, image: "{training_image}"}}
  - {{name: old, url: "{docker_url}", slots: 1, image: "{light_image}", user: "4242:4242"}}
  - {{name: bare, url: "{docker_url}", slots: 1, image: "augrid:never-built"}}
  - {{name: gpu, url: "{docker_url}", gpus: [0], image: "{light_image}"}}
  - {{name: gone, url: "unix:///nowhere/docker.sock", slots: 1}}
"""
    )
    code, checks = doctor(tmp_path, file)
    assert code == 1
    good = {name: fine for name, (fine, _) in checks.items() if name.startswith("good: ")}
    assert good == dict.fromkeys(
        [f"good: {what}" for what in ("reachable", "image", "a container", "versions", "clock", "disk")], True
    )
    assert f"runs as {os.getuid()}:{os.getgid()}" in checks["good: a container"][1]
    assert checks["old: a container"][0]
    assert "runs as 4242:4242" in checks["old: a container"][1]
    fine, said = checks["old: versions"]
    assert not fine
    assert "torch None (here " in said
    assert "augrid image build" in said
    fine, said = checks["bare: image"]
    assert not fine
    assert "no augrid:never-built" in said
    assert "augrid image build --hosts FILE" in said
    fine, said = checks["gpu: GPUs"]
    assert not fine
    assert "could not select device driver" in said
    fine, said = checks["gone: reachable"]
    assert not fine
    assert "is dockerd running there?" in said
    left = docker_client.api.containers(all=True, filters={"label": f"{containers.GRID}=doctor"})
    assert left == []  # not even the one that couldn't be started
