"""Each limit can be seen as its example says, and the README claims what the pages claim."""

import subprocess
import sys
from pathlib import Path

import pytest

from transformers_py import rewrite
from transformers_py.limits import CLAIM, LIMITS, Limit

ROOT = Path(__file__).parents[2]


def seen(folder: Path, module: str, other: str) -> str:
    (folder / "module.py").write_text(module)
    (folder / "other.py").write_text(f"import module\n{other}\n")
    return subprocess.run(
        [sys.executable, "-B", "other.py"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize("limit", LIMITS, ids=[limit.what[:20] for limit in LIMITS])
def test_another_module_sees_it(limit: Limit, tmp_path: Path) -> None:
    done = rewrite(limit.module, [limit.rewrite], rate=1.0, seed=1)
    assert done.status == "rewritten"
    before, after = (seen(tmp_path, text, limit.other) for text in (limit.module, done.text))
    assert before.strip()
    assert after.strip()
    assert before != after


@pytest.mark.parametrize("page", ["README.md", "docs/rewrites.md"])
def test_pages_claim_the_same(page: str) -> None:
    assert CLAIM in " ".join((ROOT / page).read_text(encoding="utf-8").split())
