"""Runs jobs: slots ask the scheduler, executors do the work, events say what happened."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from grid.plan import jobs
from grid.plan.graph import Step
from grid.plan.jobs import Job
from grid.plan.outcomes import Failure, Outcome
from grid.results.folder import read_json, write_json
from grid.scheduler.executor import Executor, Exit
from grid.scheduler.queue import Policy, Scheduler
from grid.scheduler.slots import Slot
from grid.store import provenance
from grid.store.finished import Store

BEAT_S = 0.2
LINE_BYTES, EVENT_BYTES = 2000, 65_536
RUNNING = "running.json"
"""In the driver's folder: job → its slot, and since when it runs."""


class Display(Protocol):
    """Who shows how the run goes; called from several threads."""

    def started(self, job: Job, steps: Sequence[Step], slot: Slot) -> None: ...

    def event(self, job: Job, event: Mapping[str, Any]) -> None: ...

    def ended(self, job: Job, slot: Slot, final: Sequence[Outcome]) -> None: ...

    def beat(self) -> None: ...


class Silent:
    """A display that shows nothing."""

    def started(self, job: Job, steps: Sequence[Step], slot: Slot) -> None: ...

    def event(self, job: Job, event: Mapping[str, Any]) -> None: ...

    def ended(self, job: Job, slot: Slot, final: Sequence[Outcome]) -> None: ...

    def beat(self) -> None: ...


@dataclass(kw_only=True)
class Report:
    """How a run ended. `damaged`: some input was set aside and must be made again."""

    outcomes: dict[str, Outcome]
    stopped: str
    interrupted: bool
    damaged: bool


@dataclass(kw_only=True)
class Driver:
    """One run of jobs. `folder` gets one folder per job: its job file, events and log."""

    store: Store
    folder: Path
    executor: Executor
    slots: Sequence[Slot]
    display: Display
    policy: Policy = field(default_factory=Policy)
    expected_s: Callable[[Job], float] = lambda job: 0.0
    _scheduler: Scheduler = field(init=False, repr=False)
    _running: dict[str, Mapping[str, Any]] = field(init=False, default_factory=dict)
    _offsets: dict[str, int] = field(init=False, default_factory=dict)  # bytes of its events that were shown
    _trusted: set[str] = field(init=False, default_factory=set)  # keys that this run has made
    _damaged: bool = field(init=False, default=False)
    _interrupted: threading.Event = field(init=False, default_factory=threading.Event)
    _over: threading.Event = field(init=False, default_factory=threading.Event)
    _reading: threading.Lock = field(init=False, default_factory=threading.Lock)

    def interrupt(self) -> None:
        """End the run soon, as Ctrl-C does; from any thread."""
        self._interrupted.set()

    def run(self, todo: Sequence[Job]) -> Report:
        """Do all jobs, or stop on Ctrl-C, SIGTERM or the scheduler's own decision."""
        pinned = self.executor.open(self.folder, todo)
        self._scheduler = Scheduler(
            todo, self.slots, policy=self.policy, expected_s=self.expected_s, pinned=pinned
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / RUNNING).unlink(missing_ok=True)
        beats = threading.Thread(target=self._beat, daemon=True)
        with self._signals():
            beats.start()
            try:
                self._serve_all()
            finally:
                self._over.set()
                beats.join()
                if self._scheduler.stopped:
                    self.executor.stop()
                self.executor.close()
        return Report(
            outcomes=self._scheduler.outcomes,
            stopped=self._scheduler.stopped,
            interrupted=self._interrupted.is_set(),
            damaged=self._damaged,
        )

    def _serve_all(self) -> None:
        from joblib import Parallel, delayed  # takes long to import, and not every run has work

        parallel = Parallel(
            n_jobs=len(self.slots),
            backend="threading",
            batch_size=1,
            pre_dispatch="n_jobs",
            return_as="generator_unordered",
        )
        errors = [error for error in parallel(delayed(self._serve)(slot) for slot in self.slots) if error]
        if errors:
            raise errors[0]

    def _serve(self, slot: Slot) -> BaseException | None:
        """Do jobs on one slot until there are none; an error of our own ends the run and is raised later."""
        try:
            while (taken := self._scheduler.take(slot)) is not None:
                job, steps = taken
                self.display.started(job, steps, slot)
                self._note(job, {"slot": slot.name, "since": time.time()})
                outcomes = self._do(job, steps, self._scheduler.widened(job, slot))
                self._note(job, None)
                self.display.ended(job, slot, self._scheduler.finish(job, slot, outcomes))
        except BaseException as error:  # joblib would lose the other slots' work
            self._scheduler.stop(f"internal error: {error!r}")
            return error
        return None

    def _note(self, job: Job, about: Mapping[str, Any] | None) -> None:
        """Tell others (`augrid status`) what runs; a disk that is full is no reason to stop."""
        with self._reading, contextlib.suppress(OSError):
            self._running.pop(job.id, None)
            if about is not None:
                self._running[job.id] = about
            write_json(self.folder / RUNNING, self._running)

    def _do(self, job: Job, steps: Sequence[Step], slot: Slot) -> list[Outcome]:
        folder = self.folder / job.id
        try:
            file = self._write(folder, job, steps, slot)
            exit_ = self.executor.run(file, slot)
            self._read_events(job)
            return self._outcomes(folder, steps, exit_)
        except OSError as error:
            return [
                Outcome(key=step.key, status="failed", failure="infra", error=f"driver: {error}")
                for step in steps
            ]

    def _write(self, folder: Path, job: Job, steps: Sequence[Step], slot: Slot) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        events, file = folder / "events.jsonl", folder / "job.json"
        events.write_bytes(b"")
        with self._reading:
            self._offsets[job.id] = 0
        inputs = {key for step in steps for a in step.inputs.values() for key in a.keys}
        order = jobs.order(
            file,
            job,
            steps,
            store=str(self.store.root.resolve()),
            cores=list(slot.cores),
            trusted=sorted(inputs & self._trusted),
            provenance={**provenance.record(), "slot": slot.name},
        )
        write_json(file, order)
        with open(folder / "log.txt", "a", encoding="utf-8") as log:
            log.write(
                f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} {job.id} on {slot.name}, {len(steps)} steps\n"
            )
        return file

    def _outcomes(self, folder: Path, steps: Sequence[Step], exit_: Exit) -> list[Outcome]:
        told = {event["key"]: event for event in _events(folder) if event.get("event") in ("done", "failed")}
        outcomes = []
        for step in steps:
            event = told.get(step.key, {})
            if event.get("event") == "done" or (not event and self.store.has(step.kind, step.key)):
                self._trusted.add(step.key)
                outcomes.append(Outcome(key=step.key, status="done", wall_s=float(event.get("wall_s", 0))))
            elif event:
                self._damaged |= bool(event.get("damaged"))
                failure: Failure = (
                    "cancelled" if event.get("damaged") else event["failure"]
                )  # made anew later
                outcomes.append(Outcome(key=step.key, status="failed", failure=failure, error=event["error"]))
            else:
                reason = exit_.reason or f"its process ended with code {exit_.code} and no result"
                outcomes.append(
                    Outcome(key=step.key, status="failed", failure=exit_.failure or "error", error=reason)
                )
        return outcomes

    def _read_events(self, job: Job) -> None:
        with self._reading:
            offset = self._offsets.get(job.id, 0)
            with contextlib.suppress(OSError), open(self.folder / job.id / "events.jsonl", "rb") as file:
                file.seek(offset)
                whole, newline, _ = file.read().rpartition(b"\n")
                self._offsets[job.id] = offset + len(whole) + len(newline)
                for event in _parsed(whole):
                    self.display.event(job, event)

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            for job, _ in list(self._scheduler.running.values()):
                self._read_events(job)
                if line := _last_line(self.folder / job.id / "log.txt"):
                    self.display.event(job, {"event": "said", "line": line})
            if self._interrupted.is_set() or self._scheduler.stopped:
                self._scheduler.stop("interrupted")
                self.executor.stop()
            self.display.beat()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the run cleanly; only the main thread may say so."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(name, lambda *_: self.interrupt()) for name in names]
        try:
            yield
        finally:
            for name, handler in zip(names, before, strict=True):
                signal.signal(name, handler)


