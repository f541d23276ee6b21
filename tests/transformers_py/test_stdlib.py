"""Every rewrite on the whole standard library and on generated programs: nothing unproved, no crash."""

import sys
import sysconfig
from collections import Counter
from pathlib import Path
from random import Random

import hypothesmith
import pytest
from hypothesis import HealthCheck, given, settings

from transformers_py import Source, Unparseable, emit, names
from transformers_py.source.edits import splice

ROOT = Path(sysconfig.get_paths()["stdlib"])
PARTS = 20
SETS = [*([name] for name in names()), list(names())]


def check(text: str, found: Counter[str]) -> list[str]:
    """What is wrong with any rewriting of a text, outcomes counted in `found`; raises Unparseable."""
    source = Source.analyse(text)
    wrong: list[str] = []
    for rewrites in SETS:
        for rate in (1.0, 0.3):
            result = emit(source, rewrites, rate=rate, seed=1)
            found[result.status] += 1
            if result.status == "disproved" or splice(text, result.edits) != result.text:
                wrong.append(f"{rewrites} at {rate}: {result.problem}")
    result.alignment()
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_standard_library(part: int) -> None:
    paths = [path for path in sorted(ROOT.rglob("*.py")) if "site-packages" not in path.parts]
    wrong: list[str] = []
    found: Counter[str] = Counter()
    for path in paths[part::PARTS]:
        try:
            wrong += [f"{path}: {problem}" for problem in check(path.read_bytes().decode("utf-8"), found)]
        except (UnicodeDecodeError, Unparseable):
            found["unparseable"] += 1
    print(len(paths[part::PARTS]), "files:", dict(found))  # shown by pytest -rP
    assert not wrong


@pytest.mark.slow
def test_drawn_modules() -> None:
    """What `make test-pythons` runs with each Python on its own library, drawn by its version."""
    paths = [path for path in sorted(ROOT.rglob("*.py")) if "site-packages" not in path.parts]
    small = [path for path in paths if 500 <= path.stat().st_size <= 12_000]
    wrong: list[str] = []
    found: Counter[str] = Counter()
    for path in Random(sys.version.split()[0]).sample(small, 25):
        try:
            wrong += [f"{path}: {problem}" for problem in check(path.read_bytes().decode("utf-8"), found)]
        except (UnicodeDecodeError, Unparseable):
            found["unparseable"] += 1
    print(dict(found))  # shown by pytest -rP
    assert not wrong
    assert found["rewritten"] > 250


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(hypothesmith.from_node())
def test_generated_programs(text: str) -> None:
    try:
        assert not check(text, Counter())
    except Unparseable:
        return


def test_a_few_modules() -> None:
    for name in ("textwrap.py", "bisect.py", "contextlib.py"):
        assert not check((ROOT / name).read_bytes().decode("utf-8"), Counter())
