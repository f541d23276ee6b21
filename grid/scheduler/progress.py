"""How a run goes: one live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from grid.plan.graph import KINDS, Step
from grid.plan.jobs import Job
from grid.plan.outcomes import Outcome
from grid.scheduler.slots import Slot

LINE_EVERY_S = 15.0


def duration(seconds: float) -> str:
    """75.2 → "1:15", 3700 → "1:01:40", 0.42 → "0.4 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@dataclass
class _Running:
    job: Job
    slot: Slot
    since: float
    last: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""  # the last line of its log


class Progress:
    """Counts steps by kind and state. States: queued, running, done, failed, blocked; cached is given."""

    def __init__(
        self,
        missing: Mapping[str, Step],
        cached: Mapping[str, int],
        *,
        slots: int,
        median_s: Mapping[str, float],
        describe: Callable[[Step], str],
    ) -> None:
        self.kind = {key: step.kind for key, step in missing.items()}
        self.state = dict.fromkeys(missing, "queued")
        self.cached, self.slots, self.median_s, self.describe = dict(cached), slots, median_s, describe
        self.began = time.monotonic()
        self.walls: dict[str, list[float]] = {}
        self.running: dict[str, _Running] = {}
        self.lock = threading.RLock()

    def started(self, job: Job, steps: Sequence[Step], slot: Slot) -> None:
        with self.lock:
            self.running[job.id] = _Running(job, slot, time.monotonic())
            for step in steps:
                self.state[step.key] = "running"

    def event(self, job: Job, event: Mapping[str, Any]) -> None:
        with self.lock:
            key = event.get("key")
            if event.get("event") == "done" and key in self.state:
                self.state[key] = "done"
                self.walls.setdefault(self.kind[key], []).append(float(event.get("wall_s", 0)))
            elif event.get("event") == "progress" and job.id in self.running:
                self.running[job.id].last = event
            elif event.get("event") == "said" and job.id in self.running:
                self.running[job.id].said = str(event["line"])

    def ended(self, job: Job, slot: Slot, final: Sequence[Outcome]) -> None:
        with self.lock:
            self.running.pop(job.id, None)
            for outcome in final:
                self.state[outcome.key] = outcome.status
            for step in job.steps:
                if self.state.get(step.key) == "running":  # will be tried again
                    self.state[step.key] = "queued"
            self.tell(job, slot, [outcome for outcome in final if outcome.status == "failed"])

    def tell(self, job: Job, slot: Slot, failed: Sequence[Outcome]) -> None:
        """Say that a job has ended; nothing here."""

    def beat(self) -> None:
        """Called a few times a second; nothing here."""

    def counts(self) -> dict[str, Counter[str]]:
        """Kind → state → steps."""
        with self.lock:
            counts: dict[str, Counter[str]] = {kind: Counter(cached=n) for kind, n in self.cached.items()}
            for key, state in self.state.items():
                counts.setdefault(self.kind[key], Counter())[state] += 1
        order = [*KINDS, *sorted(set(counts) - set(KINDS))]
        return {kind: counts[kind] for kind in order if kind in counts}

    def eta_s(self) -> float | None:
        """Seconds to go, from this run's walls or past medians, spread over the slots; None when unknown."""
        total = 0.0
        with self.lock:
            for kind, states in self.counts().items():
                left = states["queued"] + states["running"]
                walls = self.walls.get(kind, ())
                mean = sum(walls) / len(walls) if walls else self.median_s.get(kind)
                if left and mean is None:
                    return None
                total += left * (mean or 0.0)
        return total / max(self.slots, 1)

    def summary(self) -> str:
        """One line: done/all by kind, failures, ETA."""
        parts, failed = [], 0
        for kind, states in self.counts().items():
            parts.append(f"{kind} {states['done'] + states['cached']}/{sum(states.values())}")
            failed += states["failed"] + states["blocked"]
        eta = self.eta_s()
        rest = f", {failed} failed or blocked" if failed else ""
        return ", ".join(parts) + rest + (f", {duration(eta)} to go" if eta else "")


