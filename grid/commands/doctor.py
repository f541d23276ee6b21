"""`augrid doctor`: is everything there that a run needs, and what to do where it isn't."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from grid.engines.checks import FREE_BYTES, Check, all_of, guarded
from grid.engines.connection import Engine
from grid.executors import local
from grid.hosts import Hosts
from grid.keys import digest
from grid.plan.graph import Step
from grid.plan.jobs import Job
from grid.scheduler.driver import Driver, Silent
from grid.scheduler.slots import Slot
from grid.store import provenance
from grid.store.finished import Store
from preprocessing.errors import BadInput


def run(hosts: Hosts, root: Path, console: Console) -> int:
    """Print a table of ticks and crosses; returns 0 when all is fine, else 1."""
    checks: list[tuple[str, Callable[[], Check]]] = [
        ("versions", _versions),
        ("results folder", lambda: _writable(root)),
        ("disk", lambda: _disk(root)),
        ("slots", lambda: _slots(hosts)),
        ("GPUs", _gpus),
        ("a step in a process of its own", lambda: _probe(hosts)),
    ]
    engines = [Engine(host, patience_s=5.0) for host in hosts.hosts]
    checks += [(name, partial(guarded, check)) for e in engines for name, check in all_of(e)]
    table = Table(box=None, pad_edge=False)
    for column in ("", "check", "found", "what to do"):
        table.add_column(column)
    good = True
    for name, check in checks:
        try:
            fine, found, advice = check()
        except (BadInput, OSError) as error:
            fine, found, advice = False, str(error), "see the message"
        good &= fine
        table.add_row("[green]✓[/]" if fine else "[red]✗[/]", name, found, "" if fine else advice)
    for engine in engines:
        engine.close()
    console.print(table)
    return 0 if good else 1


def _versions() -> Check:
    found = provenance.versions()
    missing = [name for name in provenance.PACKAGES if name not in found]
    shown = ", ".join(f"{name} {version}" for name, version in found.items())
    return not missing, shown, f"install {', '.join(missing)}: make test sets everything up"


def _writable(root: Path) -> Check:
    Store(root / "store").check_writable()
    with tempfile.TemporaryDirectory(dir=root / "store" / "tmp") as folder:
        first = Path(folder) / "file"
        first.write_text("x")
        try:
            os.link(first, Path(folder) / "link")
        except OSError:
            return False, f"{root}: no hard links", "locks need them; choose a folder on another file system"
    return True, f"{root}: can be written, knows hard links", ""


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root if root.exists() else Path.cwd()).free
    return free > FREE_BYTES, f"{free / 1e9:.1f} GB free", "less than 2 GB: augrid gc, or another --results"


def _slots(hosts: Hosts) -> Check:
    made = hosts.make_slots()
    return True, ", ".join(slot.name for slot in made), ""


def _gpus() -> Check:
    found = [f"{gpu['name']} ({gpu['uuid']})" for gpu in provenance.gpus()]
    return True, ", ".join(found) or "none: training runs on the CPU", ""


def _probe(hosts: Hosts) -> Check:
    """Run one empty step the way a run does, from job file to published artifact."""
    key = digest("doctor")
    job = Job("probe-doctor", "probe", (Step("probe", key, "doctor", {"seconds": 0}, (), (), {}),), ())
    with tempfile.TemporaryDirectory() as folder:
        driver = Driver(
            store=Store(Path(folder) / "store"),
            folder=Path(folder) / "logs",
            executor=local.Executor(timeout_s=hosts.timeout_s),
            slots=[Slot(name="probe", kinds=frozenset({"probe"}))],
            display=Silent(),
        )
        outcome = driver.run([job]).outcomes[key]
    fine = outcome.status == "done"
    return (
        fine,
        "finished and published" if fine else outcome.error,
        "read the message; is the memory limit too small?",
    )
