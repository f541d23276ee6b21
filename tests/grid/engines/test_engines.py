"""What is sent to engines and believed from them, without an engine."""

import io
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grid.engines import archives, endings
from grid.engines.archives import HostileArchiveError
from grid.engines.carrier import _verified
from grid.engines.connection import Engine, LostHostError
from grid.engines.container_output import Output
from grid.engines.docker_host import DockerHost
from grid.store.finished import Store


def archive(*members: tuple[str, bytes, bytes]) -> list[bytes]:
    """(name, type, content or target of a link)"""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind in (tarfile.LNKTYPE, tarfile.SYMTYPE):
                info.linkname = content.decode()
            elif kind == tarfile.REGTYPE:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return [file.getvalue()]


def test_packed_is_unpacked_the_same(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (archives.CHUNK + 7))
    entries: list[tuple[str, Path | bytes | None]] = [
        ("top", None),
        ("top/inner", None),
        ("top/inner/é" * 30, b"text"),
        ("top/big", tmp_path / "big"),
        ("top/empty", b""),
    ]
    entries[2] = ("top/inner/" + "é" * 90, b"text")
    stream = b"".join(archives.pack(entries, (12, 34)))
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        assert {(m.uid, m.gid) for m in tar} == {(12, 34)}
    out = tmp_path / "out"
    out.mkdir()
    archives.unpack((stream[n : n + 1000] for n in range(0, len(stream), 1000)), out, top="top")
    assert (out / "inner" / ("é" * 90)).read_bytes() == b"text"
    assert (out / "big").read_bytes() == (tmp_path / "big").read_bytes()
    assert (out / "empty").read_bytes() == b""


FILE, FOLDER = tarfile.REGTYPE, tarfile.DIRTYPE


