"""Jobs in containers of a real engine: on shared folders, and over a volume."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from grid.engines import containers
from grid.engines.docker_host import DockerHost
from grid.executors import docker as executor
from grid.hosts import Hosts, Local
from grid.scheduler.driver import Driver, Report, Silent
from grid.store.finished import Store

Make = Callable[..., Hosts]


@pytest.fixture
def hosts(docker_url: str, training_image: str) -> Make:
    def make(data: str | None = None, slots: int = 2, local: int = 0, **more: Any) -> Hosts:
        host = {k: more.pop(k) for k in ("memory", "gpus") if k in more}
        one = DockerHost(name="engine", url=docker_url, image=training_image, slots=slots, data=data, **host)
        return Hosts(local=Local(slots=max(local, 1)), hosts=[one], **more)

    return make


@pytest.fixture(params=["shared", None], ids=["shared", "volume"])
def data(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    if request.param is None:  # as for a host elsewhere
        monkeypatch.setattr(DockerHost, "shared", property(lambda host: False))
    place: str | None = request.param
    return place


def drive(root: Path, hosts: Hosts, jobs: list[Any], **options: Any) -> Report:
    one, slots = executor.make(hosts)
    slots = [slot for slot in slots if slot.host != "local"]
    return Driver(
        store=Store(root / "store"),
        folder=root / "logs",
        executor=one,
        slots=slots,
        display=Silent(),
        **options,
    ).run(jobs)


def left(client: docker.DockerClient, root: Path) -> list[str]:
    """Names of containers and volumes of a grid that are there."""
    grid = containers.grid_id(root / "logs")
    found = client.api.containers(all=True, filters={"label": f"{containers.GRID}={grid}"})
    volumes = client.api.volumes(filters={"name": f"augrid-{grid}"})["Volumes"] or []
    return [c["Names"][0] for c in found] + [v["Name"] for v in volumes]


@pytest.fixture
def clean(docker_client: docker.DockerClient, tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    yield lambda: left(docker_client, tmp_path)
    assert left(docker_client, tmp_path) == []


pytestmark = pytest.mark.docker


def test_contract_done_failed_blocked(
    tmp_path: Path, hosts: Make, data: str | None, probe_job: Any, clean: Any
) -> None:
    first = probe_job("first")
    bad = probe_job("bad", first, fail="on purpose")
    after_bad = probe_job("after", bad)
    good = probe_job("good", first)
    report = drive(tmp_path, hosts(data), [first, bad, after_bad, good])
    status = {job.id: report.outcomes[job.steps[0].key] for job in (first, bad, after_bad, good)}
    assert [outcome.status for outcome in status.values()] == ["done", "failed", "blocked", "done"]
    assert status["probe-bad"].failure == "error"
    assert status["probe-bad"].error == "RuntimeError: on purpose"
    store = Store(tmp_path / "store")
    manifest = store.verify("probe", good.steps[0].key)
    assert manifest["provenance"]["image"]["digest"].startswith("sha256:")
    assert manifest["provenance"]["docker_host"] == "engine"
    assert "Traceback" in (tmp_path / "logs" / "probe-bad" / "log.txt").read_text()
    assert '{"event"' not in (tmp_path / "logs" / "probe-bad" / "log.txt").read_text()
    assert list((tmp_path / "store" / "tmp").iterdir()) == []
    owner = (store.path("probe", good.steps[0].key) / "slept").stat().st_uid
    assert owner == os.getuid()


def test_what_a_container_may_do(
    tmp_path: Path, hosts: Make, probe_job: Any, docker_client: docker.DockerClient, clean: Any
) -> None:
    seen: list[dict[str, Any]] = []

    def look() -> None:
        for _ in range(200):
            grid = containers.grid_id(tmp_path / "logs")
            for c in docker_client.api.containers(filters={"label": f"{containers.JOB}=probe-long"}):
                if c["Labels"][containers.GRID] == grid:
                    seen.append(docker_client.api.inspect_container(c["Id"]))
                    return
            time.sleep(0.05)

    looking = threading.Thread(target=look)
    looking.start()
    drive(tmp_path, hosts("shared", memory=500_000_000), [probe_job("long", seconds=1)])
    looking.join()
    config = seen[0]["HostConfig"]
    assert config["ReadonlyRootfs"]
    assert config["CapDrop"] == ["ALL"]
    assert config["NetworkMode"] == "none"
    assert config["SecurityOpt"] == ["no-new-privileges"]
    assert config["PidsLimit"] == containers.PIDS
    assert config["Memory"] == config["MemorySwap"] == 500_000_000
    assert config["Init"]
    names = {entry.partition("=")[0] for entry in seen[0]["Config"]["Env"]}
    assert not names & {"SSH_AUTH_SOCK", "PIP_CERT", "AWS_CA_BUNDLE"}


def test_out_of_memory(tmp_path: Path, hosts: Make, data: str | None, probe_job: Any, clean: Any) -> None:
    job = probe_job("greedy", bytes=2 * 10**9, seconds=1)
    report = drive(tmp_path, hosts(data, memory=300_000_000), [job])
    assert report.outcomes[job.steps[0].key].failure == "oom_host"


def test_a_step_that_hangs(tmp_path: Path, hosts: Make, probe_job: Any, clean: Any) -> None:
    job = probe_job("hangs", seconds=60)
    report = drive(tmp_path, hosts("shared", timeout_s=3.0), [job])
    assert report.outcomes[job.steps[0].key].failure == "timeout"


def test_a_gpu_that_is_not_there(tmp_path: Path, hosts: Make, probe_job: Any, clean: Any) -> None:
    job = probe_job("gpu")
    report = drive(tmp_path, hosts("shared", slots=0, gpus=[0]), [job])
    assert "no slot is left" in report.stopped
    assert "could not select device driver" in report.stopped
    request = containers.gpu_requests(["GPU-0a"])[0]
    assert request["DeviceIDs"] == ["GPU-0a"]
    assert request["Capabilities"] == [["gpu"]]


def test_an_image_that_can_t_say_what_is_in_it(
    tmp_path: Path, hosts: Make, base_image: str, probe_job: Any, clean: Any
) -> None:
    one = hosts("shared")
    place = one.hosts[0].model_copy(update={"image": base_image})  # Python is there, and nothing else
    report = drive(tmp_path, one.model_copy(update={"hosts": [place]}), [probe_job("any")])
    [outcome] = report.outcomes.values()
    assert outcome.failure == "infra"
    assert "grid.engines.inside ended with code" in outcome.error


def test_a_container_that_is_killed_is_tried_again(
    tmp_path: Path,
    hosts: Make,
    data: str | None,
    probe_job: Any,
    docker_client: docker.DockerClient,
    clean: Any,
) -> None:
    def kill() -> None:
        for _ in range(400):
            grid = containers.grid_id(tmp_path / "logs")
            asked = {"label": [f"{containers.GRID}={grid}", f"{containers.JOB}=probe-victim"]}
            for found in docker_client.api.containers(filters=asked):
                time.sleep(0.5)
                docker_client.api.kill(found["Id"])
                return
            time.sleep(0.05)

    killing = threading.Thread(target=kill)
    killing.start()
    job = probe_job("victim", seconds=2)
    report = drive(tmp_path, hosts(data), [job])
    killing.join()
    assert report.outcomes[job.steps[0].key].status == "done"
    assert (tmp_path / "logs" / "probe-victim" / "log.txt").read_text().count("---") == 2
    assert list((tmp_path / "store" / "tmp").iterdir()) == []


DRIVER = """
    import sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from test_docker import drive
    from grid.engines.docker_host import DockerHost
    from grid.plan.graph import Step
    from grid.hosts import Hosts, Local
    from grid.plan.jobs import Job
    from grid.keys import digest
    from grid.store.finished import Store
    if {volume}:
        DockerHost.shared = property(lambda host: False)
    host = DockerHost(name="engine", url={url!r}, image={image!r}, slots=2)
    hosts = Hosts(local=Local(slots=1), hosts=[host], detach={detach}, timeout_s=60)
    steps = [Step("probe", digest(n), "g", dict(seconds={seconds}), (), (), {{}}) for n in range(2)]
    store = Store(Path({folder!r}) / "store")
    jobs = [Job(f"probe-{{n}}", "probe", (step,), ()) for n, step in enumerate(steps)]
    jobs = [job for job in jobs if not store.has("probe", job.steps[0].key)]
    report = drive(Path({folder!r}), hosts, jobs)
    sys.exit(130 if report.interrupted else 0)
