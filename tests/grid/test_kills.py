"""A driver killed or interrupted at many random moments: nothing is lost, done twice or left behind."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from grid.store.finished import Store

DRIVER = """
import sys
from pathlib import Path
from grid.store import lock
from grid.scheduler.driver import Driver, Silent
from grid.executors import local
from grid.plan.graph import Artifacts, Step
from grid.plan.jobs import Job
from grid.keys import digest
from grid.scheduler.slots import Slot
from grid.store.finished import Store

root = Path(sys.argv[1])
store = Store(root / "store")
jobs, last = [], None
for n in range(10):
    needs = (Artifacts("probe", (digest(n - 5),), "x"),) if n >= 5 else ()
    step = Step("probe", digest(n), str(n), {"n": n, "seconds": 0.15}, ("need",) * len(needs), needs, {})
    if not store.has("probe", step.key):
        missing = [f"probe-{n - 5}"] if n >= 5 and not store.has("probe", digest(n - 5)) else []
        jobs.append(Job(f"probe-{n}", "probe", (step,), tuple(missing)))
with lock.held(root / "grid" / "lock.json"):
    store.clean()
    slots = [Slot(name=f"s{n}", kinds=frozenset({"probe"})) for n in range(3)]
    report = Driver(
        store=store, folder=root / "logs", executor=local.Executor(), slots=slots, display=Silent()
    ).run(jobs)
    if report.interrupted:
        store.clean()
sys.exit(130 if report.interrupted else 0)
"""


def start(root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DRIVER, str(root)])


def finished(root: Path) -> dict[str, int]:
    return {str(f): f.stat().st_mtime_ns for f in root.glob("store/probe/*/*/manifest.json")}


def steps_of(root: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if (
            str(root) in " ".join(process.info["cmdline"] or ())
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ):
            found.append(process)
    return found


def gone(root: Path) -> bool:
    for _ in range(100):
        if not steps_of(root):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_sigkill_at_fifty_random_moments(tmp_path: Path) -> None:
    rng, kills, round_ = random.Random(7), 0, 0
    while kills < 50:
        root = tmp_path / f"round{round_}"
        round_ += 1
        while True:
            before = finished(root)
            driver = start(root)
            try:
                assert driver.wait(rng.uniform(0.05, 2.0)) == 0
                break
            except subprocess.TimeoutExpired:
                driver.kill()
                driver.wait()
                kills += 1
            assert gone(root)
            after = finished(root)
            assert {k: v for k, v in after.items() if k in before} == before
            if kills >= 50:
                assert start(root).wait(60) == 0
                break
        assert len(finished(root)) == 10
        for manifest in finished(root):
            Store(root / "store").verify("probe", Path(manifest).parent.name)
        assert list((root / "store" / "tmp").iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_at_twenty_random_moments(tmp_path: Path) -> None:
    rng = random.Random(3)
    for n in range(20):
        root = tmp_path / f"round{n}"
        driver = start(root)
        time.sleep(rng.uniform(0.8, 2.5))
        driver.send_signal(rng.choice([signal.SIGINT, signal.SIGTERM]))
        code = driver.wait(20)
        assert gone(root)
        if code in (0, 130):  # the handler was in place
            assert not (root / "grid" / "lock.json").exists()
            assert list((root / "store" / "tmp").glob("*")) == []
