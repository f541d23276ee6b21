import hashlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from pydantic import ValidationError

from preprocessing.errors import BadInput
from preprocessing.fetching import github_api
from preprocessing.fetching.raw import Excluded, RawFile
from preprocessing.sources import github


def blob_sha(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Hub:
    """A GitHub of our own: repositories by name, what was asked, and failures to come by a part of the
    path.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.created: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.tokens: list[str] = []
        self.failures: dict[str, list[tuple[int, dict[str, str], str]]] = {}
        self.truncate = False
        self.api = ""

    def add(self, name: str, created: str, files: dict[str, bytes]) -> None:
        self.repositories[name], self.created[name] = files, created

    def answer(self, path: str, query: dict[str, list[str]]) -> object:
        if path == "/search/repositories":
            return self.search(query)
        _, _, owner, repo, *rest = path.split("/")
        files = self.repositories[f"{owner}/{repo}"]
        if rest[0] == "commits":
            if not files:
                return None
            return {"sha": f"c-{repo}", "commit": {"committer": {"date": "2020-01-02T03:04:05Z"}}}
        if rest[1] == "trees":
            return self.tree(files, rest[2], "recursive" in query)
        return next(data for data in files.values() if blob_sha(data) == rest[2])

    def search(self, query: dict[str, list[str]]) -> object:
        first, last = re.findall(r"created:(\S+)\.\.(\S+)", query["q"][0])[0]
        found = sorted(name for name, day in self.created.items() if first <= day <= last)
        page = int(query["page"][0])
        items = [
            {
                "full_name": n,
                "default_branch": "main",
                "stargazers_count": len(n),
                "license": {"spdx_id": "MIT"},
            }
            for n in found[:1000][100 * (page - 1) : 100 * page]
        ]
        return {"total_count": len(found), "items": items}

    def tree(self, files: dict[str, bytes], sha: str, recursive: bool) -> object:
        folder = "" if sha.startswith("c-") else sha.replace("--", "/")
        entries = []
        for path, data in files.items():
            if path.startswith(folder):
                rest = path[len(folder) :]
                if recursive or "/" not in rest:
                    entries.append(
                        {
                            "path": rest,
                            "type": "blob",
                            "mode": "100644",
                            "sha": blob_sha(data),
                            "size": len(data),
                        }
                    )
                elif not any(entry["path"] == rest.split("/")[0] for entry in entries):
                    top = rest.split("/")[0]
                    entries.append({"path": top, "type": "tree", "mode": "040000", "sha": f"{folder}{top}--"})
        cut = self.truncate and recursive and sha.startswith("c-")
        return {"tree": entries[:1] if cut else entries, "truncated": cut}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlparse(self.path)
            hub.asked[url.path] += 1
            hub.tokens.append(self.headers.get("Authorization", ""))
            for part, failures in hub.failures.items():
                if part in url.path and failures:
                    return self.reply(*failures.pop(0))
            answer = hub.answer(url.path, parse_qs(url.query))
            if answer is None:
                return self.reply(409, {}, "empty")
            if isinstance(answer, bytes):
                return self.reply(200, {}, answer)
            text = json.dumps(answer)
            etag = f'"{hashlib.sha256(text.encode()).hexdigest()}"'
            if self.headers.get("If-None-Match") == etag:
                hub.asked["304"] += 1
                return self.reply(304, {}, "")
            return self.reply(200, {"ETag": etag}, text)

        def reply(self, code: int, headers: dict[str, str], body: str | bytes) -> None:
            data = body.encode() if isinstance(body, str) else body
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.api = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GITHUB_TOKENS", "one,two")
    monkeypatch.setattr(github_api, "_FIRST_PAUSE_S", 0.001)
    yield hub
    server.shutdown()
    server.server_close()


FILES = {"a.py": b"a = 1\n" * 2, "b/c.py": b"c = 1\n" * 3, "b/tiny.py": b"1", "d.txt": b"text" * 9}


def configure(hub: Hub, tmp_path: Path, **fields: object) -> github.Config:
    defaults = {
        "created_from": "2020-01",
        "created_to": "2020-02",
        "min_file_bytes": 10,
        "lock": str(tmp_path / "lock"),
    }
    return github.Config.model_validate({**defaults, "api": hub.api, **fields})


def kept(config: github.Config) -> dict[str, bytes]:
    found = [raw for raw in github.read(config) if isinstance(raw, RawFile)]
    return {f"{raw.project}:{raw.path}": raw.data for raw in found if isinstance(raw.data, bytes)}


def test_files_of_what_was_found(hub: Hub, tmp_path: Path) -> None:
    hub.add("o/first", "2020-01-31", FILES)
    hub.add("o/second", "2020-02-01", FILES | {"e.py": b"e = 1\n" * 4})
    hub.add("o/empty", "2020-02-01", {})
    hub.add("o/later", "2020-03-01", FILES)
    config = configure(hub, tmp_path)
    digest = github.raw_digest(config)
    raw = list(github.read(config))
    assert RawFile(
        project="o/second", path="e.py", data=b"e = 1\n" * 4, license="MIT", date="2020-01-02T03:04:05Z"
    ) in raw  # fmt: skip
    assert Excluded(project="o/first", path="b/tiny.py", reason="too_small", detail="1 bytes") in raw
    assert {item.project for item in raw} == {"o/first", "o/second"}
    blobs = [path for path in hub.asked if "/blobs/" in path]
    assert len(blobs) == 3
    assert {hub.asked[path] for path in blobs} == {1}
    hub.add("o/new", "2020-01-05", FILES)
    assert github.raw_digest(config) == digest
    assert list(github.read(config)) == raw
    assert {hub.asked[path] for path in blobs} == {1}


def test_more_than_a_thousand_in_a_month_are_sliced_by_day(hub: Hub, tmp_path: Path) -> None:
    for number in range(1100):
        hub.add(f"o/r{number}", f"2020-01-{number % 31 + 1:02}", {"a.py": b"a = 1\n" * 2})
    client = github._client(configure(hub, tmp_path))
    config = configure(hub, tmp_path, max_repositories=5000, created_to="2020-01")
    assert len(github._searched(config, client)) == 1100
    assert hub.asked["/search/repositories"] == 1 + 31


def test_pages(hub: Hub, tmp_path: Path) -> None:
    for number in range(250):
        hub.add(f"o/r{number}", "2020-01-01", {"a.py": b"a = 1\n" * 2})
    config = configure(hub, tmp_path, max_repositories=3)
    assert set(kept(config)) == {"o/r100:a.py", "o/r101:a.py", "o/r102:a.py"}
    assert hub.asked["/search/repositories"] == 3 + 1


def test_limits_rotate_tokens_then_wait(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("o/first", "2020-01-31", FILES)
    pauses: list[float] = []
    clock = [1000.0]

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds

    client = github_api.Client(hub.api, ("one", "two"), tmp_path / "c", sleep=sleep, now=lambda: clock[0])
    exhausted = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1060"}
    hub.failures["/commits/"] = [
        (403, exhausted, ""),
        (429, {"Retry-After": "30"}, ""),
        (502, {}, "bad gateway"),
    ]
    assert client.json("/repos/o/first/commits/main")["sha"] == "c-first"
    assert hub.tokens == ["Bearer one", "Bearer two", "Bearer two", "Bearer two"]
    assert pauses == [30.0, github_api._FIRST_PAUSE_S]


def test_failures_are_tried_again_and_runs_resume(hub: Hub, tmp_path: Path) -> None:
    hub.add("o/first", "2020-01-31", FILES)
    config = configure(hub, tmp_path)
    hub.failures["/search/"] = [(500, {}, ""), (503, {}, "")]
    hub.failures["/blobs/"] = [(502, {}, "")] * (github_api.TRIES + 1)
    with pytest.raises(BadInput, match=r"no answer from .*/blobs/.* in 6 tries: HTTP 502"):
        kept(config)
    searched = hub.asked["/search/repositories"]
    assert set(kept(config)) == {"o/first:a.py", "o/first:b/c.py"}
    assert hub.asked["/search/repositories"] == searched
    assert hub.asked["304"] >= 1


def test_what_is_gone_is_excluded(hub: Hub, tmp_path: Path) -> None:
    hub.add("o/first", "2020-01-31", FILES)
    hub.add("o/second", "2020-01-31", FILES)
    config = configure(hub, tmp_path)
    github.raw_digest(config)
    hub.failures["/first/git/trees"] = [(404, {}, "")]
    hub.failures["/blobs/"] = [(451, {}, "")]
    gone = [(raw.project, raw.path, raw.reason) for raw in github.read(config) if isinstance(raw, Excluded)]
    assert ("o/first", "", "unreadable") in gone
    assert ("o/second", "a.py", "unreadable") in gone


def test_large_trees_are_read_by_folder(hub: Hub, tmp_path: Path) -> None:
    hub.add("o/first", "2020-01-31", FILES | {"b/deep/e.py": b"e = 1\n" * 4})
    hub.truncate = True
    assert set(kept(configure(hub, tmp_path))) == {"o/first:a.py", "o/first:b/c.py", "o/first:b/deep/e.py"}


def test_refusals(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="found no repository"):
        github.raw_digest(configure(hub, tmp_path))
    hub.failures["/search/"] = [(401, {}, "")]
    with pytest.raises(BadInput, match="refuses a token"):
        github.raw_digest(configure(hub, tmp_path))
    with pytest.raises(BadInput, match="is after created_to"):
        github.raw_digest(configure(hub, tmp_path, created_to="2019-12"))
    with pytest.raises(BadInput, match="must begin with https"):
        github.raw_digest(configure(hub, tmp_path, api="http://example.org"))
    with pytest.raises(ValidationError, match="created_from"):
        configure(hub, tmp_path, created_from="2020-13")


def test_lock_belongs_to_its_search(hub: Hub, tmp_path: Path) -> None:
    hub.add("o/first", "2020-01-31", FILES)
    github.raw_digest(configure(hub, tmp_path))
    with pytest.raises(BadInput, match=r"another search \(min_stars differ\)"):
        github.raw_digest(configure(hub, tmp_path, min_stars=3))


def test_nobody_waits_for_real(hub: Hub, tmp_path: Path) -> None:
    start = time.monotonic()
    hub.add("o/first", "2020-01-31", FILES)
    hub.failures["/commits/"] = [(500, {}, "")] * 3
    kept(configure(hub, tmp_path))
    assert time.monotonic() - start < 5
