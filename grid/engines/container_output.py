"""What a container writes: events of its step become the job's events file, everything else its log."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from grid.engines.connection import BROKEN

EVENT = b'{"event": '
LOST_GPU = re.compile(
    r"no CUDA-capable device|No CUDA GPUs are available|NVML: |Failed to initialize NVML|GPU is lost"
    r"|fallen off the bus|CUDA error: (?:unspecified launch failure|unknown error|uncorrectable ECC)"
)
OUT_OF_GPU_MEMORY = re.compile(r"CUDA out of memory|CUDA error: out of memory|OutOfMemoryError")
PAUSE_S = 0.5


class Output(threading.Thread):
    """Follows a container's output to its end, through broken connections; what was read once is skipped.

    A connection that is cut may look like the end: `runs` says whether the container still does.
    """

    def __init__(self, stream: Callable[[], Iterator[bytes]], runs: Callable[[], bool], folder: Path) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.tail = ""  # the last lines of the log
        self._stream, self._runs, self._folder = stream, runs, folder
        self._over = threading.Event()
        self._taken, self._rest = 0, b""

    def stop(self) -> None:
        """Read no further than what is already under way."""
        self._over.set()

    def run(self) -> None:
        """Read until the container has ended."""
        with open(self._folder / "events.jsonl", "ab") as events, open(self._folder / "log.txt", "ab") as log:
            while not self._over.is_set():
                try:
                    for line in self._lines():
                        self._take(line, events.write, log.write)
                        events.flush()
                        log.flush()
                    if not self._runs():
                        self._take(self._rest, events.write, log.write)
                        break
                except BROKEN:
                    self._over.wait(PAUSE_S)
                self._over.wait(PAUSE_S / 10)
        self.ended.set()

    def _take(self, line: bytes, event: Callable[[bytes], int], log: Callable[[bytes], int]) -> None:
        self._taken += len(line)
        if line.startswith(EVENT):
            try:
                json.loads(line)
            except ValueError:
                pass
            else:
                event(line)
                return
        log(line)
        self.tail = (self.tail + line.decode("utf-8", "replace"))[-4000:]

    def _lines(self) -> Iterator[bytes]:
        """Whole lines that weren't taken yet; what comes after the last one is kept in `_rest`."""
        skip, self._rest = self._taken, b""
        for chunk in self._stream():
            if skip >= len(chunk):
                skip -= len(chunk)
                continue
            *lines, self._rest = (self._rest + chunk[skip:]).split(b"\n")
            skip = 0
            for line in lines:
                yield line + b"\n"
