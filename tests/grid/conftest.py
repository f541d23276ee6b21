"""Jobs of probe steps, for tests of the scheduler, the executors and the driver."""

import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grid.keys import digest
from grid.plan.graph import Artifacts, Step
from grid.plan.jobs import Job

Chain = Callable[..., Job]


@pytest.fixture
def probe_job() -> Chain:
    def make(name: str, *needs: Job, **parameters: Any) -> Job:
        read = tuple(Artifacts("probe", tuple(s.key for s in need.steps), need.id) for need in needs)
        roles = tuple(f"need{n}" for n in range(len(needs)))
        key = digest([name, parameters])
        step = Step("probe", key, name, {"name": name, **parameters}, roles, read, {})
        return Job(f"probe-{name}", "probe", (step,), tuple(sorted(need.id for need in needs)))

    return make


@pytest.fixture
def jumping_clock(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment of processes whose clock jumps years ahead and back, four times a second."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: the clock can't be made to jump")
    library, clock = tmp_path / "jumping_clock.so", tmp_path / "clock"
    source = Path(__file__).with_name("jumping_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    over = threading.Event()

    def jump() -> None:
        for years in itertools.cycle((0, 10, -20, 1, -1)):
            clock.with_suffix(".new").write_text(str(years * 365 * 24 * 3600))
            clock.with_suffix(".new").replace(clock)
            if over.wait(0.25):
                return

    jumping = threading.Thread(target=jump)
    jumping.start()
    yield {**os.environ, "LD_PRELOAD": str(library), "AUGRID_CLOCK": str(clock)}
    over.set()
    jumping.join()
