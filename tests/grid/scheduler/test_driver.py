import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from grid.executors import inprocess, local
from grid.scheduler.driver import Driver, Report, Silent, working
from grid.scheduler.queue import Policy
from grid.scheduler.slots import Slot
from grid.store.finished import Store

KINDS = frozenset({"probe"})


def drive(
    tmp_path: Path, jobs: list[Any], executor: Any = None, slots: int = 2, logs: str = "logs", **slot: Any
) -> Report:
    driver = Driver(
        store=Store(tmp_path / "store"),
        folder=tmp_path / logs,
        executor=executor or local.Executor(),
        slots=[Slot(name=f"s{n}", kinds=KINDS, **slot) for n in range(slots)],
        display=Silent(),
        policy=Policy(),
    )
    return driver.run(jobs)


@pytest.mark.parametrize("executor", [inprocess.Executor, local.Executor])
def test_contract_done_failed_blocked(tmp_path: Path, probe_job: Any, executor: Any) -> None:
    first = probe_job("first")
    bad = probe_job("bad", first, fail="on purpose")
    after_bad = probe_job("after", bad)
    good = probe_job("good", first)
    report = drive(tmp_path, [first, bad, after_bad, good], executor(), slots=1)
    status = {job.id: report.outcomes[job.steps[0].key] for job in (first, bad, after_bad, good)}
    assert [outcome.status for outcome in status.values()] == ["done", "failed", "blocked", "done"]
    assert status["probe-bad"].failure == "error"
    assert status["probe-bad"].error == "RuntimeError: on purpose"
    assert "on purpose" in status["probe-after"].error
    Store(tmp_path / "store").verify("probe", good.steps[0].key)
    if executor is local.Executor:
        assert "Traceback" in (tmp_path / "logs" / "probe-bad" / "log.txt").read_text()
    assert list((tmp_path / "store" / "tmp").iterdir()) == []


def test_others_can_see_what_the_slots_do(tmp_path: Path, probe_job: Any) -> None:
    job = probe_job("slow", seconds=2)
    thread = threading.Thread(target=drive, args=(tmp_path, [job]), kwargs={"slots": 1})
    thread.start()
    while not (seen := working(tmp_path / "logs")) and thread.is_alive():
        time.sleep(0.05)
    assert [(one.slot, one.key) for one in seen] == [("s0", job.steps[0].key)]
    assert 0 <= time.time() - seen[0].since < 60
    thread.join()
    assert working(tmp_path / "logs") == []


def test_a_step_that_hangs_is_a_timeout(tmp_path: Path, probe_job: Any) -> None:
    job = probe_job("hangs", seconds=60)
    report = drive(tmp_path, [job, probe_job("fine")], local.Executor(timeout_s=1))
    assert report.outcomes[job.steps[0].key].failure == "timeout"
    assert len([o for o in report.outcomes.values() if o.status == "done"]) == 1


def test_a_step_that_is_killed_is_tried_again(tmp_path: Path, probe_job: Any) -> None:
    job = probe_job("victim", seconds=1.5)
    killed = threading.Thread(target=_kill_once, args=(tmp_path,))
    killed.start()
    report = drive(tmp_path, [job])
    killed.join()
    assert report.outcomes[job.steps[0].key].status == "done"
    assert (tmp_path / "logs" / "probe-victim" / "log.txt").read_text().count("---") == 2


def _kill_once(tmp_path: Path) -> None:
    """Once the job has begun; the processes that were started ahead of other jobs go with its own."""
    log = tmp_path / "logs" / "probe-victim" / "log.txt"
    for _ in range(1000):
        steps = [one for one in psutil.Process().children() if "step" in one.cmdline()]
        if steps and log.exists() and "---" in log.read_text():
            for process in steps:
                process.kill()
            return
        time.sleep(0.05)


