"""One ssh tunnel to a host's Docker socket, opened again whenever it is cut.

Run as a program, this file is the ssh process's guard: it replaces itself by ssh and dies with its parent.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grid.engines.docker_host import Ssh

PREFIX = "augrid-tunnel"
PAUSE_S = 1.0
OPTIONS = (
    "BatchMode=yes",  # never ask for a password
    "ExitOnForwardFailure=yes",
    "StreamLocalBindUnlink=yes",
    "StreamLocalBindMask=0177",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    "ControlPath=none",
)


class Tunnel:
    """A local socket that leads to a socket on another host.

    The socket stands in a folder of its own with mode 0700: whoever can open it is root over there.
    """

    def __init__(self, to: Ssh, config: Path | None = None) -> None:
        from grid.store import processes

        _sweep()
        mine = f"{PREFIX}-{os.getpid()}-{processes.started(os.getpid())}-"
        self.folder = Path(tempfile.mkdtemp(prefix=mine))
        self.socket = self.folder / "docker.sock"
        self._command = _command(to, self.socket, config)
        self._closed = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, daemon=True)  # its end would end ssh
        self._keeper.start()
        atexit.register(self.close)

    def close(self) -> None:
        """End ssh and remove the folder; may be called more than once."""
        self._closed.set()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        self._keeper.join(5)
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def said(self) -> str:
        """The last line that ssh wrote: why it doesn't come up."""
        with contextlib.suppress(OSError, IndexError):
            return (self.folder / "log").read_text(errors="replace").strip().splitlines()[-1]
        return ""

    def _keep(self) -> None:
        guard = [sys.executable, "-I", __file__, str(os.getpid())]
        while not self._closed.is_set():
            try:
                with open(self.folder / "log", "ab") as log:
                    self._process = subprocess.Popen(  # noqa: S603 - no shell, a fixed program
                        [*guard, *self._command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
                    )
            except OSError:
                return  # the folder is gone: closed
            if self._closed.is_set():
                self._process.terminate()
            self._process.wait()
            self._closed.wait(PAUSE_S)


def _command(to: Ssh, socket: Path, config: Path | None) -> list[str]:
    command = ["ssh", "-nNT"]
    for option in OPTIONS:
        command += ["-o", option]
    if config is not None:
        command += ["-F", str(config)]
    if to.port is not None:
        command += ["-p", str(to.port)]
    return [*command, "-L", f"{socket}:{to.socket}", "--", to.target]


def _sweep() -> None:
    """Remove the folders of processes that were killed."""
    from grid.store import processes

    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}-*"):
        _, _, pid, started, *_ = [*folder.name.split("-"), "", ""]
        if pid.isdecimal() and processes.started(int(pid)) != started:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(
        1, signal.SIGTERM
    )  # PR_SET_PDEATHSIG: with the keeper thread, so with the process
    if os.getppid() == int(sys.argv[1]):
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell, a fixed program
