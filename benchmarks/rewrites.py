"""What rewriting costs, as multiples of `libcst.parse_module` on the same files in the same run.

    .venv/bin/python benchmarks/rewrites.py [--files 200] [--seed 0] [--json FILE]

Files are drawn from the running interpreter's standard library (1 to 40 KB, no tests). Goals: analysis at
most 2.0, each further variant with its proof at most 0.2, a grid of 30 variants less than 1/20 of the usual
way, 500 times Lampion's transformations per CPU second (7.4, CPython 3.9, libcst 0.4.9), two processes at
least 1.8 times as fast as one.
"""

import argparse
import ast
import json
import multiprocessing
import os
import random
import resource
import statistics
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider, ScopeProvider

from transformers_py import Source, Unparseable, emit

SETS: list[list[Any]] = [
    ["rename_variable"],
    ["dead_branch", "unused_variable"],
    ["parentheses"],
    ["rename_variable", "rename_parameter", "rename_function"],
    ["rename_variable", "dead_branch", "parentheses"],
]
RATES = (0.25, 0.5, 1.0)
SEEDS = (1, 2)
LAMPION_PER_S = 7.4
"""Transformations per CPU second, everything on, 500 transformations of 199 standard-library files."""


def grid() -> Iterator[tuple[list[Any], float, int]]:
    """The 30 variants: 5 sets of rewrites x 3 rates x 2 seeds."""
    for seed in SEEDS:
        for rewrites in SETS:
            for rate in RATES:
                yield rewrites, rate, seed


def texts(count: int, seed: int) -> list[str]:
    """Parseable standard-library files of 1 to 40 KB."""
    root = Path(sysconfig.get_paths()["stdlib"])
    skipped = {"site-packages", "test", "tests", "idle_test", "lib2to3"}
    paths = [p for p in sorted(root.rglob("*.py")) if not skipped & set(p.relative_to(root).parts)]
    random.Random(seed).shuffle(paths)  # noqa: S311
    found: list[str] = []
    for path in paths:
        if len(found) == count:
            break
        if not 1_000 <= path.stat().st_size <= 40_000:
            continue
        try:
            text = path.read_bytes().decode("utf-8")
            Source.analyse(text)
        except (UnicodeDecodeError, Unparseable):
            continue
        found.append(text)
    return found


