"""The connection to one Docker Engine: opened when needed, patient when it breaks."""

from __future__ import annotations

import http.client
import os
import ssl
import threading
import time
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, NotFound
from docker.tls import TLSConfig

from grid.engines.docker_host import DockerHost
from grid.engines.tunnel import Tunnel

T = TypeVar("T")
CALL_S = 60.0
OPEN_S = 20.0
PAUSE_S = 0.3
POOL = 64
BROKEN = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
)


class LostHostError(Exception):
    """An engine that hasn't answered for as long as was agreed."""


class StoppedError(Exception):
    """The run was stopped while an engine was asked."""


class Engine:
    """One host's engine. `patience_s`: how long it may be silent before its jobs count as lost."""

    def __init__(self, host: DockerHost, *, patience_s: float = 120.0) -> None:
        self.host, self.patience_s = host, patience_s
        self.lost = False
        self.stopped = threading.Event()
        self._tunnel: Tunnel | None = None
        self._client: docker.DockerClient | None = None
        self._lock = threading.Lock()

    def ask(self, question: Callable[[docker.DockerClient], T], *, patience_s: float | None = None) -> T:
        """The answer to a question that can be asked twice. Answers of the engine, errors too, are final.

        Raises:
            docker.errors.APIError: what the engine says to it.
            LostHostError: no answer for `patience_s`; at once, if it was lost before and still is.
            StoppedError: `stopped` was set meanwhile.
        """
        patience_s = (0.0 if self.lost else self.patience_s) if patience_s is None else patience_s
        began = time.monotonic()
        while True:
            try:
                answer = question(self.client())
            except (APIError, NotFound):
                self.lost = False
                raise
            except (*BROKEN, DockerException) as error:
                if self.stopped.is_set():
                    raise StoppedError from None
                if time.monotonic() - began >= patience_s:
                    self.lost = True
                    said = self._tunnel.said() if self._tunnel is not None else ""
                    why = said or f"{self.host.url}: {_short(error)}"
                    raise LostHostError(f"host {self.host.name} is lost: {why}") from None
                self.stopped.wait(PAUSE_S)
            else:
                self.lost = False
                return answer

    def client(self) -> docker.DockerClient:
        """The client, with its tunnel; raises what `ask` is patient with."""
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def close(self) -> None:
        """Close connections and tunnel; the next question opens them again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            if self._tunnel is not None:
                self._tunnel.close()
            self._client = self._tunnel = None

    @cached_property
    def cores(self) -> int:
        """Number of cores of the host."""
        return int(self.ask(lambda client: client.info())["NCPU"])

    @property
    def user(self) -> tuple[int, int]:
        """uid and gid of processes in containers."""
        if self.host.user is not None:
            uid, gid = self.host.user.split(":")
            return int(uid), int(gid)
        root = os.getuid() == 0 and not self.host.shared
        return (1000, 1000) if root else (os.getuid(), os.getgid())

    def _connect(self) -> docker.DockerClient:
        url, tls = self.host.url, None
        if self.host.ssh is not None:
            url = f"unix://{self._tunnelled(self.host)}"
        if self.host.tls is not None:
            files = self.host.tls
            tls = _OwnAuthority(
                client_cert=(str(files.cert), str(files.key)), ca_cert=str(files.ca), verify=True
            )
        return docker.DockerClient(
            base_url=url, version="auto", timeout=int(CALL_S), tls=tls or False, max_pool_size=POOL
        )

    def _tunnelled(self, host: DockerHost) -> str:
        assert host.ssh is not None
        if self._tunnel is None:
            self._tunnel = Tunnel(host.ssh, host.ssh_config)
        deadline = time.monotonic() + OPEN_S
        while not self._tunnel.socket.exists():
            if time.monotonic() > deadline or self.stopped.is_set():
                raise ConnectionError(self._tunnel.said() or "the tunnel doesn't come up")
            time.sleep(0.05)
        return str(self._tunnel.socket)


class _OwnAuthority(TLSConfig):
    """Believes the authority that it was given and no other: `requests` would prefer the one that the
    environment names (REQUESTS_CA_BUNDLE), and go through the environment's proxies."""

    def configure_client(self, client: docker.APIClient) -> None:
        super().configure_client(client)
        client.trust_env = False


def _short(error: BaseException) -> str:
    """What was at the bottom of it: the socket's or the handshake's own words."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    hint = " (its tls: ca must know the engine, and the engine's must know its cert)"
    return said + hint if isinstance(error, (ssl.SSLError, urllib3.exceptions.SSLError)) else said