@dataclass(frozen=True, kw_only=True)
class Working:
    """A job that runs: on which slot, since when (seconds of the epoch), its step, what it said last."""

    slot: str
    since: float
    key: str
    last: Mapping[str, Any]
    line: str


def working(folder: Path) -> list[Working]:
    """What the driver of a folder does now, by slot; it must run, for a killed one leaves its list behind."""
    found = []
    for name, about in (read_json(folder / RUNNING) or {}).items():
        job = folder / name
        steps = [step["key"] for step in (read_json(job / "job.json") or {}).get("steps", ())]
        tail = _parsed(_tail(job / "events.jsonl", EVENT_BYTES))  # a training of days has told much
        events = [event for event in tail if event.get("event") == "progress"]
        last = events[-1] if events else {}
        key = last.get("key") or (steps[0] if steps else "")
        line = _last_line(job / "log.txt")
        found.append(Working(slot=about["slot"], since=about["since"], key=key, last=last, line=line))
    return sorted(found, key=lambda one: one.slot)


def _events(folder: Path) -> list[Mapping[str, Any]]:
    try:
        return _parsed((folder / "events.jsonl").read_bytes())
    except OSError:
        return []


def _tail(file: Path, size: int) -> bytes:
    """The last bytes of a file; nothing where there is none."""
    try:
        with open(file, "rb") as opened:
            opened.seek(max(0, os.fstat(opened.fileno()).st_size - size))
            return opened.read()
    except OSError:
        return b""


def _last_line(log: Path) -> str:
    """What a job wrote last, without anything that a terminal would obey; nothing before it has written."""
    lines = _tail(log, LINE_BYTES).decode("utf-8", "replace").splitlines()
    last = next((line for line in reversed(lines) if line.strip()), "")
    return "" if last.startswith("--- ") else "".join(c for c in last.strip() if c.isprintable())


def _parsed(lines: bytes) -> list[Mapping[str, Any]]:
    events: list[Mapping[str, Any]] = []
    for line in lines.splitlines():
        with contextlib.suppress(ValueError):  # a killed process leaves half a line
            event = json.loads(line)
            if isinstance(event, dict):
                events.append(event)
    return events
