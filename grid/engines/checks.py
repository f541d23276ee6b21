"""What `augrid doctor` looks at on each Docker host."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from docker.errors import DockerException, ImageNotFound

from grid.engines import endings
from grid.engines.connection import Engine, LostHostError
from grid.store import provenance

Check = tuple[bool, str, str]  # fine?, what was found, what to do
OLDEST_API = (1, 40)
CLOCK_S = 5.0
FREE_BYTES = 2 * 10**9
DISK = "import shutil, json; print(json.dumps(shutil.disk_usage('/').free))"


def all_of(engine: Engine) -> Iterator[tuple[str, Callable[[], Check]]]:
    """Names and checks, in order; each may raise LostHostError or DockerException."""
    inside: dict[str, Any] = {}
    checks: dict[str, Callable[[], Check]] = {
        "image": lambda: _image(engine),
        "a container": lambda: _container(engine, inside),
        "GPUs": lambda: _gpus(engine),
        "versions": lambda: _versions(inside),
        "clock": lambda: _clock(inside),
        "disk": lambda: _disk(engine),
    }
    if not engine.host.gpus:
        del checks["GPUs"]
    yield f"{engine.host.name}: reachable", lambda: _reachable(engine)
    for name, check in checks.items():
        yield f"{engine.host.name}: {name}", partial(_unless_lost, engine, check)


def _unless_lost(engine: Engine, check: Callable[[], Check]) -> Check:
    return (False, "unknown: it isn't reachable", "see above") if engine.lost else check()


def guarded(check: Callable[[], Check]) -> Check:
    """The result of a check; what the engine says against it, or that it doesn't answer, is a cross."""
    try:
        return check()
    except (LostHostError, DockerException) as error:
        return False, str(getattr(error, "explanation", None) or error)[:300], "see the message"


def _reachable(engine: Engine) -> Check:
    try:
        version = engine.ask(lambda client: client.version(), patience_s=10)
    except LostHostError as error:
        how = "does `ssh` to it work without a password?" if engine.host.ssh else "is dockerd running there?"
        return False, str(error), f"{how} May you use its socket (group docker)?"
    api = tuple(int(part) for part in str(version["ApiVersion"]).split("."))
    found = f"Docker {version['Version']}, API {version['ApiVersion']}, {engine.cores} cores"
    return api >= OLDEST_API, found, "Docker 19.03 or newer is needed"


def _image(engine: Engine) -> Check:
    try:
        image = engine.ask(lambda client: client.images.get(engine.host.image))
    except ImageNotFound:
        return False, f"no {engine.host.image}", "augrid image build --hosts FILE"
    return True, f"{engine.host.image} {str(image.id)[:19]}", ""


def _container(engine: Engine, inside: dict[str, Any]) -> Check:
    began = time.time()
    inside.update(endings.probe(engine, "doctor", gpus=[]), began=began, ended=time.time())
    uid, gid = engine.user
    fine = inside["uid"] == uid
    return fine, f"runs as {inside['uid']}:{gid}, Python {inside['python']}", f"should be {uid}: set user"


def _gpus(engine: Engine) -> Check:
    found = endings.probe(engine, "doctor")["gpus"]
    shown = ", ".join(f"{gpu['name']} (driver {gpu['driver']})" for gpu in found)
    advice = "install NVIDIA's driver and container toolkit there; compare gpus with nvidia-smi -L"
    return len(found) == len(engine.host.gpus), shown or "none seen in a container", advice


def _versions(inside: dict[str, Any]) -> Check:
    if not inside:
        return False, "unknown: no container ran", "see above"
    here, there = provenance.versions(), inside["versions"]
    differ = [
        f"{name} {there.get(name)} (here {here[name]})" for name in here if here[name] != there.get(name)
    ]
    return (
        not differ,
        ", ".join(differ) or "as here",
        "build the image from this checkout: augrid image build",
    )


def _clock(inside: dict[str, Any]) -> Check:
    if not inside:
        return False, "unknown: no container ran", "see above"
    off = max(inside["began"] - inside["time"], inside["time"] - inside["ended"], 0.0)
    return off < CLOCK_S, f"{off:.1f} s off", "only dates in manifests suffer; set up NTP there"


def _disk(engine: Engine) -> Check:
    free = int(endings.output_of(engine, ["python", "-c", DISK], "doctor"))
    return free > FREE_BYTES, f"{free / 1e9:.1f} GB free", "less than 2 GB: docker system prune there"
