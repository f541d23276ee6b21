"""Processes that rewrite one piece after the other, and are stopped when it takes too much time or memory."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue

import psutil

from grid.commands.rewrite.inputs import Piece
from grid.commands.rewrite.one_piece import Done, RewriteOrder, rewrite, untouched

_LOOK_EVERY_S = 0.1
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one piece may take: time, and memory of the process that rewrites it."""

    time_s: float = 20.0
    memory_bytes: int = 2 * 1024**3


def rewritten(given: Iterable[Piece], order: RewriteOrder, jobs: int, limits: Limits) -> Iterator[Done]:
    """The pieces rewritten by `jobs` processes, in their order; a few are read ahead, however many there are.

    A piece that takes too much, or brings its process down, keeps its bytes.
    """
    workers = [_Worker(order, limits) for _ in range(jobs)]
    free: SimpleQueue[_Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def one(piece: Piece) -> Done:
        worker = free.get()
        try:
            return worker.rewrite(piece)
        finally:
            free.put(worker)

    waiting: deque[Future[Done]] = deque()
    try:
        with ThreadPoolExecutor(jobs) as threads:
            for piece in given:
                waiting.append(threads.submit(one, piece))
                if len(waiting) > 4 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """A process that is started when it is first needed, and again after it had to be stopped."""

    def __init__(self, order: RewriteOrder, limits: Limits) -> None:
        self._order, self._limits = order, limits
        self._running: tuple[SpawnProcess, Connection] | None = None

    def rewrite(self, piece: Piece) -> Done:
        process, pipe = self._running = self._running or self._start()
        try:
            pipe.send(piece)
        except ConnectionError:
            return self._crashed(piece)
        end = time.monotonic() + self._limits.time_s
        while not pipe.poll(min(_LOOK_EVERY_S, self._limits.time_s)):
            reason = ""
            if time.monotonic() > end:
                reason, detail = "too_slow", f"more than {self._limits.time_s:g} s"
            elif resident_bytes(process.pid or 0) > self._limits.memory_bytes:
                reason, detail = "too_much_memory", f"more than {self._limits.memory_bytes / 2**20:,.0f} MiB"
            if reason:
                self.stop()
                return untouched(piece, reason, detail)
        try:
            done: Done = pipe.recv()
            return done
        except (EOFError, ConnectionError):
            return self._crashed(piece)

    def _crashed(self, piece: Piece) -> Done:
        assert self._running is not None
        process, _ = self._running
        process.join()
        self.stop()
        return untouched(piece, "crashed", f"its process ended with {process.exitcode}")

    def stop(self) -> None:
        if self._running is not None:
            process, pipe = self._running
            process.kill()
            process.join()
            pipe.close()
            self._running = None

    def _start(self) -> tuple[SpawnProcess, Connection]:
        pipe, other = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_serve, args=(other, self._order), daemon=True)
        process.start()
        other.close()
        pipe.recv()  # all is imported: from here on time counts
        return process, pipe


def _serve(pipe: Connection, order: RewriteOrder) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe.send("ready")
    while True:
        try:
            piece = pipe.recv()
        except EOFError:
            return
        pipe.send(rewrite(piece, order))


def resident_bytes(pid: int) -> int:
    """The memory that a process holds; 0 if there is no such process."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