class Lines(Progress):
    """Plain lines: each end of a job, and a summary from time to time."""

    def __init__(self, *arguments: Any, console: Console, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.console, self.last = console, time.monotonic()

    def tell(self, job: Job, slot: Slot, failed: Sequence[Outcome]) -> None:
        for outcome in failed[:3]:
            self._print(f"failed: {self.describe_key(job, outcome.key)}: {outcome.failure}: {outcome.error}")
        states = Counter(self.state[step.key] for step in job.steps)
        what = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
        self._print(f"{duration(time.monotonic() - self.began)} {job.kind}: {what} on {slot.name}")
        self.last = time.monotonic()

    def describe_key(self, job: Job, key: str) -> str:
        """Name of a step of a job, for people."""
        return next((self.describe(step) for step in job.steps if step.key == key), key[:12])

    def beat(self) -> None:
        if time.monotonic() - self.last > LINE_EVERY_S:
            self.last = time.monotonic()
            self._print(f"{duration(self.last - self.began)} {self.summary()}")

    def _print(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)


class LiveTable(Progress):
    """The live table: steps by kind and state, and what each slot does."""

    def __init__(self, *arguments: Any, console: Console, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.live = Live(self.render(), console=console, refresh_per_second=4, transient=False)
        self.console = console

    def __enter__(self) -> LiveTable:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.update(self.render(), refresh=True)
        self.live.stop()

    def tell(self, job: Job, slot: Slot, failed: Sequence[Outcome]) -> None:
        for outcome in failed[:3]:
            step = next(step for step in job.steps if step.key == outcome.key)
            self.console.print(
                Text(f"failed: {self.describe(step)}: {outcome.failure}: {outcome.error}", "red")
            )

    def beat(self) -> None:
        self.live.update(self.render())

    def render(self) -> Group:
        """The table as it is now."""
        with self.lock:
            eta = self.eta_s()
            elapsed = duration(time.monotonic() - self.began)
            title = f"{elapsed} elapsed" + (f", {duration(eta)} to go" if eta else "")
            return Group(self._steps(title), self._slots()) if self.running else Group(self._steps(title))

    def _steps(self, title: str) -> Table:
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        table.add_column("step", style="bold")
        states = ("done", "cached", "running", "failed", "blocked", "queued")
        for state in states:
            table.add_column(state, justify="right")
        for kind, counts in self.counts().items():
            cells = [
                Text(str(counts[s]) if counts[s] else "·", _STYLES[s] if counts[s] else "dim") for s in states
            ]
            table.add_row(kind, *cells)
        return table

    def _slots(self) -> Table:
        now, rows = time.monotonic(), []
        for running in sorted(self.running.values(), key=lambda r: r.slot.name):
            current = next(
                (s for s in running.job.steps if s.key == running.last.get("key")), running.job.steps[0]
            )
            elapsed = now - running.since
            rows.append((running.slot.name, self.describe(current), elapsed, running.last, running.said))
        return slots_table(rows)


def slots_table(rows: Iterable[tuple[str, str, float, Mapping[str, Any], str]]) -> Table:
    """What each slot does: (slot, description, seconds, last progress event or {}, last line of its log)."""
    table = Table(box=None, pad_edge=False, expand=True)
    for column, share in (("slot", None), ("does", 3), ("elapsed", None), ("last", 2)):
        table.add_column(column, no_wrap=True, overflow="ellipsis", ratio=share)
    for slot, does, elapsed, last, line in rows:
        table.add_row(*map(Text, (slot, does, duration(elapsed), _said(last) or line)))
    return table


_STYLES = {
    "done": "green",
    "cached": "cyan",
    "running": "yellow",
    "failed": "red",
    "blocked": "red",
    "queued": "",
}


_UNSAID = ("event", "key", "kind", "test", "text")  # what it is about stands beside


def _said(event: Mapping[str, Any]) -> str:
    """{"step": 55, "max_steps": 60, "train_bits": 8.18, "subwords_per_s": 3196.0} → a few words."""
    facts = {name: value for name, value in event.items() if name not in _UNSAID}
    shown = [str(event["text"])] if "text" in event else []
    if "step" in facts:
        step, steps = facts.pop("step"), facts.pop("max_steps", None)
        shown.append(f"step {step}/{steps}" if steps else f"step {step}")
    for name, value in facts.items():
        words = name.replace("_per_s", "/s").replace("_", " ")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        digits = f"{value:,.0f}" if number and abs(value) >= 1000 else f"{value:.4g}" if number else ""
        shown.append(f"{digits} {words}" if number else f"{words} {value}")
    return "  ".join(shown)


def display(console: Console, *arguments: Any, **named: Any) -> Lines | LiveTable:
    """The display that fits: a live table on a terminal, lines elsewhere."""
    kind = LiveTable if console.is_terminal else Lines
    return kind(*arguments, console=console, **named)
