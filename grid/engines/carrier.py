"""How a job's inputs reach a host and its results come back, where the results folder isn't shared."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import docker
from docker.errors import NotFound

from grid.engines import archives
from grid.engines.archives import HostileArchiveError
from grid.engines.connection import Engine
from grid.engines.orders import FILE, INSIDE, Artifact, Order
from grid.store.finished import MANIFEST, Store, sha256

MAX_MANIFEST = 2**26


class Carrier:
    """Moves artifacts between the store and a volume (or folder) of one engine, through its archive calls.

    An artifact has its key as its name, so it travels to a host once; it counts as there when its manifest,
    sent last, is.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._there: set[Artifact] = set()
        self._locks: defaultdict[Artifact, threading.Lock] = defaultdict(threading.Lock)

    def send(self, container: str, order: Order, job: bytes) -> None:
        """Put the inputs that aren't there yet, and the job file, into the volume of a container."""
        store = Store(order.store)
        for artifact in order.inputs:
            with self._locks[artifact]:
                if artifact not in self._there and not self._is_there(container, store, artifact):
                    self._put(container, _artifact(store.path(*artifact), artifact))
                self._there.add(artifact)
        self._put(
            container,
            [("jobs", None), ("store", None), (f"jobs/{order.job}", None), (f"jobs/{order.job}/{FILE}", job)],
        )

    def forget(self, order: Order) -> None:
        """Look again before these inputs are relied on: a job that read them failed."""
        self._there.difference_update(order.inputs)

    def receive(self, container: str, order: Order) -> dict[str, str]:
        """Publish here what the job made there; key → what was wrong, of those that can't be used."""
        store, wrong = Store(order.store), {}
        for kind, key in order.steps:
            if store.has(kind, key):
                continue
            try:
                self.engine.ask(partial(_fetch, container, store, kind, key))
            except NotFound:
                continue  # its event, or the container's end, says why
            except HostileArchiveError as error:
                wrong[key] = f"{kind} from {self.engine.host.name} refused: {error}"
            else:
                self._there.add((kind, key))
        return wrong

    def _is_there(self, container: str, store: Store, artifact: Artifact) -> bool:
        kind, key = artifact
        path = f"{INSIDE}/store/{kind}/{key[:2]}/{key}/{MANIFEST}"
        here = (store.path(kind, key) / MANIFEST).read_bytes()

        def same(client: docker.DockerClient) -> bool:
            chunks, stat = client.api.get_archive(container, path)
            return bool(stat["size"] == len(here) and here in b"".join(chunks))

        try:
            return self.engine.ask(same)
        except NotFound:
            return False

    def _put(self, container: str, entries: list[tuple[str, Path | bytes | None]]) -> None:
        self.engine.ask(
            lambda client: client.api.put_archive(container, INSIDE, archives.pack(entries, self.engine.user))
        )


def _artifact(folder: Path, artifact: Artifact) -> list[tuple[str, Path | bytes | None]]:
    """Members of an archive: folders above, files, the manifest last."""
    kind, key = artifact
    above = ["store", f"store/{kind}", f"store/{kind}/{key[:2]}"]
    top = f"{above[-1]}/{key}"
    inner = sorted(path for path in folder.rglob("*") if path.name != MANIFEST or path.parent != folder)
    entries: list[tuple[str, Path | bytes | None]] = [(name, None) for name in [*above, top]]
    entries += [(f"{top}/{path.relative_to(folder)}", None if path.is_dir() else path) for path in inner]
    return [*entries, (f"{top}/{MANIFEST}", folder / MANIFEST)]


def _fetch(container: str, store: Store, kind: str, key: str, client: docker.DockerClient) -> None:
    chunks: Iterator[bytes]
    chunks, _ = client.api.get_archive(container, f"{INSIDE}/store/{kind}/{key[:2]}/{key}", archives.CHUNK)
    with store.writing(kind, key) as folder:
        archives.unpack(chunks, folder, top=key)
        about = _verified(folder, kind, key)
        (folder / MANIFEST).unlink()
        store.publish(folder, kind, key, about)


def _verified(folder: Path, kind: str, key: str) -> dict[str, object]:
    """What the manifest says besides its files, which must be exactly those that are there.

    Raises:
        HostileArchiveError: it isn't what it says.
    """
    try:
        if (folder / MANIFEST).stat().st_size > MAX_MANIFEST:
            raise HostileArchiveError("its manifest is too large")
        manifest = json.loads((folder / MANIFEST).read_bytes())
        told = {name: entry["sha256"] for name, entry in manifest.pop("files").items()}
        identity = manifest.pop("kind"), manifest.pop("key"), manifest.pop("format")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostileArchiveError(f"no valid manifest: {error!r}") from None
    found = {
        str(file.relative_to(folder)): sha256(file)
        for file in folder.rglob("*")
        if file.is_file() and file != folder / MANIFEST
    }
    if identity[:2] != (kind, key) or told != found:
        raise HostileArchiveError("its files are not what its manifest says")
    return dict(manifest)
