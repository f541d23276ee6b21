"""Drawn problems with all their names renamed pass their tests (benchmarks/problems.py runs them all)."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import get_args

import pytest

from benchmarks.problems import Problem, Runner, humaneval, measure, read_problems, sets, summary
from transformers_py.sites.new_names import Style

MBPP = Path(__file__).parents[3] / "shared" / "data" / "mbpp.jsonl.gz"

DOUBLE = Problem(
    name="own/double",
    program="def double(n: int) -> int:\n    total = n\n    return total + n\n",
    users=("def check(candidate):\n    assert candidate(n=2) == 4\n", "check(double)"),
    entry_point="double",
)


@pytest.fixture
def runner() -> Iterator[Runner]:
    made = Runner(cpu_s=20, wall_s=300)
    yield made
    made.close()


def test_a_problem_is_counted(runner: Runner) -> None:
    rows = list(measure(DOUBLE, sets(["generic"]), [1, 2], runner))
    [*lines] = summary(rows)
    assert [line["set"] for line in lines] == ["generic", "documented", "all"]
    assert {row.outcome for row in rows} == {"passed"}
    generic = lines[0]
    assert (generic["variants"], generic["changed"], generic["names renamed"]) == (2, 2, 4)
    assert generic["refused"] == {"rename_parameter:unknown_call": 2}  # candidate(n=2) may mean any function
    assert generic["share of own names"] == 0.667


@pytest.mark.parametrize(
    "text, passes",
    [
        ("x = 1\n", True),
        ("assert 0\n", False),
        ("raise SystemExit\n", False),
        ("import os\nos.kill(os.getpid(), 9)\n", False),
        ("x = bytearray(4 << 30)\n", False),
        ("import sys\nsys.stdout.write('0\\n' * 9)\n", True),
    ],
)
def test_a_program_passes_or_doesn_t(text: str, passes: bool, runner: Runner) -> None:
    assert runner.passes(text) is passes
    assert runner.passes("pass\n")


@pytest.mark.slow
def test_drawn_problems_pass_rewritten(runner: Runner, tmp_path: Path) -> None:
    if not MBPP.exists():
        pytest.skip(f"{MBPP} isn't there")
    problems = Random(29).sample(read_problems(MBPP, "MBPP"), 40)
    problems += Random(29).sample(read_problems(humaneval(tmp_path), "HumanEval"), 10)
    rows = [row for problem in problems for row in measure(problem, sets(get_args(Style)), [1], runner)]
    wrong = [row for row in rows if row.passes_untouched and row.outcome not in ("passed", "unchanged")]
    assert not wrong
    for line in summary(rows):
        if line["set"] not in ("swap", "snake_camel", "synonym", "abbreviation", "inflection"):
            assert line["share of own names"] > 0.85, line
