"""What people see of a run."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grid.executors import local
from grid.scheduler import progress
from grid.scheduler.driver import Driver
from grid.scheduler.progress import LiveTable
from grid.scheduler.slots import Slot
from grid.store.finished import Store

SLOT = Slot(name="gpu1.example.org/gpu0.1", kinds=frozenset({"probe"}))
TRAINING = {
    "event": "progress",
    "kind": "progress",
    "step": 55,
    "max_steps": 2000,
    "train_bits": 8.18512,
    "subwords_per_s": 123196.4,
    "seconds_left": 75.0,
}


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_live_table_fits_and_shows_who_does_what(probe_job: Any, width: int) -> None:
    job = probe_job("one")
    console = Console(width=width, force_terminal=True, file=io.StringIO())
    table = LiveTable(
        {step.key: step for step in job.steps},
        {"corpus": 1},
        slots=1,
        median_s={"probe": 90.0},
        describe=lambda step: "train rename 0.5, original+augmented, gru, seed 1",
        console=console,
    )
    table.started(job, job.steps, SLOT)
    with console.capture() as capture:
        console.print(table.render())
    assert "1:30 to go" in capture.get()
    table.event(job, {**TRAINING, "key": job.steps[0].key})
    with console.capture() as capture:
        console.print(table.render())
    lines = capture.get().splitlines()
    [row] = [line for line in lines if "gpu1" in line]
    assert "gpu1.example.org/gpu0.1" in row
    assert "train rename 0.5, o" in row
    assert re.search(r" \d+\.\d s ", row)  # since it began
    if width >= 120:
        assert "step 55/2000" in row
    if width == 200:
        assert "8.185 train bits  123,196 subwords/s" in row
    table.ended(job, SLOT, [])
    with console.capture() as capture:
        console.print(table.render())
    assert "gpu1" not in capture.get()


def test_the_last_line_of_a_log_is_shown_and_can_t_steer_the_terminal(tmp_path: Path, probe_job: Any) -> None:
    heard: list[str] = []

    class Shown(progress.Lines):
        def event(self, job: Any, event: Any) -> None:
            super().event(job, event)
            heard.extend([event["line"]] if event.get("event") == "said" else [])

    job = probe_job("one", seconds=0.8)
    folder = tmp_path / "logs" / job.id
    folder.mkdir(parents=True)
    shown = Shown(
        {s.key: s for s in job.steps}, {}, slots=1, median_s={}, describe=str, console=Console(quiet=True)
    )

    class Talking(local.Executor):
        def run(self, file: Path, slot: Slot) -> Any:
            with open(file.with_name("log.txt"), "ab") as log:
                log.write(b"first\n\x1b[31mloading\x07 weights\n\n")
            return super().run(file, slot)

    Driver(
        store=Store(tmp_path / "store"),
        folder=tmp_path / "logs",
        executor=Talking(),
        slots=[SLOT],
        display=shown,
    ).run([job])
    assert set(heard) == {"[31mloading weights"}