def cost(work: Callable[[str], object], corpus: Sequence[str], rounds: int = 3) -> float:
    """CPU seconds of one pass over the corpus, the median of some."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for text in corpus:
            work(text)
        times.append(time.process_time() - start)
    return statistics.median(times)


class _Rename(cst.CSTTransformer):
    """The usual way: metadata, a transformer, generated code."""

    METADATA_DEPENDENCIES = (PositionProvider, ScopeProvider)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:  # noqa: N802
        self.get_metadata(PositionProvider, original_node, None)
        self.get_metadata(ScopeProvider, original_node, None)
        return updated_node


def usual(text: str) -> str:
    """One variant as a libcst code-mod makes it (without any proof)."""
    return MetadataWrapper(cst.parse_module(text)).visit(_Rename()).code


def first_variant(text: str) -> object:
    """Analysis and one variant."""
    return emit(Source.analyse(text), SETS[4], rate=0.5, seed=1)


def whole_grid(text: str) -> int:
    """Analysis and thirty variants; returns the number of sites applied."""
    source = Source.analyse(text)
    return sum(sum(emit(source, r, rate=rate, seed=seed).sites.values()) for r, rate, seed in grid())


def further(corpus: Sequence[str]) -> dict[str, float]:
    """CPU seconds of the variants alone, by set of rewrites, and sites in all."""
    spent: dict[str, float] = {}
    sites = disproved = 0
    for text in corpus:
        source = Source.analyse(text)
        emit(source, SETS[4], rate=0.5, seed=0)
        for rewrites, rate, seed in grid():
            start = time.process_time()
            result = emit(source, rewrites, rate=rate, seed=seed)
            label = " + ".join(map(str, rewrites))
            spent[label] = spent.get(label, 0.0) + time.process_time() - start
            sites += sum(result.sites.values())
            disproved += result.status == "disproved"
    spent["sites"] = sites
    spent["disproved"] = disproved
    return spent


def _warm(text: str) -> None:
    """Load and compile all that a worker needs before its time is taken."""
    whole_grid(text)


def processes(corpus: Sequence[str], rounds: int = 2) -> float:
    """How many times faster two processes are than one, by wall clock, the best of some rounds of each.

    The long texts come first, so that no process waits for the other's last one; other load on the machine
    makes the figure smaller.
    """
    longest_first = sorted(corpus, key=len, reverse=True)
    walls: dict[int, list[float]] = {1: [], 2: []}
    for workers in (1, 2) * rounds:
        with multiprocessing.get_context("spawn").Pool(workers, _warm, (corpus[0],)) as pool:
            pool.map(len, ["ready"] * 8 * workers, chunksize=1)
            start = time.perf_counter()
            pool.map(whole_grid, longest_first, chunksize=1)
            walls[workers].append(time.perf_counter() - start)
    return min(walls[1]) / min(walls[2])


def memory_mib(corpus: Sequence[str]) -> tuple[float, float]:
    """Peak resident memory after a quarter of the corpus, and after all of it."""
    peaks = []
    for part in (corpus[: len(corpus) // 4], corpus):
        for text in part:
            whole_grid(text)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return peaks[0], peaks[1]


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="leave out memory and processes")
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    options = parser.parse_args()
    corpus = texts(options.files, options.seed)
    size = sum(map(len, corpus)) / 1e6
    about = {
        "files": len(corpus),
        "mb": round(size, 2),
        "cpython": sys.version.split()[0],
        "cpus": os.cpu_count(),
    }
    print("{files} files, {mb} MB, CPython {cpython}, {cpus} CPUs".format(**about))
    parse = cost(cst.parse_module, corpus, options.rounds)
    print(f"libcst.parse_module: {parse:.2f} s, {size / parse:.2f} MB/s = 1.00\n")

    ratios: dict[str, float] = {}
    measured: dict[str, Any] = {**about, "parse_module_s": round(parse, 2), "over_parse_module": ratios}

    def row(label: str, seconds: float, goal: str = "") -> None:
        ratios[label.strip()] = round(seconds / parse, 3)
        print(f"{label:<62} {seconds / parse:8.3f}  {goal}")

    row("ast.parse", cost(ast.parse, corpus, options.rounds))
    row("compile", cost(lambda text: compile(text, "f", "exec"), corpus, options.rounds))
    usually = cost(usual, corpus, 1)
    row("the usual way, per variant, nothing proved", usually)
    row("Source.analyse", cost(Source.analyse, corpus, options.rounds), "goal <= 2.0")
    row("Source.analyse and a first variant", cost(first_variant, corpus, options.rounds))
    variants = sum(1 for _ in grid())
    spent = further(corpus)
    sites, disproved = spent.pop("sites"), spent.pop("disproved")
    for label, seconds in spent.items():
        row(f"  variant: {label}", seconds * len(SETS) / variants)
    further_s = sum(spent.values())
    row("each further variant, proved, mean of 30", further_s / variants, "goal <= 0.2")
    all_s = cost(whole_grid, corpus, 1)
    row("30 variants, all in", all_s, f"the usual way / ours = {usually * variants / all_s:.1f}, goal >= 20")
    per_s = sites / all_s
    measured |= {
        "usual_way_over_ours": round(usually * variants / all_s, 1),
        "sites": int(sites),
        "sites_per_cpu_s": round(per_s),
        "over_lampion": round(per_s / LAMPION_PER_S),
        "disproved": int(disproved),
    }
    print(
        f"\n{sites:,.0f} sites in {all_s:.1f} CPU s: {per_s:,.0f} per CPU second, {1e6 / per_s:.1f} us each, "
        f"{per_s / LAMPION_PER_S:,.0f} times Lampion (goal >= 500); disproved: {disproved:.0f}"
    )
    if not options.quick:
        few, many = memory_mib(corpus)
        print(
            f"peak memory: {few:.0f} MiB after {len(corpus) // 4} files, {many:.0f} MiB after {len(corpus)}"
        )
        load = os.getloadavg()[0]
        times = processes(corpus)
        print(f"two processes: {times:.2f} times one (goal >= 1.8; load before: {load:.1f})")
        measured |= {"peak_mib": [round(few), round(many)], "two_processes_over_one": round(times, 2)}
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
