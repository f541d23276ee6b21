"""One grid, as its user runs it, in three kinds of places: the same tables from all."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pandas as pd
import pytest

from grid.engines import containers
from grid.engines.docker_host import DockerHost
from grid.executors import docker as docker_executor
from grid.hosts import Hosts, Local
from grid.scheduler.driver import Driver, Report, Silent
from grid.store.finished import Store
from preprocessing.errors import BadInput

SETS = ("training.max_steps=20", "corpus.keep.max_samples=60", "axes.intensity=[1.0]", "axes.seed=[1]")
TABLES = ("metrics", "samples", "variants")
SSHD = """Port {port}
ListenAddress 127.0.0.1
StrictModes no
UsePAM no
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/pid
"""
CONFIG = """Host there
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/user
  UserKnownHostsFile {folder}/known
  StrictHostKeyChecking accept-new
"""
Tables = dict[str, pd.DataFrame]


def augrid(root: Path, *options: str) -> Tables:
    command = [sys.executable, "-m", "grid", "run", "quickstart", "--no-report", "--results", str(root)]
    for text in SETS:
        command += ["--set", text]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: pd.read_parquet(root / "quickstart" / f"{name}.parquet") for name in TABLES}


class Sshd:
    """An ssh server on this machine with keys of its own; `config` is for ssh -F, the host is `there`."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.folder, self.config = folder, folder / "config"
        for name in ("host", "user"):
            key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(key, check=True)
        (folder / "sshd_config").write_text(SSHD.format(port=port, folder=folder))
        self.config.write_text(CONFIG.format(port=port, folder=folder))
        self.start()

    def start(self) -> None:
        Path("/run/sshd").mkdir(exist_ok=True)
        command = ["/usr/sbin/sshd", "-D", "-f", str(self.folder / "sshd_config")]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(0.5)

    def cut(self) -> None:
        """End the server and every connection."""
        import psutil

        for child in psutil.Process(self.process.pid).children(recursive=True):
            child.kill()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    if not Path("/usr/sbin/sshd").exists():
        pytest.skip("no openssh-server")
    folder = tmp_path / "ssh"
    folder.mkdir()
    server = Sshd(folder)
    yield server
    server.cut()


def loaded(url: str, source: docker.DockerClient, image: str) -> docker.DockerClient:
    """A client of the engine at `url`, which has been given an image of another one."""
    client = docker.DockerClient(base_url=url, version="auto", timeout=600)
    stream: Any = source.images.get(image).save(named=True)
    client.images.load(stream)
    return client


@pytest.fixture
def two_hosts(
    docker_client: docker.DockerClient,
    docker_url: str,
    training_image: str,
    other_engine: Callable[..., str],
    sshd: Sshd,
    tmp_path: Path,
) -> Path:
    """A hosts file with this engine, and another one that is reached through ssh and shares nothing."""
    url = other_engine()
    loaded(url, docker_client, training_image)
    file = tmp_path / "hosts.yaml"
    file.write_text(
        f"""local: {{slots: 1}}
lost_after_s: 15
hosts:
  - {{name: here, url: "{docker_url}", slots: 1, image: "{training_image}"}}
  - name: there
    url: ssh://root@there{url.removeprefix("unix://")}
    ssh_config: {sshd.config}
    slots: 1
    image: {training_image}
"""
    )
    return file


@pytest.fixture
def dask_address(tmp_path: Path) -> Iterator[str]:
    import json

    distributed = pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    at = ("--scheduler-file", str(file), "--no-dashboard")
    plain: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen([sys.executable, "-m", "dask", "scheduler", "--port", "0", *at], **plain)]
    while not file.exists():
        time.sleep(0.1)
    worker = [sys.executable, "-m", "dask", "worker", "--nthreads", "1", "--no-nanny", *at]
    started += [subprocess.Popen(worker, **plain) for _ in range(2)]
    with distributed.Client(scheduler_file=str(file)) as client:
        client.wait_for_workers(2, timeout=60)
    yield json.loads(file.read_text())["address"]
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.docker
@pytest.mark.slow
def test_the_same_tables_from_this_machine_two_engines_and_dask(
    tmp_path: Path, two_hosts: Path, dask_address: str
) -> None:
    here = augrid(tmp_path / "here", "--slots", "2")
    engines = augrid(tmp_path / "engines", "--hosts", str(two_hosts))
    dask = augrid(tmp_path / "dask", "--dask", dask_address)
    for name in TABLES:
        assert here[name].equals(engines[name]), name
        assert here[name].equals(dask[name]), name
    logs = "".join(
        file.read_text() for file in (tmp_path / "engines").glob("quickstart/logs/train-*/log.txt")
    )
    assert " on here/cpu0" in logs
    assert " on there/cpu0" in logs


def hosts_of(url: str, image: str, **more: object) -> Hosts:
    places = [DockerHost.model_validate({"name": "there", "url": url, "slots": 1, "image": image, **more})]
    return Hosts(local=Local(slots=1, train=True), hosts=places, lost_after_s=2 if "unix" in url else 30)


def start(root: Path, hosts: Hosts, jobs: list[Any]) -> tuple[threading.Thread, list[Report]]:
    executor, slots = docker_executor.make(hosts)
    kinds = frozenset({"probe"})
    slots = [replace(slot, kinds=kinds) for slot in slots if hosts.hosts[0].shared or slot.host != "local"]
    driver = Driver(
        store=Store(root / "store"), folder=root / "logs", executor=executor, slots=slots, display=Silent()
    )
    reports: list[Report] = []
    thread = threading.Thread(target=lambda: reports.append(driver.run(jobs)))
    thread.start()
    return thread, reports


