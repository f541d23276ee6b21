import threading
import time
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

import pytest

from grid.plan.outcomes import Outcome
from grid.scheduler.queue import Policy, Scheduler
from grid.scheduler.slots import Slot

PROBE = frozenset({"probe"})
A, B = (Slot(name=name, kinds=PROBE) for name in "AB")


def done(job: Any) -> list[Outcome]:
    return [Outcome(key=step.key, status="done") for step in job.steps]


def failed(job: Any, failure: Any = "error", error: str = "boom") -> list[Outcome]:
    return [Outcome(key=step.key, status="failed", failure=failure, error=error) for step in job.steps]


def names(scheduler: Scheduler, slot: Slot) -> list[str]:
    """Take everything on one slot; all goes well."""
    order = []
    while (taken := scheduler.take(slot)) is not None:
        order.append(taken[0].id.removeprefix("probe-"))
        scheduler.finish(taken[0], slot, done(taken[0]))
    return order


def test_what_is_needed_comes_first_and_the_longest_first(probe_job: Any) -> None:
    first = probe_job("first")
    rest = [probe_job(name, first) for name in ("short", "long", "middle")]
    expected = {"probe-long": 9.0, "probe-middle": 5.0}
    scheduler = Scheduler([*rest, first], [A], expected_s=lambda job: expected.get(job.id, 0.0))
    assert names(scheduler, A) == ["first", "long", "middle", "short"]


def test_a_failure_blocks_what_needs_it_and_nothing_else(probe_job: Any) -> None:
    bad = probe_job("bad")
    middle = probe_job("middle", bad)
    last = probe_job("last", middle)
    other = probe_job("other")
    scheduler = Scheduler([bad, middle, last, other], [A])
    while (taken := scheduler.take(A)) is not None:
        scheduler.finish(taken[0], A, failed(taken[0]) if taken[0] is bad else done(taken[0]))
    status = {job.id: scheduler.outcomes[job.steps[0].key].status for job in (bad, middle, last, other)}
    assert list(status.values()) == ["failed", "blocked", "blocked", "done"]


def test_lost_is_tried_elsewhere_and_errors_are_not(probe_job: Any) -> None:
    job, other = probe_job("job"), probe_job("wrong")
    scheduler = Scheduler([job, other], [A, B])
    first, second = scheduler.take(A), scheduler.take(B)
    assert first is not None
    assert second is not None
    assert scheduler.finish(first[0], A, failed(first[0], "lost")) == []
    assert [o.status for o in scheduler.finish(second[0], B, failed(second[0]))] == ["failed"]
    again = scheduler.take(B)
    assert again is not None
    assert again[0] is first[0]
    scheduler.finish(again[0], B, done(again[0]))
    assert scheduler.take(A) is None


def test_gives_up_after_three_attempts(probe_job: Any) -> None:
    scheduler = Scheduler([probe_job("job")], [A], policy=Policy(quarantine_after=99))
    attempts = 0
    while (taken := scheduler.take(A)) is not None:
        attempts += 1
        scheduler.finish(taken[0], A, failed(taken[0], "infra"))
    assert attempts == 3
    assert [o.status for o in scheduler.outcomes.values()] == ["failed"]


def test_a_slot_that_loses_two_in_a_row_gets_no_more(probe_job: Any) -> None:
    scheduler = Scheduler([probe_job(str(n)) for n in range(6)], [A, B])
    for _ in range(2):
        taken = scheduler.take(A)
        assert taken is not None
        scheduler.finish(taken[0], A, failed(taken[0], "infra"))
    assert scheduler.take(A) is None
    assert sorted(names(scheduler, B)) == list("012345")


def test_no_slot_left_stops_the_run(probe_job: Any) -> None:
    scheduler = Scheduler([probe_job(str(n)) for n in range(6)], [A])
    for _ in range(2):
        taken = scheduler.take(A)
        assert taken is not None
        scheduler.finish(taken[0], A, failed(taken[0], "infra", "no GPU"))
    assert scheduler.take(A) is None
    assert "no GPU" in scheduler.stopped


