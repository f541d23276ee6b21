"""Every rewrite on files of packages drawn by a seed, 3,000 in a quarter of an hour, or AUGRID_FILES."""

import os
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.package_files import BAD, examine, files, run

COUNT, PARTS = int(os.environ.get("AUGRID_FILES", "3000")), 10


@pytest.fixture(scope="module")
def drawn() -> list[tuple[str, str]]:
    return list(files(COUNT))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_files_of_packages(part: int, drawn: list[tuple[str, str]]) -> None:
    found = [examine(name, text) for name, text in drawn[part::PARTS]]
    print(len(found), "files:", dict(Counter(row["status"] for row in found)))  # shown by pytest -rP
    assert len(found) >= COUNT // PARTS
    assert [row for row in found if row["status"] in BAD] == []
    assert sum(row["status"] == "rewritten" for row in found) > 0.8 * len(found)


def test_examination_tells_what_happened() -> None:
    assert examine("p/a.py", "x = = 1\n")["status"] == "unparseable"
    assert examine("p/a.py", "def f(a):\n    return a\n")["status"] == "rewritten"
    assert examine("p/a.py", "")["status"] == "unchanged"
    broken = examine("p/a.py", None)  # type: ignore[arg-type]
    assert broken["status"] == "crashed"
    assert "Traceback" in broken["problem"]


def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    texts = [("p/a.py", "x = 1\n"), ("p/b.py", "x = = 1\n"), ("p/c.py", "def f(a):\n    return a\n")]
    out = tmp_path / "new" / "files.jsonl"
    assert run(iter(texts[:2]), out, 10) == {"rewritten": 1, "unparseable": 1}
    before = out.read_text()
    assert run(iter(texts), out, 10) == {"rewritten": 2, "unparseable": 1}
    assert out.read_text().startswith(before)
    assert len(out.read_text().splitlines()) == 3
    assert run(iter(texts), out, 0) == {"rewritten": 2, "unparseable": 1}