"""


@pytest.fixture
def driver(tmp_path: Path, docker_url: str, training_image: str) -> Callable[..., "subprocess.Popen[bytes]"]:
    def start(
        seconds: float, *, detach: bool = False, volume: bool = False, env: dict[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        code = textwrap.dedent(DRIVER).format(
            tests=str(Path(__file__).parent),
            folder=str(tmp_path),
            url=docker_url,
            image=training_image,
            seconds=seconds,
            detach=detach,
            volume=volume,
        )
        return subprocess.Popen([sys.executable, "-c", code], env=env)

    return start


def running(client: docker.DockerClient, root: Path) -> dict[str, str]:
    grid = containers.grid_id(root / "logs")
    asked = {"label": [f"{containers.GRID}={grid}", containers.JOB]}
    return {c["Labels"][containers.JOB]: c["Id"] for c in client.api.containers(filters=asked)}


def wait_for(condition: Callable[[], bool], timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("volume", [False, True], ids=["shared", "volume"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "detached"])
def test_the_next_driver_adopts_what_runs_and_what_has_ended(
    tmp_path: Path,
    driver: Any,
    docker_client: docker.DockerClient,
    clean: Any,
    number: signal.Signals,
    volume: bool,
) -> None:
    first = driver(8, detach=True, volume=volume)
    wait_for(lambda: len(running(docker_client, tmp_path)) == 2)
    before = running(docker_client, tmp_path)
    first.send_signal(number)
    assert first.wait(30) == (-9 if number == signal.SIGKILL else 130)
    assert running(docker_client, tmp_path) == before
    docker_client.api.wait(before["probe-0"])  # ends while nobody looks
    store = Store(tmp_path / "store")
    assert driver(8, detach=True, volume=volume).wait(60) == 0
    for key in store.keys("probe"):
        store.verify("probe", key)
    assert len(store.keys("probe")) == 2
    log = (tmp_path / "logs" / "probe-1" / "log.txt").read_text()
    assert "Traceback" not in log
    assert clean() == []


@pytest.mark.slow
def test_a_clock_that_jumps(tmp_path: Path, driver: Any, clean: Any, jumping_clock: dict[str, str]) -> None:
    assert driver(3, env=jumping_clock).wait(60) == 0
    store = Store(tmp_path / "store")
    assert [store.verify("probe", key)["wall_s"] < 30 for key in store.keys("probe")] == [True, True]
    logs = [file.read_text() for file in (tmp_path / "logs").glob("*/log.txt")]
    assert [text.count("---") for text in logs] == [1, 1]


@pytest.mark.slow
def test_ctrl_c_at_random_moments_leaves_nothing(
    tmp_path: Path, driver: Any, docker_client: docker.DockerClient, clean: Any
) -> None:
    rng = random.Random(5)
    for n in range(20):
        one = driver(20, volume=bool(n % 2))
        time.sleep(rng.uniform(1.0, 6.0))
        one.send_signal(rng.choice([signal.SIGINT, signal.SIGTERM]))
        one.wait(40)
        assert clean() == []
        if (tmp_path / "store" / "tmp").exists():
            assert list((tmp_path / "store" / "tmp").iterdir()) == []
