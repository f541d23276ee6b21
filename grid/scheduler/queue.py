"""Ready jobs to free slots: a state machine that any number of slot threads ask for work."""

from __future__ import annotations

import graphlib
import heapq
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grid.plan.graph import Step
from grid.plan.jobs import Job
from grid.plan.outcomes import Failure, Outcome
from grid.scheduler.slots import Slot

RETRIED: tuple[Failure, ...] = ("infra", "lost")
FAIL_FAST = 3
WIDE = frozenset({"corpus", "tokenizer"})  # steps that use all threads there are, to the same result


@dataclass(kw_only=True)
class Policy:
    """When to try again, and when to give up."""

    attempts: int = 3
    fail_fast: int = FAIL_FAST
    quarantine_after: int = 2
    deadline: float | None = None  # of time.monotonic()


@dataclass
class _Progress:
    attempts: int = 0
    avoid: set[str] = field(default_factory=set)


class Scheduler:
    """Hands out jobs with `take`, hears of their end with `finish`; thread-safe, and without I/O.

    A failed step blocks the steps that need it and no other. `stop` makes every `take` return None. `pinned`
    jobs (id → name of a slot) go to their slot, and before others: they run there since an earlier run.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        slots: Sequence[Slot],
        *,
        policy: Policy | None = None,
        expected_s: Callable[[Job], float] = lambda job: 0.0,
        pinned: Mapping[str, str] | None = None,
    ) -> None:
        self.jobs = {job.id: job for job in jobs}
        self.slots = {slot.name: slot for slot in slots}
        self.policy = policy or Policy()
        self.outcomes: dict[str, Outcome] = {}
        self.running: dict[str, tuple[Job, float]] = {}
        self.stopped = ""
        self.quarantined: dict[str, str] = {}
        self._expected = {job.id: expected_s(job) for job in jobs}
        self._graph = graphlib.TopologicalSorter({job.id: job.after for job in jobs})
        self._graph.prepare()
        self._ready: dict[str, list[tuple[float, int, str]]] = {}  # kind → heap, longest expected first
        self._sequence = itertools.count()
        self._open = Counter(job.kind for job in jobs)
        self._progress = {job.id: _Progress() for job in jobs}
        self._pinned = dict(pinned or {})
        self._streak: Counter[str] = Counter()
        self._first: dict[str, list[Outcome]] = {}
        self._changed = threading.Condition(threading.RLock())
        with self._changed:
            self._release()

    def take(self, slot: Slot) -> tuple[Job, list[Step]] | None:
        """Wait for a job for this slot, with its steps that are still to do; None: no more will come."""
        with self._changed:
            while True:
                if self.stopped or slot.name in self.quarantined or not self._wanted(slot):
                    return None
                if self.policy.deadline is not None and time.monotonic() >= self.policy.deadline:
                    self.stop("out of time")
                    return None
                identity = self._choose(slot)
                if identity is not None:
                    job = self.jobs[identity]
                    self.running[identity] = (job, time.monotonic())
                    self._progress[identity].attempts += 1
                    self._pinned.pop(identity, None)
                    return job, [step for step in job.steps if step.key not in self.outcomes]
                self._changed.wait(timeout=1.0)

    def widened(self, job: Job, slot: Slot) -> Slot:
        """The slot, with the threads and memory of its host's others too if they have nothing else to do."""
        with self._changed:
            if job.kind not in WIDE or slot.cores or len(self.running) > 1 or any(self._ready.values()):
                return slot
            idle = [s for s in self.slots.values() if s.host == slot.host and job.kind in s.kinds]
            memory = [s.memory_bytes for s in idle if s.memory_bytes is not None]
            return replace(
                slot,
                threads=sum(s.threads for s in idle),
                memory_bytes=sum(memory) if len(memory) == len(idle) else None,
            )

    def finish(self, job: Job, slot: Slot, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Note how the steps of a job ended; returns those that are final (not tried again)."""
        with self._changed:
            del self.running[job.id]
            final = []
            again = False
            for outcome in outcomes:
                if self._retry(job, outcome):
                    again = True
                else:
                    final.append(outcome)
                    self.outcomes[outcome.key] = outcome
                    self._watch(job.kind, outcome)
            self._judge(slot, outcomes)
            if again:
                self._progress[job.id].avoid.add(slot.name)
                self._push(job.id)
            else:
                self._done(job.id)
                final += self._release()
            self._changed.notify_all()
            return final

    def stop(self, why: str) -> None:
        """Hand out nothing more. Jobs that run are not touched: that is the executor's."""
        with self._changed:
            self.stopped = self.stopped or why
            self._changed.notify_all()

    def _wanted(self, slot: Slot) -> bool:
        """Whether any job that hasn't ended may run on this slot."""
        return any(self._open[kind] > 0 for kind in slot.kinds)

    def _push(self, identity: str) -> None:
        first = float("-inf") if identity in self._pinned else -self._expected[identity]
        entry = (first, next(self._sequence), identity)
        heapq.heappush(self._ready.setdefault(self.jobs[identity].kind, []), entry)

    def _done(self, identity: str) -> None:
        self._graph.done(identity)
        self._open[self.jobs[identity].kind] -= 1

    def _choose(self, slot: Slot) -> str | None:
        """Take the ready job that is expected to last longest, among those that may run here."""
        skipped, chosen = [], None
        heaps = [heap for kind, heap in self._ready.items() if kind in slot.kinds]
        while chosen is None and any(heaps):
            entry = heapq.heappop(min((heap for heap in heaps if heap), key=lambda heap: heap[0]))
            if self._avoids(entry[2], slot):
                skipped.append(entry[2])
            else:
                chosen = entry[2]
        for identity in skipped:
            self._push(identity)
        return chosen

    def _avoids(self, identity: str, slot: Slot) -> bool:
        """Whether a job waits for another slot: its own, or one that hasn't lost it, best on another host."""
        pin = self._pinned.get(identity, "")
        kind = self.jobs[identity].kind
        if pin in self.slots and pin not in self.quarantined and kind in self.slots[pin].kinds:
            return slot.name != pin
        avoid = self._progress[identity].avoid
        if slot.name not in avoid and slot.host not in {self.slots[name].host for name in avoid}:
            return False
        hosts = {self.slots[name].host for name in avoid}
        others = [s for s in self.slots.values() if s.name not in self.quarantined and kind in s.kinds]
        losses = [(s.name in avoid) + (s.host in hosts) for s in others]
        return (slot.name in avoid) + (slot.host in hosts) > min(losses)

    def _retry(self, job: Job, outcome: Outcome) -> bool:
        return (
            outcome.failure in RETRIED
            and not self.stopped
            and self._progress[job.id].attempts < self.policy.attempts
        )

    def _judge(self, slot: Slot, outcomes: Sequence[Outcome]) -> None:
        """Two jobs in a row that this slot lost: it gets no more. Slots that are left take over."""
        bad = [outcome for outcome in outcomes if outcome.failure in RETRIED]
        self._streak[slot.name] = self._streak[slot.name] + 1 if bad else 0
        if self._streak[slot.name] >= self.policy.quarantine_after and not self.stopped:
            self.quarantined[slot.name] = bad[0].error
            for kind in +self._open:
                if not any(kind in s.kinds and s.name not in self.quarantined for s in self.slots.values()):
                    self.stop(f"no slot is left for {kind} steps; the last said: {bad[0].error}")

    def _watch(self, kind: str, outcome: Outcome) -> None:
        first = self._first.setdefault(kind, [])
        if outcome.failure == "cancelled":
            return
        if len(first) < self.policy.fail_fast:
            first.append(outcome)
        alike = {(o.failure, o.error) for o in first}
        if len(first) == self.policy.fail_fast and len(alike) == 1 and first[0].status == "failed":
            self.stop(f"the first {len(first)} {kind} steps all failed alike: {first[0].error}")

    def _release(self) -> list[Outcome]:
        """Make jobs ready whose needs have ended; block (and return) steps whose inputs failed."""
        blocked: list[Outcome] = []
        while True:
            ready = self._graph.get_ready()
            if not ready:
                return blocked
            for identity in ready:
                blocked += [o for step in self.jobs[identity].steps if (o := self._blocked(step)) is not None]
                if all(step.key in self.outcomes for step in self.jobs[identity].steps):
                    self._done(identity)
                else:
                    self._push(identity)

    def _blocked(self, step: Step) -> Outcome | None:
        for artifacts in step.needs:
            for key in artifacts.keys:
                cause = self.outcomes.get(key)
                if cause is not None and cause.status != "done":
                    error = (
                        cause.error if cause.status == "blocked" else f"needs {artifacts.kind}: {cause.error}"
                    )
                    outcome = Outcome(key=step.key, status="blocked", failure=cause.failure, error=error)
                    self.outcomes[step.key] = outcome
                    return outcome
        return None
