"""A client of GitHub's REST API that is patient: limits, failures and interruptions cost time, not results.

docs.github.com/en/rest/using-the-rest-api: rate limits, best practices, conditional requests.
"""

import hashlib
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

from preprocessing.errors import BadInput

TRIES = 6  # for what may be better next time: 5xx, a lost connection, a secondary limit without a time
_TIMEOUT_S = 60
_FIRST_PAUSE_S = 2.0
_USER_AGENT = "augrid"


class Gone(Exception):  # noqa: N818
    """What was asked for is not there, or may not be seen: 404, 409 (an empty repository), 410, 422, 451."""


@dataclass
class Client:
    """Sends requests, with any of the tokens that has some left of its limit.

    `cache` holds answers by address with their ETags: what has not changed is not sent again, and does
    not count.
    """

    api: str
    tokens: tuple[str, ...]
    cache: Path
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    _free_at: dict[tuple[str, str], float] = field(default_factory=dict)

    def json(self, path: str, **query: str) -> Any:
        """The answer to a GET request. Raises Gone, or BadInput if it can't be had at all."""
        url = f"{self.api}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        kept = self.cache / "answers" / hashlib.sha256(url.encode()).hexdigest()
        headers = {"Accept": "application/vnd.github+json"}
        known = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else None
        if known is not None:
            headers["If-None-Match"] = known["etag"]
        answer = self._get(url, headers)
        if answer is None:
            assert known is not None, url
            return known["body"]
        body, answered = json.loads(answer[0]), answer[1]
        if etag := answered.get("ETag"):
            write(kept, json.dumps({"etag": etag, "body": body}).encode())
        return body

    def raw(self, path: str) -> bytes:
        """The contents behind a path, as bytes."""
        answer = self._get(self.api + path, {"Accept": "application/vnd.github.raw+json"})
        assert answer is not None, path
        return answer[0]

    def _get(self, url: str, headers: Mapping[str, str]) -> tuple[bytes, Message] | None:
        """Body and headers; None if nothing has changed (304)."""
        resource = "search" if "/search/" in url else "core"
        failures = 0
        while True:
            token = self._token(resource)
            request = urllib.request.Request(url, headers={**headers, **_identified(token)})  # noqa: S310
            try:
                with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
                    return response.read(), response.headers
            except urllib.error.HTTPError as error:
                with error:
                    if error.code == 304:
                        return None
                    if error.code in (404, 409, 410, 422, 451):
                        raise Gone(f"{error.code} {url}") from error
                    if error.code == 401:
                        raise BadInput(
                            f"corpus.source: {self.api} refuses a token of the environment"
                        ) from error
                    if error.code in (403, 429) and self._limited(error.headers, token, resource):
                        continue
                    if (
                        error.code == 403
                        and "rate limit" not in error.read().decode(errors="replace").lower()
                    ):
                        raise Gone(f"403 {url}") from error
                    reason = f"HTTP {error.code}"
            except (urllib.error.URLError, TimeoutError, ConnectionError, OSError) as error:
                reason = str(getattr(error, "reason", error))
            failures += 1
            if failures >= TRIES:
                raise BadInput(f"corpus.source: no answer from {url} in {TRIES} tries: {reason}")
            self.sleep(_FIRST_PAUSE_S * 2 ** (failures - 1))

    def _token(self, resource: str) -> str:
        """A token that is free now, or the first to be free, after waiting for it."""
        choices = self.tokens or ("",)
        token = min(choices, key=lambda token: self._free_at.get((token, resource), 0.0))
        pause = self._free_at.get((token, resource), 0.0) - self.now()
        if pause > 0:
            self.sleep(pause)
        return token

    def _limited(self, headers: Message, token: str, resource: str) -> bool:
        """Note when a limit ends. False if the answer says nothing about it."""
        if after := headers.get("Retry-After"):
            until = self.now() + float(after)
        elif headers.get("X-RateLimit-Remaining") == "0":
            until = float(headers.get("X-RateLimit-Reset") or 0) + 1
        else:
            return False
        self._free_at[token, resource] = until
        return True


def tokens_of_environment() -> tuple[str, ...]:
    """The tokens in GITHUB_TOKENS (split at commas and spaces) or GITHUB_TOKEN; they are written nowhere."""
    named = os.environ.get("GITHUB_TOKENS") or os.environ.get("GITHUB_TOKEN") or ""
    return tuple(named.replace(",", " ").split())


def write(path: Path, data: bytes) -> None:
    """Write a file of a cache, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)


def _identified(token: str) -> dict[str, str]:
    identified = {"User-Agent": _USER_AGENT, "X-GitHub-Api-Version": "2022-11-28"}
    return identified | ({"Authorization": f"Bearer {token}"} if token else {})