@pytest.mark.parametrize(
    "members",
    [
        [("../evil", FILE, b"x")],
        [("/evil", FILE, b"x")],
        [("top/../../evil", FILE, b"x")],
        [("other/file", FILE, b"x")],
        [("top", FILE, b"x")],
        [("top", FOLDER, b""), ("top/link", tarfile.SYMTYPE, b"/etc/passwd")],
        [("top", FOLDER, b""), ("top/link", tarfile.LNKTYPE, b"top/file")],
        [("top", FOLDER, b""), ("top/device", tarfile.CHRTYPE, b"")],
        [("top", FOLDER, b""), ("top/pipe", tarfile.FIFOTYPE, b"")],
        [("top", FOLDER, b""), ("top/a", FILE, b"x"), ("top/a", FILE, b"y")],
        [("top", FOLDER, b""), ("top/a", FILE, b"x"), ("top/a/b", FILE, b"y")],
        [("top", FOLDER, b""), ("top/large", FILE, bytes(2000))],
        [("top", FOLDER, b""), ("top/none/file", FILE, b"x")],
    ],
)
def test_hostile_archives_are_refused(tmp_path: Path, members: list[tuple[str, bytes, bytes]]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises((HostileArchiveError, NotADirectoryError)):
        archives.unpack(archive(*members), out, top="top", max_bytes=1000)
    assert [
        path.name for path in tmp_path.rglob("*") if path.name in ("evil", "link", "device", "pipe")
    ] == []


def test_a_cut_archive_and_endless_ones_are_refused(tmp_path: Path) -> None:
    whole = archive(("top", FOLDER, b""), ("top/a", FILE, bytes(5000)))[0]
    with pytest.raises(HostileArchiveError):
        archives.unpack([whole[:3000]], tmp_path, top="top")

    def endless() -> Iterator[bytes]:  # one header that says it is long
        info = tarfile.TarInfo("x")
        info.type, info.size = tarfile.XHDTYPE, 10**12
        yield info.tobuf(tarfile.GNU_FORMAT)
        while True:
            yield bytes(archives.CHUNK)

    with pytest.raises(HostileArchiveError):
        archives.unpack(endless(), tmp_path, top="top", max_bytes=1000)


def test_an_artifact_must_be_what_its_manifest_says(tmp_path: Path) -> None:
    store, key = Store(tmp_path), "ab" * 32
    with store.writing("probe", key) as folder:
        (folder / "file").write_text("x")
        store.publish(folder, "probe", key, {"facts": {}})
    there = store.path("probe", key)
    assert _verified(there, "probe", key) == {"facts": {}}
    with pytest.raises(HostileArchiveError):
        _verified(there, "probe", "cd" * 32)
    (there / "more").write_text("x")
    with pytest.raises(HostileArchiveError):
        _verified(there, "probe", key)


def test_events_and_log_part_ways_and_a_broken_connection_repeats_nothing(tmp_path: Path) -> None:
    lines = b'noise\n{"event": "done", "key": "k"}\n{"event": broken\nlast line without end'
    calls: list[int] = []

    def stream() -> Iterator[bytes]:
        calls.append(1)
        for n in range(0, len(lines), 5):
            if len(calls) < 5 and n > 12 * len(calls):
                if len(calls) == 2:
                    return  # cut without a word
                raise ConnectionError
            yield lines[n : n + 5]

    output = Output(stream, lambda: len(calls) < 5, tmp_path)
    output.start()
    assert output.ended.wait(10)
    assert len(calls) == 5
    assert (tmp_path / "events.jsonl").read_bytes() == b'{"event": "done", "key": "k"}\n'
    assert (tmp_path / "log.txt").read_bytes() == b'noise\n{"event": broken\nlast line without end'


def test_how_a_container_ended() -> None:
    def of(code: int, tail: str = "", **state: Any) -> Any:
        return endings.classify({"ExitCode": code, **state}, tail).failure

    assert of(0) is None
    assert of(1) is None  # events say why
    assert of(137, OOMKilled=True) == "oom_host"
    assert of(137) == "lost"
    assert of(1, "torch.OutOfMemoryError: CUDA out of memory.") == "oom_gpu"
    assert of(1, "RuntimeError: No CUDA GPUs are available") == "infra"
    assert of(128, Error="runc create failed") == "infra"


def test_a_silent_engine_is_lost_and_then_asked_once() -> None:
    engine = Engine(DockerHost(name="gone", url="unix:///nowhere/docker.sock", slots=1), patience_s=0.5)
    for patience_s in (0.5, 0.0):
        began = time.monotonic()
        with pytest.raises(
            LostHostError, match=r"host gone is lost: unix:///nowhere/docker.sock: .*No such file"
        ):
            engine.ask(lambda client: client.info())
        assert patience_s <= time.monotonic() - began < patience_s + 1


def test_a_hosts_file_is_checked_with_places(tmp_path: Path) -> None:
    from grid import hosts
    from preprocessing.errors import BadInput

    file = tmp_path / "hosts.yaml"
    file.write_text(
        "hosts:\n"
        "  - {name: a, url: http://x, slots: 1}\n"
        "  - {name: b, url: unix:///x, slots: 1, memory: 3 pounds}\n"
        "  - {name: c, url: unix:///x, slots: 1, gpu: [0]}\n"
    )
    with pytest.raises(BadInput) as caught:
        hosts.load(str(file))
    lines = str(caught.value).splitlines()
    assert f"{file}:2:15: hosts[0].url: must be unix:///socket, ssh://user@host:port" in lines[0]
    assert f"{file}:3:41: hosts[1].memory" in lines[1]
    assert "did you mean 'gpus'" in lines[2]


@pytest.mark.parametrize(
    "host",
    [
        {"url": "tcp://h:2376"},
        {"url": "ssh://-oProxyCommand=x"},
        {"url": "ssh://me@h:22 -x"},
        {"url": "unix:///x", "slots": 0},
        {"url": "unix:///x", "data": "../up"},
        {"url": "unix:///x", "user": "root"},
    ],
)
def test_hosts_that_are_refused(host: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Value error|should match"):
        DockerHost.model_validate({"name": "x", "slots": 1, **host})


def test_where_a_tunnel_goes() -> None:
    host = DockerHost(name="x", url="ssh://me@gpu1.example.org:2222/run/docker.sock", slots=1)
    assert host.ssh == ("me@gpu1.example.org", 2222, "/run/docker.sock")
    assert not host.shared
    assert DockerHost(name="x", url="ssh://h", slots=1).ssh == ("h", None, "/var/run/docker.sock")
