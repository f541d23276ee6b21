"""Repositories found by a search on GitHub, pinned to their commits, fetched file by file and nothing twice.

A search gives at most 1,000 results, so it is sliced by the month of creation, and by day where a month
has more.
"""

import calendar
import hashlib
import json
import os
import urllib.parse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from preprocessing.errors import BadInput
from preprocessing.fetching.github_api import Client, Gone, tokens_of_environment, write
from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig

_PAGE = 100
_MAX_RESULTS = 1000


class Config(SourceConfig):
    """Repositories whose main language is Python, created from `created_from` to `created_to` (YYYY-MM,
    both in).

    `licenses` are SPDX identifiers, any if empty; sizes of repositories are in KB, as GitHub counts
    them. The most starred `max_repositories` are taken. `lock` is a file that is written on the first
    run, with each repository's commit, and enforced afterwards. Tokens come from the environment:
    GITHUB_TOKENS or GITHUB_TOKEN.
    """

    kind: Literal["github"] = "github"
    created_from: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    created_to: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    lock: str
    min_stars: int = Field(default=10, ge=0)
    licenses: tuple[str, ...] = ()
    min_size: int = Field(default=0, ge=0)
    max_size: int = Field(default=1_000_000, ge=1)
    max_repositories: int = Field(default=1000, ge=1)
    min_file_bytes: int = Field(default=1_000, ge=0)
    max_file_bytes: int = Field(default=100_000, ge=1)
    forks: bool = False
    api: str = "https://api.github.com"


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """The .py files of the pinned repositories whose size is within the limits."""
    client = _client(config)
    for repository in _pinned(config, client):
        try:
            yield from _files(config, client, repository)
        except Gone as gone:
            yield Excluded(project=repository["name"], path="", reason="unreadable", detail=str(gone))


def raw_digest(config: Config) -> str:
    """Digest of the pinned commits; searches if nothing is pinned yet."""
    pins = [f"{repository['name']} {repository['commit']}" for repository in _pinned(config, _client(config))]
    limits = f"{config.min_file_bytes} {config.max_file_bytes}"
    return hashlib.sha256("\n".join([limits, *pins]).encode()).hexdigest()


def _client(config: Config) -> Client:
    if not config.api.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise BadInput(f"corpus.source.api: must begin with https://, not {config.api!r}")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "augrid" / "github"
    return Client(api=config.api.rstrip("/"), tokens=tokens_of_environment(), cache=cache)


def _pinned(config: Config, client: Client) -> list[dict[str, str]]:
    """name, commit, date and license of each repository, in the order of the lock."""
    path = Path(config.lock)
    search = config.model_dump(mode="json", exclude={"lock", "api", "min_file_bytes", "max_file_bytes"})
    if path.exists():
        try:
            locked = json.loads(path.read_text(encoding="utf-8"))
            repositories: list[dict[str, str]] = locked["repositories"]
            searched = locked["search"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"corpus.source.lock: {path} is no lock file of this program") from error
        if searched != search:
            differing = [key for key in search if searched.get(key) != search[key]]
            raise BadInput(
                f"corpus.source.lock: {path} was written by another search ({', '.join(differing)} differ); "
                "name another file, or remove it to search again"
            )
        return repositories
    found = [_pin(client, item) for item in _searched(config, client)]
    repositories = [repository for repository in found if repository is not None]
    if not repositories:
        raise BadInput("corpus.source: the search on GitHub found no repository")
    try:
        write(path, (json.dumps({"search": search, "repositories": repositories}, indent=1) + "\n").encode())
    except OSError as error:
        raise BadInput(f"corpus.source.lock: can't write {path}: {error.strerror}") from error
    return repositories


def _pin(client: Client, item: dict[str, Any]) -> dict[str, str] | None:
    branch = urllib.parse.quote(item["default_branch"], safe="")
    try:
        commit = client.json(f"/repos/{item['full_name']}/commits/{branch}")
    except Gone:
        return None
    spdx = (item.get("license") or {}).get("spdx_id") or ""
    return {
        "name": item["full_name"],
        "commit": commit["sha"],
        "date": commit["commit"]["committer"]["date"],
        "license": "" if spdx == "NOASSERTION" else spdx,
    }