def runs_on(client: docker.DockerClient, root: Path) -> bool:
    grid = containers.grid_id(root / "logs")
    asked = {"label": [f"{containers.GRID}={grid}", containers.JOB]}
    return bool(client.api.containers(filters=asked))


def wait_for(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.docker
@pytest.mark.slow
def test_steps_of_an_engine_that_is_killed_finish_elsewhere(
    tmp_path: Path,
    other_engine: Callable[..., str],
    light_image: str,
    docker_client: docker.DockerClient,
    probe_job: Any,
) -> None:
    url = other_engine()
    client = loaded(url, docker_client, light_image)
    thread, reports = start(
        tmp_path, hosts_of(url, light_image), [probe_job(f"n{n}", seconds=3) for n in range(4)]
    )
    wait_for(lambda: runs_on(client, tmp_path))
    os.kill(int((Path(url.removeprefix("unix://")).parent / "pid").read_text()), signal.SIGKILL)
    thread.join(120)
    assert [outcome.status for outcome in reports[0].outcomes.values()] == ["done"] * 4
    logs = [file.read_text() for file in (tmp_path / "logs").glob("*/log.txt")]
    assert any(" on there/cpu0" in text and " on cpu0" in text for text in logs)


@pytest.mark.docker
@pytest.mark.slow
def test_a_tunnel_that_is_cut_comes_back(
    tmp_path: Path, sshd: Sshd, docker_client: docker.DockerClient, training_image: str, probe_job: Any
) -> None:
    url = "ssh://root@there"
    hosts = hosts_of(url, training_image, ssh_config=str(sshd.config))
    thread, reports = start(tmp_path, hosts, [probe_job("long", seconds=8), probe_job("next")])
    wait_for(lambda: runs_on(docker_client, tmp_path))
    folders = list(Path(tempfile.gettempdir()).glob("augrid-tunnel-*"))
    assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o700] * len(folders)
    for _ in range(2):
        sshd.cut()
        time.sleep(1.5)
        sshd.start()
        time.sleep(1.5)
    thread.join(120)
    assert [outcome.status for outcome in reports[0].outcomes.values()] == ["done", "done"]
    assert [outcome.wall_s >= 8 for outcome in reports[0].outcomes.values()] == [True, False]
    log = (tmp_path / "logs" / "probe-long" / "log.txt").read_text()
    assert log.count("---") == 1  # once, and nowhere else
    assert list(Path(tempfile.gettempdir()).glob("augrid-tunnel-*")) == []
    assert not docker_client.api.volumes(filters={"name": f"augrid-{containers.grid_id(tmp_path / 'logs')}"})[
        "Volumes"
    ]


class Authority:
    """Signs certificates, by openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ca = folder, folder / "ca.pem"
        folder.mkdir()
        self._openssl("req", "-x509", "-subj", "/CN=test", *KEY, folder / "ca.key", "-out", self.ca)

    def sign(self, name: str, usage: str) -> tuple[Path, Path]:
        """A certificate for 127.0.0.1 and its key; `usage`: serverAuth or clientAuth."""
        cert, key, request, more = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr", "ext"))
        more.write_text(f"subjectAltName=IP:127.0.0.1\nextendedKeyUsage={usage}\n")
        self._openssl("req", "-subj", f"/CN={name}", *KEY, key, "-out", request)
        signer = ("-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial", "-days", "1")
        self._openssl("x509", "-req", "-in", request, *signer, "-extfile", more, "-out", cert)
        return cert, key

    def _openssl(self, *arguments: str | Path) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)


KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout")


@pytest.mark.docker
@pytest.mark.slow
def test_an_engine_behind_tls(
    tmp_path: Path,
    other_engine: Callable[..., str],
    light_image: str,
    docker_client: docker.DockerClient,
    probe_job: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, others = Authority(tmp_path / "ours"), Authority(tmp_path / "others")
    cert, key = ours.sign("engine", "serverAuth")
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    files = ("--tlscacert", str(ours.ca), "--tlscert", str(cert), "--tlskey", str(key))
    client = loaded(other_engine("-H", url, "--tlsverify", *files), docker_client, light_image)

    monkeypatch.setenv(
        "REQUESTS_CA_BUNDLE", str(others.ca)
    )  # the hosts file's authority counts, not this one
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    def tls(ca: Authority, signer: Authority, name: str) -> dict[str, object]:
        cert, key = signer.sign(name, "clientAuth")
        return {"tls": {"ca": str(ca.ca), "cert": str(cert), "key": str(key)}}

    good = hosts_of(url, light_image, **tls(ours, ours, "me"))
    thread, reports = start(tmp_path, good, [probe_job(f"n{n}", seconds=1) for n in range(2)])
    thread.join(120)
    assert [outcome.status for outcome in reports[0].outcomes.values()] == ["done", "done"]
    assert client.api.containers(all=True) == []
    assert not client.api.volumes()["Volumes"]
    for wrong, said in (
        (tls(ours, others, "stranger"), ""),  # nobody signed it; the engine's alert comes, or the line is cut
        (tls(others, ours, "misled"), "certificate verify failed"),  # an engine that is another one
    ):
        with pytest.raises(BadInput, match=f"{said}.*the engine's must know its cert"):
            docker_executor.make(hosts_of(url, light_image, **wrong).model_copy(update={"local": NOT_HERE}))


NOT_HERE = Local(slots=1, train=False)
