"""Jobs of probe steps, for tests of the scheduler, the executors and the driver."""

from collections.abc import Callable
from typing import Any

import pytest

from grid.graph import Artifacts, Step
from grid.jobs import Job
from grid.keys import digest

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