def _searched(config: Config, client: Client) -> list[dict[str, Any]]:
    """The most starred repositories of all slices, each once."""
    found: dict[str, dict[str, Any]] = {}
    for license in config.licenses or ("",):
        for first, last in _months(config):
            for item in _slice(config, client, license, first, last):
                found[item["full_name"]] = item
    ranked = sorted(found.values(), key=lambda item: (-item["stargazers_count"], item["full_name"]))
    return ranked[: config.max_repositories]


def _slice(config: Config, client: Client, license: str, first: date, last: date) -> Iterator[dict[str, Any]]:
    terms = [
        "language:python",
        f"stars:>={config.min_stars}",
        f"size:{config.min_size}..{config.max_size}",
        f"created:{first}..{last}",
        f"fork:{'true' if config.forks else 'false'}",
        *([f"license:{license.lower()}"] if license else []),
    ]
    for page in range(1, _MAX_RESULTS // _PAGE + 1):
        query = {
            "q": " ".join(terms),
            "sort": "stars",
            "order": "desc",
            "per_page": str(_PAGE),
            "page": str(page),
        }
        answer = client.json("/search/repositories", **query)
        if page == 1 and answer["total_count"] > _MAX_RESULTS and first < last:
            for day in range(first.day, last.day + 1):
                yield from _slice(config, client, license, first.replace(day=day), first.replace(day=day))
            return
        yield from answer["items"]
        if len(answer["items"]) < _PAGE:
            return


def _months(config: Config) -> Iterator[tuple[date, date]]:
    year, month = map(int, config.created_from.split("-"))
    end = tuple(map(int, config.created_to.split("-")))
    if (year, month) > end:
        raise BadInput(
            f"corpus.source: created_from {config.created_from} is after created_to {config.created_to}"
        )
    while (year, month) <= end:
        yield date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _files(config: Config, client: Client, repository: dict[str, str]) -> Iterator[RawFile | Excluded]:
    name = repository["name"]
    for path, entry in _tree(client, name, repository["commit"], ""):
        size = entry.get("size", 0)
        if entry["mode"] == "120000":
            yield Excluded(project=name, path=path, reason="link")
        elif not config.min_file_bytes <= size <= config.max_file_bytes:
            reason = "too_small" if size < config.min_file_bytes else "too_large"
            yield Excluded(project=name, path=path, reason=reason, detail=f"{size:,} bytes")
        else:
            try:
                data = _blob(client, name, entry["sha"])
            except Gone as gone:
                yield Excluded(project=name, path=path, reason="unreadable", detail=str(gone))
                continue
            yield RawFile(
                project=name, path=path, data=data, license=repository["license"], date=repository["date"]
            )


def _tree(client: Client, name: str, sha: str, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The .py files of a tree; one that is too large for one answer is read folder by folder."""
    answer = client.json(f"/repos/{name}/git/trees/{sha}", recursive="1")
    truncated = answer.get("truncated", False)
    if truncated:
        answer = client.json(f"/repos/{name}/git/trees/{sha}")
    for entry in answer["tree"]:
        path = prefix + entry["path"]
        if entry["type"] == "blob" and path.endswith(".py"):
            yield path, entry
        elif entry["type"] == "tree" and truncated:
            yield from _tree(client, name, entry["sha"], f"{path}/")


def _blob(client: Client, name: str, sha: str) -> bytes:
    """Contents by their hash, from the cache if they were ever fetched, from whatever repository."""
    kept = client.cache / "blobs" / sha[:2] / sha
    if kept.is_file():
        data = kept.read_bytes()
        if _git_hash(data) == sha:
            return data
    data = client.raw(f"/repos/{name}/git/blobs/{sha}")
    if _git_hash(data) != sha:
        raise BadInput(f"corpus.source: {name}: what was sent for blob {sha} is something else")
    write(kept, data)
    return data


def _git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