def test_memory_is_bounded(tmp_path: Path, probe_job: Any) -> None:
    job = probe_job("greedy", seconds=30)
    report = drive(tmp_path, [job], memory_bytes=1_000_000)
    assert report.outcomes[job.steps[0].key].failure == "oom_host"


def test_two_runs_at_once_on_one_store_make_the_same_artifacts(tmp_path: Path, probe_job: Any) -> None:
    first = probe_job("first")
    jobs = [first, *(probe_job(str(n), first, seconds=0.3) for n in range(3))]
    reports: list[Report] = []
    runs = [
        threading.Thread(target=lambda n=n: reports.append(drive(tmp_path, jobs, logs=f"logs{n}")))
        for n in range(2)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [o.status for report in reports for o in report.outcomes.values()] == ["done"] * 8
    for job in jobs:
        Store(tmp_path / "store").verify("probe", job.steps[0].key)
    assert list((tmp_path / "store" / "tmp").iterdir()) == []
    assert not (tmp_path / "store" / "damaged").exists()


def ahead(folder: Path) -> list[psutil.Process]:
    """Processes that this one started ahead, as a driver whose logs are in `folder`."""
    found = [p for p in psutil.process_iter(["cmdline", "ppid"]) if p.info["ppid"] == os.getpid()]
    return [p for p in found if (p.info["cmdline"] or [])[-2:] == ["--ahead", str(folder)]]


def test_processes_that_were_started_ahead_do_jobs_like_others(tmp_path: Path, probe_job: Any) -> None:
    jobs: list[Any] = []
    for n in range(4):  # one after the other
        jobs.append(probe_job(str(n), *jobs[-1:], seconds=0.6, **({"fail": "boom"} if n == 3 else {})))
    seen: set[int] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            waiting = ahead(tmp_path / "logs")
            if waiting and not seen:
                waiting[0].kill()  # the next job starts without it
            seen.update(p.pid for p in waiting)

    looking = threading.Thread(target=look)
    looking.start()
    report = drive(tmp_path, jobs, slots=1, threads=3)
    over.set()
    looking.join()
    assert [report.outcomes[job.steps[0].key].status for job in jobs] == ["done"] * 3 + ["failed"]
    assert len(seen) == 3  # one for each job but the first
    assert ahead(tmp_path / "logs") == []
    for job in jobs[:3]:
        manifest = Store(tmp_path / "store").verify("probe", job.steps[0].key)
        assert manifest["facts"]["threads"] == "3"
    logs = [(tmp_path / "logs" / f"probe-{n}" / "log.txt").read_text() for n in range(4)]
    assert ["RuntimeError: boom" in text for text in logs] == [False, False, False, True]


DRIVER = """
    import sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from test_driver import drive
    from grid.plan.jobs import Job
    from grid.plan.graph import Step
    from grid.keys import digest
    steps = [Step("probe", digest(n), "g", {{"seconds": 60}}, (), (), {{}}) for n in range(3)]
    jobs = [Job(f"probe-{{n}}", "probe", (step,), ()) for n, step in enumerate(steps)]
    report = drive(Path({folder!r}), jobs)
    sys.exit(130 if report.interrupted else 0)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_everything_dies_with_the_driver(tmp_path: Path, number: signal.Signals) -> None:
    code = textwrap.dedent(DRIVER).format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    driver = subprocess.Popen([sys.executable, "-c", code])
    steps: list[psutil.Process] = []
    for _ in range(200):
        steps = psutil.Process(driver.pid).children(recursive=True)
        if len(list((tmp_path / "store").glob("tmp/*"))) == 2 and len(steps) == 5:
            break
        time.sleep(0.05)
    assert len(steps) == 5  # two jobs, each with its watcher, and a process for the third
    os.kill(driver.pid, number)
    assert driver.wait(10) == (-9 if number == signal.SIGKILL else 130)
    _, alive = psutil.wait_procs(steps, timeout=5)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
    assert len(Store(tmp_path / "store").clean()) == 2