def test_stops_when_the_first_few_fail_alike(probe_job: Any) -> None:
    scheduler = Scheduler([probe_job(str(n)) for n in range(9)], [A])
    taken_count = 0
    while (taken := scheduler.take(A)) is not None:
        taken_count += 1
        scheduler.finish(taken[0], A, failed(taken[0]))
    assert taken_count == 3
    assert scheduler.stopped == "the first 3 probe steps all failed alike: boom"


def test_different_failures_don_t_stop_it(probe_job: Any) -> None:
    scheduler = Scheduler([probe_job(str(n)) for n in range(5)], [A])
    count = 0
    while (taken := scheduler.take(A)) is not None:
        scheduler.finish(taken[0], A, failed(taken[0], error=f"{count}"))
        count += 1
    assert count == 5


def test_slots_wait_for_work_that_comes_later(probe_job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: SimpleQueue[None] = SimpleQueue()
    honest = threading.Condition.wait

    def wait(self: threading.Condition, timeout: float | None = None) -> bool:
        waits.put(None)
        return honest(self, timeout)

    monkeypatch.setattr(threading.Condition, "wait", wait)
    first = probe_job("first")
    scheduler = Scheduler([first, *(probe_job(str(n), first) for n in range(4))], [A, B])
    order: list[str] = []
    taken = scheduler.take(A)
    assert taken is not None
    waiting = threading.Thread(target=lambda: order.extend(names(scheduler, B)))
    waiting.start()
    waits.get(timeout=10)
    assert order == []
    scheduler.finish(taken[0], A, done(taken[0]))
    waiting.join(5)
    assert sorted(order) == list("0123")


def test_kinds_of_slots(probe_job: Any) -> None:
    gpu = Slot(name="gpu", kinds=frozenset({"train"}))
    scheduler = Scheduler([probe_job("cpu")], [A, gpu])
    assert scheduler.take(gpu) is None
    assert names(scheduler, A) == ["cpu"]


def test_the_deadline(probe_job: Any) -> None:
    scheduler = Scheduler([probe_job("job")], [A], policy=Policy(deadline=time.monotonic()))
    assert scheduler.take(A) is None
    assert scheduler.stopped == "out of time"


def test_a_corpus_gets_what_idle_slots_of_its_host_have(probe_job: Any) -> None:
    kinds = frozenset({"corpus", "probe"})
    a, b = (Slot(name=name, kinds=kinds, threads=3, memory_bytes=5) for name in "ab")
    away = Slot(name="away", kinds=kinds, host="other", threads=100)
    gpu = Slot(name="gpu", kinds=frozenset({"train"}), threads=50)
    corpus = replace(probe_job("text"), kind="corpus")
    scheduler = Scheduler([corpus, probe_job("after", corpus)], [a, b, away, gpu])
    scheduler.take(a)
    assert scheduler.widened(corpus, a) == replace(a, threads=6, memory_bytes=10)
    assert scheduler.widened(corpus, replace(a, cores=(1,))).threads == 3
    scheduler.finish(corpus, a, done(corpus))
    taken = scheduler.take(b)
    assert taken is not None
    assert scheduler.widened(taken[0], b) == b


def test_a_corpus_gets_no_more_than_its_slot_beside_others(probe_job: Any) -> None:
    a, b = (Slot(name=name, kinds=frozenset({"corpus", "probe"})) for name in "ab")
    corpus = replace(probe_job("text"), kind="corpus")
    scheduler = Scheduler([corpus, probe_job("other")], [a, b])
    scheduler.take(a)
    assert scheduler.widened(corpus, a) == a  # the other waits
    scheduler.take(b)
    assert scheduler.widened(corpus, a) == a  # the other runs
