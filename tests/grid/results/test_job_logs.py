"""Which jobs stand behind which cells, and how their logs end."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from grid.plan.graph import Artifacts, Step
from grid.results import job_logs


def step(kind: str, key: str, group: str, *needs: Step) -> Step:
    read = tuple(Artifacts(need.kind, (need.key,), need.key) for need in needs)
    return Step(kind, key, group, {}, tuple(f"need{n}" for n in range(len(needs))), read, {})


def cell(name: str, train: Step) -> Any:
    steps = SimpleNamespace(
        train=Artifacts("train", (train.key,), train.key), tests={}, variant=None, tested=None
    )
    return SimpleNamespace(cell=SimpleNamespace(id=name), steps=steps)


def test_jobs_of_shared_steps_stand_behind_all_cells(tmp_path: Path) -> None:
    corpus = step("corpus", "c", "c")
    first, second = step("train", "t1", "t1", corpus), step("train", "t2", "t2", corpus)
    (tmp_path / "train-t1").mkdir()
    (tmp_path / "train-t1" / "log.txt").write_text("began\nfailed: <b>\n")
    steps = {s.key: s for s in (corpus, first, second)}
    rows = job_logs.table(
        tmp_path,
        steps,
        [cell("one", first), cell("two", second)],
        {"c": {"wall_s": 2.5}, "t2": {"wall_s": 1.0}},
    ).to_pylist()
    assert [(row["job"], row["cells"], row["n_done"], row["wall_s"]) for row in rows] == [
        ("corpus-c", ["one", "two"], 1, 2.5),
        ("train-t1", ["one"], 0, 0.0),
        ("train-t2", ["two"], 1, 1.0),
    ]
    assert [row["log"] for row in rows] == [None, "began\nfailed: <b>", None]


def test_only_the_end_of_a_long_log_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(b"\xff\xfe" + b"".join(b"line %d\n" % n for n in range(10_000)))
    kept = job_logs.tail(file)
    assert kept is not None
    assert kept.splitlines()[-1] == "line 9999"
    assert len(kept.splitlines()) == job_logs.TAIL_LINES
    assert kept.splitlines()[0] == "line 9970"
