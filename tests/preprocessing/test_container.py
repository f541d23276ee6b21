"""The image of preprocessing, built and run by a real engine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

ROOT = Path(__file__).parent.parent.parent
SPEC = "corpus: {shards: 2, split: {by: file}, duplicates: near}\ntokenizer: {kind: bpe, vocab_size: 300}\n"

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def image(
    docker_client: docker.DockerClient,
    base_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the base image has Python 3.11, and pip gets wheels for the Python that it runs in")
    context = tmp_path_factory.mktemp("context")
    shutil.copy(ROOT / "constraints.txt", context)
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "preprocessing", context / "preprocessing", ignore=unwanted)
    getting = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", "wheels"]
    getting += ["--constraint", "constraints.txt", "--requirement", "preprocessing/requirements.txt"]
    if (done := subprocess.run(getting, cwd=context, capture_output=True, text=True)).returncode:
        pytest.skip(f"no packages for the image: {done.stderr[-300:]}")
    arguments = {"BASE_IMAGE": base_image, "PIP_NO_INDEX": "1"}
    tag = "augrid-preprocessing:test"
    docker_client.images.build(
        path=str(context), dockerfile="preprocessing/Dockerfile", tag=tag, buildargs=arguments, rm=True
    )
    return tag


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_a_container_writes_is_what_the_command_writes(
    docker_client: docker.DockerClient, image: str, make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    files = {path.name: path.read_bytes() for path in sorted((ROOT / "preprocessing").glob("*.py"))}
    data = make_folder(files | {"bad.py": "x = = 1\n", "latin.py": b"x = '\xe4'\n"})
    (data / "link.py").symlink_to("/etc/passwd")
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC)
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    user = os.getuid() or 1234
    os.chown(inside, user, -1)
    volumes = [f"{data}:/data:ro", f"{inside}:/output", f"{spec}:/spec.yaml:ro"]
    printed = docker_client.containers.run(
        image,
        ["--spec", "/spec.yaml"],
        volumes=volumes,
        user=f"{user}:{user}",
        network_mode="none",
        read_only=True,
        tmpfs={"/tmp": ""},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        remove=True,
    )
    assert b"1 syntax_error" in printed
    command = [sys.executable, "-m", "grid", "preprocess", str(data), str(outside), "--spec", str(spec)]
    subprocess.run(command, check=True, capture_output=True)
    assert contents(inside) == contents(outside)
    assert {path.stat().st_uid for path in inside.rglob("*")} == {user}
