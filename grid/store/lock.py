"""One driver per grid: a lock file that names its holder, and is void when its holder is dead."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grid.store import processes
from preprocessing.errors import BadInput


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock at `path` (a file); a hard link makes taking it atomic, on NFS too.

    Raises:
        BadInput: somebody else holds it; says who, since when, and what to do.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = path.with_name(f"{path.name}.{processes.identity()}")
    mine.write_text(json.dumps({"identity": processes.identity(), "since": time.time()}), encoding="utf-8")
    try:
        for _ in range(100):
            try:
                os.link(mine, path)
                break
            except FileExistsError:
                _clear_if_dead(path)
        else:
            raise BadInput(f"{path}: the lock can't be taken")
        try:
            yield
        finally:
            if (holder(path) or {}).get("identity") == processes.identity():
                path.unlink(missing_ok=True)
    finally:
        mine.unlink(missing_ok=True)


def holder(path: Path) -> dict[str, Any] | None:
    """Who holds the lock ({"identity", "since"}); None when it is free or can't be read."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def is_held(path: Path) -> bool:
    """Whether a live process (or one on another host, which can't be asked) holds the lock."""
    content = holder(path)
    return content is not None and not processes.is_dead(str(content.get("identity", "")))


def stop(path: Path) -> int:
    """Ask the holder to end: SIGTERM. Returns its process id.

    Raises:
        BadInput: nobody holds the lock, or somebody on another host.
    """
    content = holder(path)
    if content is None or not is_held(path):
        raise BadInput(f"{path.parent.name} is not running")
    name, pid, _ = str(content["identity"]).split("+")
    if name != processes.host():
        raise BadInput(f"{path.parent.name} is run by process {pid} on {name}: stop it there")
    os.kill(int(pid), signal.SIGTERM)
    return int(pid)


def _clear_if_dead(path: Path) -> None:
    content = holder(path)
    if content is None and not path.exists():
        return
    identity = str((content or {}).get("identity", ""))
    dead = processes.is_dead(identity) if identity else True
    if not dead:
        name, pid, _ = identity.split("+")
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(float((content or {}).get("since", 0))))
        hint = "wait for it, or `augrid stop`"
        if dead is None:
            hint += f"; if that machine is gone for good, delete {path}"
        raise BadInput(f"{path.parent.name} is being run by process {pid} on {name} since {since}: {hint}")
    aside = path.with_name(f"{path.name}.dead.{processes.identity()}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
        if (holder(aside) or {}).get(
            "identity", ""
        ) != identity:  # somebody was faster and lives: give it back
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink()
