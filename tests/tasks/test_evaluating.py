"""One scoring after the other: what one reports says which it is, and one that fails stops no other."""

from pathlib import Path
from typing import Any

from models.training.training_job import Report
from tasks import Test, evaluating


def test_each_has_its_facts_or_its_error(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = []

    def score(test: Test, report: Report) -> dict[str, Any]:
        report({"units": 3})
        if test.out.name == "bad":
            raise ValueError("no such unit")
        return {"folder": test.out.name}

    tests = [Test(parts=[], out=tmp_path / name) for name in ("one", "bad", "two")]
    one, bad, two = evaluating.each(tests, score, rows.append)
    assert (one, two) == ({"folder": "one"}, {"folder": "two"})
    assert bad["error"] == "ValueError: no such unit"
    assert "in score" in bad["traceback"]
    assert rows == [{"kind": "scoring", "test": number, "units": 3} for number in range(3)]
