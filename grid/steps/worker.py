"""One job in the process that does it: reads a job file, makes artifacts, publishes each, writes events."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from grid.store import processes
from grid.store.finished import DamagedError, Store

Result = tuple["Work", "dict[str, object] | BaseException"]


class Work(NamedTuple):
    """One step to do: `inputs` maps a role to finished artifacts, `out` is the empty folder to fill."""

    kind: str
    key: str
    parameters: Mapping[str, Any]
    unkeyed: Mapping[str, Any]
    inputs: Mapping[str, Mapping[str, Any]]
    document: Mapping[str, Any]
    out: Path


class Workplace:
    """What steps know of their surroundings: inputs, scratch space, and where to report to."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self.store = Store(Path(order["store"]))
        self.trusted = set(order.get("trusted", ()))
        self.provenance = dict(order.get("provenance", {}))
        self._events = open(order["events"], "a", encoding="utf-8", buffering=1)  # noqa: SIM115
        self._last_report = 0.0

    def inputs(self, work: Work, role: str) -> list[Path]:
        """Folders of the artifacts of a role, in order; their checksums are verified once.

        Raises:
            DamagedError: an artifact changed since it was written; it has been set aside.
        """
        entry = work.inputs.get(role, {"kind": "", "keys": []})
        for key in entry["keys"]:
            if key not in self.trusted:
                try:
                    self.store.verify(entry["kind"], key)
                except DamagedError:
                    self.store.set_aside(entry["kind"], key)
                    raise
                self.trusted.add(key)
        return [self.store.path(entry["kind"], key) for key in entry["keys"]]

    def input(self, work: Work, role: str) -> Path:
        """The first artifact of a role."""
        return self.inputs(work, role)[0]

    @contextlib.contextmanager
    def scratch(self, work: Work) -> Iterator[Path | None]:
        """A folder that outlives a kill, for checkpoints; None while another process uses it."""
        folder = self.store.root / "scratch" / work.kind / work.key
        folder.mkdir(parents=True, exist_ok=True)
        owner = folder / "owner"
        with contextlib.suppress(FileNotFoundError):
            if processes.is_dead(owner.read_text()):
                owner.unlink()
        try:
            descriptor = os.open(owner, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            yield None
            return
        os.write(descriptor, processes.identity().encode())
        os.close(descriptor)
        try:
            yield folder
        finally:
            owner.unlink(missing_ok=True)

    def report(self, work: Work, facts: Mapping[str, Any]) -> None:
        """Tell the driver how far a step is; at most five times a second gets through."""
        now = time.monotonic()
        if now - self._last_report >= 0.2:
            self._last_report = now
            with contextlib.suppress(OSError):
                os.utime(work.out)  # a sign of life: `Store.clean` on another host goes by its age
            self.emit({"event": "progress", "key": work.key, **facts})

    def emit(self, event: Mapping[str, Any]) -> None:
        """Append one event for the driver."""
        self._events.write(json.dumps(event, default=str) + "\n")


def each(
    works: Sequence[Work], context: Workplace, one: Callable[[Work, Workplace], dict[str, object]]
) -> Iterator[Result]:
    """Do one work after the other; the failure of one doesn't stop the others."""
    for work in works:
        try:
            yield work, one(work, context)
        except Exception as error:  # a step's failure is a record
            yield work, error


def main(file: Path) -> int:
    """Do the job of a job file. Returns 0 when all its steps are finished, 1 when one failed."""
    order = json.loads(file.read_bytes())
    if order.get("cores"):
        os.sched_setaffinity(0, order["cores"])
    context = Workplace(order)
    failed = 0
    with contextlib.ExitStack() as stack:
        works = []
        for step in order["steps"]:
            if context.store.has(step["kind"], step["key"]):  # another run was faster
                context.emit({"event": "done", "key": step["key"], "wall_s": 0.0})
                continue
            out = stack.enter_context(context.store.writing(step["kind"], step["key"]))
            works.append(Work(**step, out=out))
        clock = _Clock(len(works))
        for work, result in _results(works, context) if works else ():
            failed += not _settle(context, work, result, clock)
    return 1 if failed else 0


def _results(works: Sequence[Work], context: Workplace) -> Iterator[Result]:
    """The results of a kind's `make`; what it never got to has failed with what ended it."""
    module = importlib.import_module(f"grid.steps.{works[0].kind}")
    open_works = {work.key: work for work in works}
    try:
        for work, result in module.make(works, context):
            del open_works[work.key]
            yield work, result
    except Exception as error:  # a step's failure is a record
        for work in open_works.values():
            yield work, error
        return
    assert not open_works, f"no result for {list(open_works)}"


class _Clock:
    """Wall time per step. Steps that end together (one pass for all) share the time of the pass."""

    def __init__(self, steps: int) -> None:
        self.steps, self.last = steps, time.monotonic()

    def lap(self, share: bool) -> float:
        now = time.monotonic()
        wall_s = now - self.last
        if not share:
            self.last = now
        return wall_s / self.steps if share else wall_s


def _settle(context: Workplace, work: Work, result: dict[str, object] | BaseException, clock: _Clock) -> bool:
    """Publish a result, or report a failure; tells whether the step is finished."""
    module = importlib.import_module(f"grid.steps.{work.kind}")
    wall_s = clock.lap(share=getattr(module, "SHARED_PASS", False))
    try:
        if isinstance(result, BaseException):
            raise result
        peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        about = {
            "document": work.document,
            "inputs": work.inputs,
            "facts": result,
            "wall_s": round(wall_s, 4),
            "peak_memory_bytes": peak_kb * 1024,
            "finished": time.time(),
            "provenance": {**context.provenance, "host": processes.host(), "python": sys.version.split()[0]},
        }
        context.store.publish(work.out, work.kind, work.key, about)
    except Exception as error:  # a step's failure is a record
        import traceback  # takes long to load, and most steps succeed

        traceback.print_exception(error)
        last = traceback.format_exception_only(error)[-1].strip()
        event = {
            "event": "failed",
            "key": work.key,
            "failure": failure_of(error),
            "wall_s": wall_s,
            "error": last,
        }
        context.emit({**event, "damaged": isinstance(error, DamagedError)})
        return False
    context.emit({"event": "done", "key": work.key, "wall_s": wall_s})
    return True


def failure_of(error: BaseException) -> str:
    """The class of a failure that was raised inside a step."""
    name = type(error).__name__
    if name == "OutOfMemoryError" or "CUDA out of memory" in str(error):
        return "oom_gpu"
    if isinstance(error, MemoryError):
        return "oom_host"
    if isinstance(error, DamagedError | OSError) or "CUDA error" in str(error):
        return "infra"
    return "user_error" if isinstance(error, ValueError) else "error"
