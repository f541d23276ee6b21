"""`augrid run`: do what is missing, write the tables, let analysis make the report."""

from __future__ import annotations

import contextlib
import errno
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from grid.commands import cell_choice
from grid.commands.cautions import cautions
from grid.plan import jobs
from grid.plan.durations import Durations
from grid.plan.jobs import State
from grid.plan.naming import Describe, cell
from grid.plan.opening import Grid
from grid.plan.outcomes import Outcome
from grid.results import cell_status
from grid.results.analysis_process import analyse
from grid.results.cell_status import CellStatus
from grid.results.folder import Folder, read_json, write_json
from grid.scheduler import progress
from grid.scheduler.driver import Driver, Report
from grid.scheduler.executor import Executor
from grid.scheduler.queue import Policy
from grid.scheduler.slots import Slot
from grid.spec.schema import Spec
from grid.store import lock, provenance
from grid.store.finished import Store
from preprocessing.errors import BadInput

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)
ROUNDS = 3  # inputs that turn out to be damaged are made again in another round


@dataclass(frozen=True, kw_only=True)
class Made:
    """What is in the store now, and how the steps of this run ended; `last` is None if there were none."""

    state: State
    outcomes: dict[str, Outcome]
    last: Report | None


@dataclass(kw_only=True)
class Run:
    """One `augrid run` of a grid."""

    grid: Grid
    root: Path
    slots: Sequence[Slot]
    executor: Executor
    console: Console
    replace: bool = False
    report: bool = True
    policy: Policy = field(default_factory=Policy)
    chosen: set[str] | None = None  # ids of cells; None: all

    def __post_init__(self) -> None:
        self.folder = Folder(self.root, self.grid.spec.name)
        self.store = Store(self.root / "store")

    def run(self) -> int:
        """Exit code: 0 done, 1 some cells failed, 2 bad input, 130 interrupted.

        Raises:
            BadInput: before anything is computed, and when the corpus turns out to be unusable.
        """
        with self.claimed():
            began = time.time(), time.monotonic()
            made = self.make(self._wanted_keys())
            if made.last is not None:
                cell_choice.remember(self.folder.path, made.outcomes)
            found = list(cell_status.statuses(self.grid.plan, made.state.manifests, made.outcomes))
            done = sum(outcome.status == "done" for outcome in made.outcomes.values())
            self._publish(found, made.state, {"began": began, "made": done})
            return self._conclude(found, made.last)

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the grid's folder of results; folders that are new go away again when the input is bad.

        Raises:
            BadInput: the folder is another spec's or is in use, or the disk is full.
        """
        self.grid.plan  # noqa: B018 - problems of the plan come before anything is written
        if not self.replace:
            self.check_owner()
        fresh = not self.folder.path.exists()
        self.store.check_writable()
        try:
            with lock.held(self.folder.lock):
                self.folder.claim(self.grid.document.data, self.grid.document.text)
                self.store.clean()
                yield
                self.store.clean()  # what jobs that were stopped left
        except BadInput:
            if fresh:
                shutil.rmtree(self.folder.path, ignore_errors=True)
                self.store.remove_empty()
            raise
        except OSError as error:
            if error.errno not in DISK_ERRORS:
                raise
            where = error.filename or self.root
            raise BadInput(
                f"{where}: {error.strerror}; make room (augrid gc) or choose another --results DIR. "
                "Finished steps are kept: run it again to go on"
            ) from None

    def check_owner(self) -> None:
        """Raises: BadInput when the folder of results belongs to another spec."""
        self.folder.check_owner(self.grid.document.data, _with_defaults)

    def make(self, wanted: set[str] | None) -> Made:
        """Do what is missing of the wanted steps (None: of all); within `claimed`.

        Raises:
            BadInput: the corpus turns out to be unusable.
        """
        state = jobs.state(self.grid.plan, self.store, wanted)
        outcomes: dict[str, Outcome] = {}
        last: Report | None = None
        for _ in range(ROUNDS):
            if not state.missing:
                break
            last = self._round(state, wanted)
            outcomes |= last.outcomes
            state = jobs.state(self.grid.plan, self.store, wanted)
            if not last.damaged or last.stopped:
                break
        self._raise_if_corpus_is_bad(outcomes)
        return Made(state=state, outcomes=outcomes, last=last)

    def _wanted_keys(self) -> set[str] | None:
        if self.chosen is None:
            return None
        pairs = zip(self.grid.plan.cells.cells, self.grid.plan.by_cell, strict=True)
        chosen = [steps for one, steps in pairs if one.id in self.chosen]
        measured = [steps.naturalness.name for steps in chosen if steps.naturalness]
        return {*measured, *(key for steps in chosen for key in cell_status.own_keys(steps))}

    def _round(self, state: State, wanted: set[str] | None) -> Report:
        plan = self.grid.plan
        missing = Counter(step.kind for step in state.missing.values())
        there = Counter(  # finished, or needed by nothing that is to do
            step.kind
            for key, step in plan.steps.items()
            if key not in state.missing and (wanted is None or key in state.manifests)
        )
        past = Durations(self.store, plan, missing)
        shown = progress.display(
            self.console,
            state.missing,
            there,
            slots=len(self.slots),
            median_s=past.by_kind_s,
            describe=Describe(plan),
        )
        driver = Driver(
            store=self.store,
            folder=self.folder.logs,
            executor=self.executor,
            slots=self.slots,
            display=shown,
            policy=self.policy,
            expected_s=lambda job: sum(past.step_s(step) or 0.0 for step in job.steps),
        )
        with shown if isinstance(shown, progress.LiveTable) else contextlib.nullcontext():
            return driver.run(jobs.group(state.missing))

    def _raise_if_corpus_is_bad(self, outcomes: Mapping[str, Outcome]) -> None:
        for key, outcome in outcomes.items():
            if self.grid.plan.steps[key].kind == "corpus" and outcome.failure == "user_error":
                raise BadInput(f"{self.grid.document.name}: {outcome.error.partition(': ')[2]}")

    def _publish(self, found: list[CellStatus], state: State, facts: Mapping[str, Any]) -> None:
        fingerprint = cell_status.fingerprint(self.grid.plan, found, self.grid.claims)
        before = read_json(self.folder.path / "run.json") or {}
        report = self.folder.path / "report.html"
        done = any(status.status == "done" for status in found)
        if before.get("fingerprint") != fingerprint:
            from grid.results import tables  # pyarrow takes long to import

            tables.write(self.folder.path, self.store, self.grid.plan, found, state.manifests)
            write_json(self.folder.path / "run.json", self._about(found, state, facts, fingerprint))
            report.unlink(missing_ok=True)
        if self.report and done and not report.exists():
            self._analyse()

    def _about(
        self, found: list[CellStatus], state: State, facts: Mapping[str, Any], fingerprint: str
    ) -> dict[str, Any]:
        corpora = {step.key for step in self.grid.plan.steps.values() if step.kind == "corpus"}
        known = [state.manifests[key]["facts"] for key in corpora if key in state.manifests]
        began, since = facts["began"]
        seeds = {status.cell.values[self.grid.cells.position("seed")].plain for status in found}
        return {
            "format": cell_status.FORMAT,
            "name": self.grid.spec.name,
            **({"pilot": True} if self.grid.is_pilot else {}),
            "task": self.grid.plan.task.DESCRIPTION.plain(),
            "claims": self.grid.claims,
            "spec": self.grid.resolved,
            "spec_text": self.grid.document.text,
            "seeds": sorted(seeds),
            "versions": provenance.versions(),
            "git": provenance.git(),
            "host": provenance.machine(),
            "corpus": known[0] if len(known) == 1 else known,
            "cells": cell_status.counts(found),
            "steps": {"made": facts["made"], "all": len(self.grid.plan.steps)},
            "started": _clock(began),
            "finished": _clock(time.time()),
            "wall_s": round(time.monotonic() - since, 1),
            "command": " ".join(["augrid", *sys.argv[1:]]),
            "fingerprint": fingerprint,
        }

    def _analyse(self) -> None:
        done = analyse("analysis", self.folder.path, quiet=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            self.console.print(f"[red]the report could not be made:[/] {last}", soft_wrap=True)

    def _conclude(self, found: list[CellStatus], last: Report | None) -> int:
        counts = cell_status.counts(found)
        failed = [status for status in found if status.status == "failed"]
        for status in failed[:10]:
            name = cell(self.grid.cells.axes, status.cell)
            self.console.print(
                f"failed: {status.cell.id} ({name}): {status.error}", markup=False, soft_wrap=True
            )
        for key, outcome in last.outcomes.items() if last is not None else ():
            if self.grid.plan.steps[key].kind == "naturalness" and outcome.status == "failed":
                line = f"naturalness {key[:12]} wasn't measured: {outcome.error}"
                self.console.print(line, markup=False, soft_wrap=True)
        for line in cautions(self.grid, self.store):
            self.console.print(f"caution: {line}", markup=False, highlight=False, soft_wrap=True)
        words = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
        where = self.folder.path / "report.html"
        self.console.print(f"{len(found)} cells: {words}", markup=False, highlight=False)
        if where.exists():
            self.console.print(f"report: {where}", markup=False, highlight=False, soft_wrap=True)
        if last is not None and last.stopped:
            self.console.print(f"stopped: {last.stopped}", markup=False, soft_wrap=True)
        if last is not None and last.interrupted:
            return INTERRUPTED
        asked = [status for status in found if self.chosen is None or status.cell.id in self.chosen]
        return DONE if all(status.status == "done" for status in asked) else FAILED


def _with_defaults(data: Any) -> dict[str, Any]:
    return Spec.model_validate(data).model_dump(mode="json")


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))
