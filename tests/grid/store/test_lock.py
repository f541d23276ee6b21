import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grid.store import lock, processes
from preprocessing.errors import BadInput

HOLD = """
import sys, time, pathlib
from grid.store import lock
with lock.held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_held_by_another_process_then_stale(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "lock.json"
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with (
        pytest.raises(BadInput, match=f"demo is being run by process {other.pid} on {processes.host()}"),
        lock.held(path),
    ):
        pass
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    with lock.held(path):
        assert (lock.holder(path) or {})["identity"] == processes.identity()
    assert not path.exists()
    assert [p.name for p in path.parent.iterdir() if str(other.pid) not in p.name] == []


def test_a_holder_whose_clock_jumps_still_holds(tmp_path: Path, jumping_clock: dict[str, str]) -> None:
    path = tmp_path / "demo" / "lock.json"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=jumping_clock) as first:
        assert first.stdout is not None
        first.stdout.readline()
        for _ in range(4):
            second = subprocess.run(command, env=jumping_clock, capture_output=True, text=True, check=False)
            assert f"demo is being run by process {first.pid}" in second.stderr
        first.kill()


def test_a_reused_pid_is_not_the_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    path.write_text(json.dumps({"identity": f"{processes.host()}+{os.getpid()}+1.gone", "since": 0}))
    with lock.held(path):
        pass


def test_another_host_is_believed(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    path.write_text(json.dumps({"identity": "elsewhere+1+1.x", "since": 0}))
    with pytest.raises(BadInput, match=r"elsewhere.*delete"), lock.held(path):
        pass


def test_an_empty_lock_is_void(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    path.write_text("")
    with lock.held(path):
        pass
