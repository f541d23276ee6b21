"""Do rewritten programs still do what they did? Real test suites, before and after, with every rewrite.

    python -m benchmarks.semantics                  # all of suites.py × every rewrite, and all together
    python -m benchmarks.semantics --packages toolz==1.2.0 --stdlib --rewrites rename_variable all
    python -m benchmarks.semantics --packages --stdlib test_textwrap test_json

All source that is not a test is rewritten at rate 1.0. A package's own suite runs on its rewritten sources;
CPython's own tests run with rewritten copies of the standard library's modules in front of the originals on
the path. Each suite runs twice on the untouched sources: what differs between those two runs is unstable and
is not compared. Where an outcome changes, the suite runs again on the rewritten sources, up to twice; only
what differs each time counts: tests of speed fail now and then on a busy machine. The run fails (exit code 1)
if the outcome of any other test changes, except where EXPECTED names that test and gives the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table

import transformers_py.rewrites
from benchmarks.outcomes import Outcomes, pytest_outcomes, unittest_outcomes
from benchmarks.suites import EXPECTED, PACKAGES, STDLIB_SUITES, Package
from transformers_py import Source, Unparseable, emit

STDLIB = Path(sysconfig.get_path("stdlib"))
RETRIES = 2


@dataclass(kw_only=True)
class Row:
    """One suite under one set of rewrites."""

    suite: str
    rewrites: str
    tests: int = 0
    passed_before: int = 0
    passed_after: int = 0
    unstable: int = 0
    files: int = 0
    files_rewritten: int = 0
    sites: int = 0
    refused: int = 0
    disproved: int = 0
    expected: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


# --- rewriting ------------------------------------------------------------------------------------


def is_test(path: Path) -> bool:
    folders = {"test", "tests", "testing"} & set(path.parts[:-1])
    return bool(folders) or path.name.startswith(("test_", "conftest")) or path.name.endswith("_test.py")


def rewrite_file(
    root: Path, relative: Path, targets: dict[str, Path], rewrites: dict[str, list[str]]
) -> list[tuple[Any, ...]]:
    """Analyses one file once, writes it rewritten into each tree: (set, status, sites, refused) each."""
    data = (root / relative).read_bytes()
    try:
        text = data.decode("utf-8-sig")
        source = Source.analyse(text)
    except (UnicodeDecodeError, Unparseable) as problem:
        return [(name, f"quarantined: {problem}", 0, 0) for name in targets]
    bom = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    rows = []
    for name, target in targets.items():
        done = emit(source, rewrites[name], rate=1.0, seed=1, key=str(relative))
        (target / relative).write_bytes(bom + done.text.encode())
        rows.append((name, done.status, sum(done.sites.values()), sum(done.refusals.values())))
    return rows


def rewrite_tree(
    root: Path,
    files: Sequence[Path],
    targets: dict[str, Path],
    rewrites: dict[str, list[str]],
    suite: str,
    jobs: int,
) -> dict[str, Row]:
    rows = {name: Row(suite=suite, rewrites=name, files=len(files)) for name in targets}
    done = Parallel(n_jobs=jobs)(
        delayed(rewrite_file)(root, relative, targets, rewrites) for relative in files
    )
    for name, status, sites, refused in (record for records in done for record in records):
        row = rows[name]
        row.files_rewritten += status == "rewritten"
        row.disproved += status == "disproved"
        row.sites += sites
        row.refused += refused
    return rows


def compare(row: Row, first: Outcomes, second: Outcomes, run: Callable[[], Outcomes]) -> Row:
    """Fill in the row; `run` runs the suite on the rewritten sources."""
    stable = {test for test in first if second.get(test) == first[test]}
    after = run()
    for _ in range(RETRIES):
        unlike = {test for test in stable if after.get(test) != first[test]} - set(
            EXPECTED.get(row.suite, {})
        )
        if not unlike:
            break
        again = run()
        calm = {test for test in unlike if again.get(test) == first[test]}
        stable -= calm
    row.tests = len(first)
    row.unstable = len(first) - len(stable)
    row.passed_before = sum(first[test] == "passed" for test in stable)
    row.passed_after = sum(after.get(test) == "passed" for test in stable)
    differs = sorted(test for test in stable if after.get(test) != first[test])
    reasons = EXPECTED.get(row.suite, {})
    row.expected = [test for test in differs if test in reasons]
    row.changed = [
        f"{test}: {first[test]} → {after.get(test, 'not run')}" for test in differs if test not in reasons
    ]
    return row


# --- the two kinds of suites ----------------------------------------------------------------------


def package_rows(package: Package, work: Path, rewrites: dict[str, list[str]], jobs: int) -> list[Row]:
    folder = work / package.name
    python = folder / "venv" / "bin" / "python"
    original = folder / "original"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        unpack(package, folder, original)
        venv.create(folder / "venv", with_pip=True)
        install = [python, "-m", "pip", "install", "-qq", "pytest", package.requirement, *package.needs]
        subprocess.run([str(part) for part in install], check=True)
        (folder / "ready").touch()
    files = [
        path.relative_to(original)
        for source in package.sources.split()
        for path in sorted((original / source).rglob("*.py"))
        if not is_test(path.relative_to(original))
    ]
    trees = {name: folder / f"with-{name}" for name in rewrites}
    for tree in trees.values():
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(original, tree)
    rows = rewrite_tree(original, files, trees, rewrites, package.name, jobs)
    return outcomes_of(rows, trees, original, lambda tree: pytest_outcomes(python, package, tree), jobs)


def unpack(package: Package, folder: Path, target: Path) -> None:
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--no-binary=:all:", "-d", folder]
    subprocess.run([str(part) for part in [*command, package.requirement]], check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "unpacked", filter="data")
    (top,) = (folder / "unpacked").iterdir()
    top.rename(target)


def stdlib_rows(suite: str, work: Path, rewrites: dict[str, list[str]], jobs: int) -> list[Row]:
    folder = work / "stdlib" / suite
    shutil.rmtree(folder, ignore_errors=True)
    trees = {"original": folder / "original"} | {name: folder / f"with-{name}" for name in rewrites}
    for tree in trees.values():
        tree.mkdir(parents=True)
        for module in STDLIB_SUITES[suite]:
            path = STDLIB / module
            if path.is_dir():
                shutil.copytree(path, tree / module, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, tree / module)
    original = trees.pop("original")
    files = sorted(path.relative_to(original) for path in original.rglob("*.py"))
    rows = rewrite_tree(original, files, trees, rewrites, suite, jobs)
    return outcomes_of(rows, trees, original, lambda tree: unittest_outcomes(suite, tree), jobs)


def outcomes_of(
    rows: dict[str, Row], trees: dict[str, Path], original: Path, run: Callable[[Path], Outcomes], jobs: int
) -> list[Row]:
    """Run a suite on the original and on all rewritten trees, and fill in the rows."""
    first, second = run(original), run(original)
    if not first:
        raise SystemExit(f"no test ran; see {original}.log")
    with ThreadPoolExecutor(jobs) as pool:
        return list(
            pool.map(lambda name: compare(rows[name], first, second, lambda: run(trees[name])), trees)
        )


# --- the table ------------------------------------------------------------------------------------


def all_rewrites() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(transformers_py.rewrites.__path__))


def show(rows: Sequence[Row]) -> None:
    table = Table(title="Tests before and after rewriting, rate 1.0, seed 1")
    for column in ("suite", "rewrites"):
        table.add_column(column)
    numbers = (
        "tests",
        "unstable",
        "passed before",
        "after",
        "files",
        "rewritten",
        "sites",
        "refused",
        "disproved",
    )
    for column in (*numbers, "expected", "changed"):
        table.add_column(column, justify="right")
    for row in rows:
        figures = (
            row.tests,
            row.unstable,
            row.passed_before,
            row.passed_after,
            row.files,
            row.files_rewritten,
        )
        more = (row.sites, row.refused, row.disproved, len(row.expected), len(row.changed))
        table.add_row(row.suite, row.rewrites, *(f"{figure:,}" for figure in figures + more))
    Console(width=200).print(table)
    for row in rows:
        for test in row.changed:
            print(f"CHANGED  {row.suite}  {row.rewrites}  {test}")
        for test in row.expected:
            print(f"expected  {row.suite}  {row.rewrites}  {test}  ({EXPECTED[row.suite][test]})")


def progress(suite: str, rows: Sequence[Row], json_file: Path | None) -> None:
    """One line for each suite that has ended; what is known so far is kept in the file."""
    changed = sum(len(row.changed) for row in rows if row.suite == suite)
    print(f"{suite}: {changed} tests changed", flush=True)
    if json_file:
        json_file.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n")


def chosen_packages(requirements: Sequence[str]) -> list[Package]:
    known = {package.requirement: package for package in PACKAGES}
    wrong = [requirement for requirement in requirements if requirement not in known]
    if wrong:
        raise SystemExit(f"--packages: {', '.join(wrong)}: not in the list; known: {', '.join(known)}")
    return [known[requirement] for requirement in requirements]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--packages", nargs="*", default=[p.requirement for p in PACKAGES], metavar="NAME==VERSION"
    )
    parser.add_argument(
        "--stdlib", nargs="*", default=list(STDLIB_SUITES), choices=list(STDLIB_SUITES), metavar="TEST"
    )
    parser.add_argument(
        "--rewrites", nargs="+", default=[*all_rewrites(), "all"], choices=[*all_rewrites(), "all"]
    )
    parser.add_argument(
        "--work", type=Path, default=Path("results/semantics"), help="where suites are unpacked and run"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="where to write the rows")
    options = parser.parse_args()
    rewrites = {name: all_rewrites() if name == "all" else [name] for name in options.rewrites}
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for package in chosen_packages(options.packages):
        rows += package_rows(package, work, rewrites, options.jobs)
        progress(package.name, rows, options.json)
    for suite in options.stdlib:
        rows += stdlib_rows(suite, work, rewrites, options.jobs)
        progress(suite, rows, options.json)
    show(rows)
    changed = sum(len(row.changed) for row in rows)
    print(f"{len(rows)} runs; {changed} tests changed their outcome")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
