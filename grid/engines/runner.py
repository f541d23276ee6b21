"""Jobs on one Docker host: a container for each, from its creation to its results."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from docker.errors import APIError, DockerException, NotFound

from grid.engines import containers, endings
from grid.engines.carrier import Carrier
from grid.engines.connection import Engine, LostHostError, StoppedError
from grid.engines.container_output import Output
from grid.engines.orders import FILE, Order, covers
from grid.plan.jobs import Job
from grid.scheduler.executor import Exit
from grid.scheduler.slots import Slot
from grid.store.finished import Store

TICK_S = 0.5
CONFLICT = 409


class Runner:
    """Runs jobs on one engine. `open` before, `close` after: what was left is adopted, or removed."""

    def __init__(self, engine: Engine, *, timeout_s: float | None = None, detach: bool = False) -> None:
        self.engine, self.timeout_s, self.detach = engine, timeout_s, detach
        self.grid = ""
        self._carrier = None if engine.host.shared else Carrier(engine)
        self._lock = threading.Lock()

    def open(self, logs: Path, todo: Sequence[Job], slots: set[str]) -> dict[str, str]:
        """Look at what an earlier run left here: id of a job → slot, of those that run or have ended.

        All other containers of this grid are removed.

        Raises:
            LostHostError: nobody answers.
        """
        self.grid = containers.grid_id(logs)
        wanted = {job.id: [step.key for step in job.steps] for job in todo}
        kept: dict[str, str] = {}
        for found in self._list():
            labels = found["Labels"]
            job, slot = labels.get(containers.JOB, ""), labels.get(containers.SLOT, "")
            fits = job in wanted and covers(labels.get(containers.KEYS, ""), wanted[job])
            if fits and slot in slots and found["State"] in ("running", "exited"):
                kept[job] = slot
            else:
                self._remove(found["Id"])
        return kept

    def close(self) -> None:
        """Remove all containers of this grid, and the volume unless it has a name of its own.

        With `detach`, a run that was stopped leaves them to the next one. A container that is created while
        others are listed is found by the second look.
        """
        if not self.grid or (self.detach and self.engine.stopped.is_set()):
            return
        empty = 0
        while empty < 2:
            found = self._list()
            empty = 0 if found else empty + 1
            for container in found:
                self._remove(container["Id"])
        if self._carrier is not None and self.engine.host.data is None:
            with contextlib.suppress(NotFound):
                name = containers.volume(self.grid, self.engine.host)
                self.engine.ask(lambda client: client.api.remove_volume(name, force=True))

    def run(self, file: Path, slot: Slot) -> Exit:
        """One job, to its end."""
        order = Order.read(file)
        try:
            return self._run(order, slot)
        except StoppedError:
            return endings.CANCELLED
        except LostHostError as error:
            return Exit(code=-1, failure="infra", reason=str(error))
        except DockerException as error:
            reason = f"host {self.engine.host.name}: {getattr(error, 'explanation', None) or error}"
            return Exit(code=-1, failure="infra", reason=str(reason)[:300])

    def _run(self, order: Order, slot: Slot) -> Exit:
        container = self._found(order)
        with self._removing(container or containers.name(self.grid, order.job), order):
            if container is None:
                container = self._start(order, slot)
            exit_ = self._watch(container, order)
            if self._carrier is not None and exit_ is not endings.CANCELLED:
                self._bring(self._carrier, container, order, exit_)
            return exit_

    @contextlib.contextmanager
    def _removing(self, container: str, order: Order) -> Iterator[None]:
        try:
            yield
        finally:
            if not (self.detach and self.engine.stopped.is_set()):
                with contextlib.suppress(LostHostError, StoppedError):  # `close` looks again
                    self._remove(container)
                    if self._carrier is None:
                        Store(order.store).clean(gone=containers.hostname(self.grid, order.job))

    def _found(self, order: Order) -> str | None:
        """The container of this job from an earlier run, if it does all steps; another one is removed."""
        name = containers.name(self.grid, order.job)
        try:
            found = self.engine.ask(lambda client: client.api.inspect_container(name))
        except NotFound:
            return None
        label = found["Config"]["Labels"].get(containers.KEYS, "")
        if found["State"]["Status"] != "created" and covers(label, [key for _, key in order.steps]):
            return str(found["Id"])
        self._remove(found["Id"])
        return None

    def _start(self, order: Order, slot: Slot) -> str:
        host, user = self.engine.host, self.engine.user
        content = order.rewritten(trust=host.shared, provenance={"image": self.image, **self._facts(slot)})
        if self._carrier is None:
            order.store.mkdir(parents=True, exist_ok=True)
            (order.folder / FILE).write_bytes(content)
        options = containers.options(host, user, self.grid, order, slot)
        try:
            container = self.engine.ask(lambda client: client.containers.create(**options).id)
        except APIError as error:
            if error.status_code != CONFLICT:
                raise
            container = options["name"]  # created before the connection broke
        assert container is not None
        if self._carrier is not None:
            self._carrier.send(container, order, content)
        if self.engine.stopped.is_set():
            self._remove(container)
            raise StoppedError
        self.engine.ask(lambda client: client.api.start(container))
        return container

    def _watch(self, container: str, order: Order) -> Exit:
        """Follow a container to its end. Only the monotonic clock counts."""
        output = Output(
            lambda: _stream(self.engine, container), lambda: _runs(self.engine, container), order.folder
        )
        output.start()
        began = time.monotonic()
        try:
            while True:
                if not output.ended.is_set():
                    endings.wait(output.ended, self.engine.stopped, TICK_S)
                if self.engine.stopped.is_set():
                    return endings.CANCELLED
                state = self._state(container)
                if state is None:
                    return Exit(code=-1, failure="lost", reason="its container is gone")
                if state["Status"] in ("exited", "dead"):
                    output.ended.wait(10)
                    return endings.classify(state, output.tail)
                if self.timeout_s is not None and time.monotonic() - began > self.timeout_s:
                    reason = f"took more than {self.timeout_s:g} s"
                    return Exit(code=-9, failure="timeout", reason=reason)
                if output.ended.is_set():
                    self.engine.stopped.wait(TICK_S / 10)
        finally:
            output.stop()
            output.join(1)

    def _state(self, container: str) -> dict[str, Any] | None:
        try:
            return dict(self.engine.ask(lambda client: client.api.inspect_container(container))["State"])
        except NotFound:
            return None

    def _bring(self, carrier: Carrier, container: str, order: Order, exit_: Exit) -> None:
        wrong = carrier.receive(container, order)
        if exit_.code != 0 or wrong:
            carrier.forget(order)
        with open(order.folder / "events.jsonl", "a", encoding="utf-8") as events:
            for key, error in wrong.items():
                event = {"event": "failed", "key": key, "failure": "infra", "error": error, "damaged": False}
                events.write(json.dumps(event) + "\n")

    def _list(self) -> list[dict[str, Any]]:
        asked = {"label": f"{containers.GRID}={self.grid}"}
        return self.engine.ask(lambda client: list(client.api.containers(all=True, filters=asked)))

    def _remove(self, container: str) -> None:
        with contextlib.suppress(NotFound):
            try:
                self.engine.ask(lambda client: client.api.remove_container(container, v=True, force=True))
            except APIError as error:
                if error.status_code != CONFLICT:  # somebody else is removing it
                    raise

    @cached_property
    def image(self) -> dict[str, str]:
        """Name and digest of the image, for manifests."""
        found = self.engine.ask(lambda client: client.images.get(self.engine.host.image))
        return {"name": self.engine.host.image, "digest": str(found.id)}

    def _facts(self, slot: Slot) -> dict[str, Any]:
        """What the manifests say of this host; asked once, in a container."""
        with self._lock:
            facts = self.inside
        gpus = [gpu for gpu in facts["gpus"] if slot.gpu in (gpu["uuid"], "")]
        return {"versions": facts["versions"], "gpus": gpus, "docker_host": self.engine.host.name}

    @cached_property
    def inside(self) -> dict[str, Any]:
        """`grid.engines.inside`, run in a container with the host's GPUs."""
        return endings.probe(self.engine, self.grid)


def _stream(engine: Engine, container: str) -> Iterator[bytes]:
    logs = engine.client().api.logs(container, stdout=True, stderr=True, stream=True, follow=True)
    return iter(logs)


def _runs(engine: Engine, container: str) -> bool:
    try:
        return bool(engine.client().api.inspect_container(container)["State"]["Running"])
    except NotFound:
        return False
