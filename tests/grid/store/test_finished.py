import itertools
import json
import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grid.store import processes
from grid.store.finished import DamagedError, Store

KEY = "ab" * 32


def put(target: Store, text: str = "x", key: str = KEY) -> dict[str, object]:
    with target.writing("probe", key) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "data").write_text(text)
        return target.publish(folder, "probe", key, {"facts": {"n": 1}})


def test_published_is_found_and_verifies(tmp_path: Path) -> None:
    target = Store(tmp_path)
    assert not target.has("probe", KEY)
    put(target)
    assert target.has("probe", KEY)
    assert target.verify("probe", KEY)["facts"] == {"n": 1}
    assert target.keys("probe") == {KEY}
    assert list((tmp_path / "tmp").iterdir()) == []


class Crash(BaseException):
    pass


def calls_of(owner: Any, victim: str, crash_at: int, do: Callable[[], object]) -> int:
    """How often `do` calls a function; the call of number `crash_at` (from 0) ends it as a kill would."""
    real, calls = getattr(owner, victim), itertools.count()

    def crashing(*args: object, **kwargs: object) -> object:
        if next(calls) == crash_at:
            raise Crash
        return real(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, victim, crashing)
        patch.setattr(shutil, "rmtree", lambda *a, **k: None)  # a killed process doesn't clean up
        do()
    return next(calls)


@pytest.mark.parametrize(
    "owner, victim",
    [(os, "fsync"), (Path, "rename"), (json, "dump"), (Path, "stat")],
    ids=["fsync", "rename", "dump", "stat"],
)
def test_a_crash_at_any_point_leaves_nothing_believed(tmp_path: Path, owner: Any, victim: str) -> None:
    calls = calls_of(owner, victim, -1, lambda: put(Store(tmp_path / "whole")))
    assert calls >= (5 if victim == "fsync" else 1)
    for nth in range(calls):
        target = Store(tmp_path / str(nth))
        with pytest.raises(Crash):
            calls_of(owner, victim, nth, lambda target=target: put(target))  # type: ignore[misc]
        renamed = victim == "fsync" and nth == calls - 1  # all that comes after the rename
        assert target.path("probe", KEY).exists() == target.has("probe", KEY) == renamed
        put(target)
        target.verify("probe", KEY)


def test_second_writer_finds_the_first_ones_result(tmp_path: Path) -> None:
    target = Store(tmp_path)
    put(target, "first")
    put(target, "second")
    assert (target.path("probe", KEY) / "sub" / "data").read_text() == "first"


def test_eight_writers_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=put, args=(Store(tmp_path), str(n) * 1000)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 8
    Store(tmp_path).verify("probe", KEY)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_truncated_is_missing_and_flipped_is_damaged(tmp_path: Path) -> None:
    target = Store(tmp_path)
    put(target, "hello")
    data = target.path("probe", KEY) / "sub" / "data"
    data.write_text("hellO")
    assert target.has("probe", KEY)
    with pytest.raises(DamagedError, match="sub/data"):
        target.verify("probe", KEY)
    data.write_text("hell")
    assert not target.has("probe", KEY)
    put(target, "hello")  # publishing over it sets it aside
    target.verify("probe", KEY)
    assert len(list((tmp_path / "damaged").iterdir())) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 99, "files": {}}'])
def test_a_bad_manifest_is_no_manifest(tmp_path: Path, text: str) -> None:
    target = Store(tmp_path)
    put(target)
    (target.path("probe", KEY) / "manifest.json").write_text(text)
    assert not target.has("probe", KEY)


def test_clean_takes_folders_of_the_dead_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Store(tmp_path)
    dead = tmp_path / "tmp" / f"probe+{KEY}+{processes.host()}+999999999+1.x+1"
    foreign = tmp_path / "tmp" / f"probe+{KEY}+elsewhere+1+1.x+1"
    dead.mkdir(parents=True)
    foreign.mkdir()
    with target.writing("probe", KEY) as mine:
        assert target.clean() == [dead]
        assert mine.exists()
        assert foreign.exists()
    year_s = 365 * 24 * 3600
    with monkeypatch.context() as patch:  # this machine's clock is wrong, the file system's isn't
        patch.setattr(time, "time", lambda: foreign.stat().st_mtime + year_s)
        assert target.clean() == []
    os.utime(foreign, (0, 0))
    assert target.clean() == [foreign]


def test_remove(tmp_path: Path) -> None:
    target = Store(tmp_path)
    put(target)
    target.remove("probe", KEY)
    target.remove("probe", KEY)
    assert target.keys("probe") == set()
