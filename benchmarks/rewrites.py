"""What rewriting costs, as multiples of `libcst.parse_module` on the same files in the same run.

    python -m benchmarks.rewrites [--files 200] [--seed 0] [--rounds 7] [--json FILE]

Files are drawn from the running interpreter's standard library (1 to 40 KB, no tests). All works take turns,
text by text, in some rounds; a figure is the median of the rounds' ratios, with its interval. Goals: analysis
at most 1.65, each further variant with its proof at most 0.175, a grid of 30 variants less than 1/20 of the
usual way, 500 times Lampion's transformations per CPU second (7.4, CPython 3.9, libcst 0.4.9), two processes
at least 1.8 times as fast as one.
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

from benchmarks.turns import Round, load, ratio, take_turns
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


Work = Callable[[str], object]


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


class Further:
    """Thirty variants of an analysed source, after another one; counts CPU seconds by set of rewrites."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.sites = self.disproved = 0

    def __call__(self, text: str) -> None:
        source = Source.analyse(text)
        emit(source, SETS[4], rate=0.5, seed=0)
        for rewrites, rate, seed in grid():
            start = time.process_time()
            result = emit(source, rewrites, rate=rate, seed=seed)
            label = " + ".join(map(str, rewrites))
            self.seconds[label] = self.seconds.get(label, 0.0) + time.process_time() - start
            self.sites += sum(result.sites.values())
            self.disproved += result.status == "disproved"


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


PARSE, USUAL = "libcst.parse_module", "the usual way, per variant, nothing proved"
ALL, FURTHER = "30 variants, all in", "each further variant, proved, mean of 30"
WORKS: dict[str, Work] = {
    PARSE: cst.parse_module,
    "ast.parse": ast.parse,
    "compile": lambda text: compile(text, "f", "exec"),
    USUAL: usual,
    "Source.analyse": Source.analyse,
    "Source.analyse and a first variant": first_variant,
}
GOALS = {"Source.analyse": "goal <= 1.65", FURTHER: "goal <= 0.175"}


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=7)
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
        "load": load(),
    }
    print("{files} files, {mb} MB, CPython {cpython}, {cpus} CPUs; load {load}".format(**about))
    variants = sum(1 for _ in grid())
    rounds: list[Round] = []
    for _ in range(options.rounds):
        further = Further()
        (seconds,) = take_turns({**WORKS, ALL: whole_grid, FURTHER: further}, corpus, 1)
        seconds[FURTHER] = sum(further.seconds.values()) / variants  # without the analysis and the first one
        for label, own in further.seconds.items():
            seconds[f"  variant: {label}"] = own * len(SETS) / variants
        rounds.append(seconds)
    parse = statistics.median(one[PARSE] for one in rounds)
    print(f"libcst.parse_module: {parse:.2f} s, {size / parse:.2f} MB/s = 1.00\n")
    ratios = {label: ratio(rounds, label, PARSE) for label in rounds[0]}
    for label, found in ratios.items():
        figures = f"{found.value:8.3f}  ({found.low:.3f} to {found.high:.3f})"
        print(f"{label:<62} {figures}  {GOALS.get(label, '')}")
    print(f"medians of {options.rounds} rounds, intervals of {ratios[ALL].level:.1%}; load after: {load()}")
    cheaper = ratios[USUAL].value * variants / ratios[ALL].value
    per_s = statistics.median(further.sites / one[ALL] for one in rounds)
    print(f"\nthe usual way / ours, 30 variants: {cheaper:.1f} (goal >= 20)")
    print(
        f"{further.sites:,} sites: {per_s:,.0f} per CPU second, {1e6 / per_s:.1f} us each, "
        f"{per_s / LAMPION_PER_S:,.0f} times Lampion (goal >= 500); disproved: {further.disproved}"
    )
    measured: dict[str, Any] = {
        **about,
        "parse_module_s": round(parse, 2),
        "over_parse_module": {label.strip(): round(found.value, 3) for label, found in ratios.items()},
        "intervals": {
            label.strip(): [round(found.low, 3), round(found.high, 3)] for label, found in ratios.items()
        },
        "usual_way_over_ours": round(cheaper, 1),
        "sites": further.sites,
        "sites_per_cpu_s": round(per_s),
        "over_lampion": round(per_s / LAMPION_PER_S),
        "disproved": further.disproved,
    }
    if not options.quick:
        few, many = memory_mib(corpus)
        print(
            f"peak memory: {few:.0f} MiB after {len(corpus) // 4} files, {many:.0f} MiB after {len(corpus)}"
        )
        before = load()
        times = processes(corpus)
        print(f"two processes: {times:.2f} times one (goal >= 1.8; load before: {before})")
        measured |= {"peak_mib": [round(few), round(many)], "two_processes_over_one": round(times, 2)}
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
