"""Do rewritten programs still do what they did? Real test suites, before and after, with every rewrite.

    python -m benchmarks.semantics                  # all of suites.py × every rewrite, and all together
    python -m benchmarks.semantics --packages toolz==1.2.0 --stdlib --rewrites rename_variable all
    python -m benchmarks.semantics --packages --stdlib test_textwrap test_json
    python -m benchmarks.semantics --stdlib --baselines     # which suites run, untouched

All source that is not a test is rewritten at rate 1.0. A package's own suite runs on its rewritten sources;
CPython's own tests run with rewritten copies of the standard library's modules in front of the originals on
the path. Each suite runs twice on the untouched sources: what differs between those two runs is unstable and
is not compared. Where an outcome changes, the suite runs again on the rewritten sources, up to twice; only
what differs each time counts: tests of speed fail now and then on a busy machine. The run fails (exit code 1)
if the outcome of any other test changes, except where EXPECTED names that test and gives the reason, or if a
suite can't be run.

Every row is written as soon as it is known, and a run that was killed goes on where it was: rows of the same
rewriter, or of another one that made the same texts, are taken from the file, and the outcomes of the
untouched sources from the work folder. On another Python: the same command with that Python, and a work
folder and a file of its own.
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
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table

import transformers_py.rewrites
from benchmarks.outcomes import Outcomes, pytest_outcomes, unittest_outcomes
from benchmarks.suites import EXPECTED, PACKAGES, STDLIB_SUITES, Package
from transformers_py import Source, Unparseable, emit

PYTHON = sys.version.split()[0]
STDLIB = Path(sysconfig.get_path("stdlib"))
RETRIES = 2


@dataclass(kw_only=True)
class Row:
    """One suite under one set of rewrites."""

    suite: str
    rewrites: str
    rewriter: str = ""
    """Digest of the rewriter's sources, and the Python."""
    texts: str = ""
    """Digest of the rewritten texts."""
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
    if not targets:
        return rows
    done = Parallel(n_jobs=jobs)(
        delayed(rewrite_file)(root, relative, targets, rewrites) for relative in files
    )
    for name, status, sites, refused in (record for records in done for record in records):
        row = rows[name]
        row.files_rewritten += status == "rewritten"
        row.disproved += status == "disproved"
        row.sites += sites
        row.refused += refused
    for name, target in targets.items():
        rows[name].texts = digest(target / relative for relative in files)
    return rows


def digest(paths: Iterable[Path]) -> str:
    found = sha256()
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


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


def package_rows(package: Package, work: Path, rewrites: dict[str, list[str]], rows: Rows) -> None:
    """Run a package's suite under those sets of rewrites that aren't known yet."""
    folder = work / package.name
    python = folder / "venv" / "bin" / "python"
    original = folder / "original"
    ready = folder / "ready"
    if not ready.exists() or ready.read_text() != repr(package):
        shutil.rmtree(folder, ignore_errors=True)
        unpack(package, folder, original)
        venv.create(folder / "venv")
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "-qq"]
        install = [*pip, "pytest", package.requirement, *package.needs]
        subprocess.run([str(part) for part in install], check=True)
        ready.write_text(repr(package))
    files = [
        path.relative_to(original)
        for source in package.sources.split()
        for path in (original / source, *sorted((original / source).rglob("*.py")))
        if path.suffix == ".py" and not is_test(path.relative_to(original))
    ]
    trees = {name: folder / f"with-{name}" for name in rows.missing(package.name, rewrites)}
    for tree in trees.values():
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(original, tree)
    found = rewrite_tree(original, files, trees, rewrites, package.name, rows.jobs)
    outcomes_of(found, trees, original, lambda tree: pytest_outcomes(python, package, tree), rows)


def unpack(package: Package, folder: Path, target: Path) -> None:
    folder.mkdir(parents=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-qq",
        "--no-deps",
        f"--no-binary={package.name}",
        "-d",
        folder,
    ]
    subprocess.run([str(part) for part in [*command, package.requirement]], check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "unpacked", filter="data")
    (top,) = (folder / "unpacked").iterdir()
    top.rename(target)


def stdlib_rows(suite: str, work: Path, rewrites: dict[str, list[str]], rows: Rows) -> None:
    """Run one of CPython's test modules under those sets of rewrites that aren't known yet."""
    folder = work / "stdlib" / suite
    names = rows.missing(suite, rewrites)
    trees = {"original": folder / "original"} | {name: folder / f"with-{name}" for name in names}
    for tree in trees.values():
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        for module in STDLIB_SUITES[suite]:
            path = STDLIB / module
            if path.is_dir():
                shutil.copytree(path, tree / module, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, tree / module)
    original = trees.pop("original")
    files = sorted(path.relative_to(original) for path in original.rglob("*.py"))
    found = rewrite_tree(original, files, trees, rewrites, suite, rows.jobs)
    outcomes_of(found, trees, original, lambda tree: unittest_outcomes(suite, tree), rows)


def outcomes_of(
    found: dict[str, Row], trees: dict[str, Path], original: Path, run: Callable[[Path], Outcomes], rows: Rows
) -> None:
    """Run a suite on the original and on all rewritten trees, and fill in and keep the rows."""
    first, second = (baseline(original, turn, run) for turn in (1, 2))
    if not first:
        raise NothingRanError(f"no test ran; see {original}.log")

    def fill(name: str) -> None:
        row = rows.alike(found[name]) or compare(found[name], first, second, lambda: run(trees[name]))
        if not row.changed:
            shutil.rmtree(trees[name])
        rows.keep(row)

    with ThreadPoolExecutor(rows.jobs) as pool:
        list(pool.map(fill, trees))


class NothingRanError(Exception):
    """A suite that can't be run, not even on the untouched sources."""


def baseline(original: Path, turn: int, run: Callable[[Path], Outcomes]) -> Outcomes:
    """The outcomes of a suite on the untouched sources in its first or second run, kept in a file."""
    kept = original.parent / f"original-{turn}.json"
    if not kept.exists():
        outcomes = run(original)
        kept.write_text(json.dumps(outcomes))
    found: Outcomes = json.loads(kept.read_text())
    return found


# --- what is known already ------------------------------------------------------------------------


class Rows:
    """The rows that are known, kept in a file: those of this rewriter and this Python aren't made again."""

    def __init__(self, path: Path | None, jobs: int) -> None:
        self.path, self.jobs = path, jobs
        self.rewriter = rewriter()
        self.found: dict[tuple[str, str], Row] = {}
        self.lock = Lock()
        if path is not None and path.exists():
            rows = [excused(Row(**row)) for row in json.loads(path.read_text())]
            self.found = {(row.suite, row.rewrites): row for row in rows if row.rewriter.endswith(PYTHON)}

    def missing(self, suite: str, rewrites: Iterable[str]) -> list[str]:
        """The sets of rewrites under which a suite has no row of this rewriter."""
        own = {row.rewrites for row in self.of(suite) if row.rewriter == self.rewriter}
        return [name for name in rewrites if name not in own]

    def of(self, suite: str) -> list[Row]:
        return [row for row in self.found.values() if row.suite == suite]

    def alike(self, row: Row) -> Row | None:
        """The row of an earlier rewriter that made the same texts."""
        known = self.found.get((row.suite, row.rewrites))
        return known if known is not None and known.texts == row.texts else None

    def keep(self, row: Row) -> None:
        """Add a row and write all of them, at once or not at all."""
        row.rewriter = self.rewriter
        with self.lock:
            self.found[row.suite, row.rewrites] = row
            if self.path is not None:
                new = self.path.with_suffix(".new")
                rows = [asdict(row) for row in self.found.values()]
                new.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
                new.replace(self.path)


def excused(row: Row) -> Row:
    """The row, with what EXPECTED names by now among the expected."""
    for test in EXPECTED.get(row.suite, {}):
        named = [change for change in row.changed if change.startswith(f"{test}: ")]
        row.changed = [change for change in row.changed if change not in named]
        row.expected += [test] * len(named)
    return row


def rewriter() -> str:
    """What rewrites: a digest of the sources of `transformers_py`, and the version of Python."""
    sources = sorted(Path(transformers_py.__path__[0]).rglob("*.py"))
    return f"{digest(sources)} on {PYTHON}"


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
    parser.add_argument("--json", type=Path, help="where the rows are kept")
    parser.add_argument("--baselines", action="store_true", help="run the untouched sources alone")
    options = parser.parse_args()
    names = [] if options.baselines else options.rewrites
    rewrites = {name: all_rewrites() if name == "all" else [name] for name in names}
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    rows = Rows(options.json, options.jobs)
    suites: list[tuple[str, Callable[[], None]]] = []
    for package in chosen_packages(options.packages):
        suites.append((package.name, partial(package_rows, package, work, rewrites, rows)))
    for suite in options.stdlib:
        suites.append((suite, partial(stdlib_rows, suite, work, rewrites, rows)))
    broken = 0
    for name, run in suites:
        if not options.baselines and not rows.missing(name, rewrites):
            continue
        try:
            run()
        except (NothingRanError, AssertionError, subprocess.CalledProcessError) as problem:
            print(f"{name}: can't be run: {problem}", flush=True)
            broken += 1
            continue
        own = [row for row in rows.of(name) if row.rewrites in rewrites]
        changed, disproved = sum(len(row.changed) for row in own), sum(row.disproved for row in own)
        print(f"{name}: {len(own)} runs, {changed} tests changed, {disproved} disproved", flush=True)
    shown = [row for row in rows.found.values() if row.suite in dict(suites) and row.rewrites in rewrites]
    show(shown)
    changed = sum(len(row.changed) for row in shown)
    print(f"{len(shown)} runs; {changed} tests changed their outcome; {broken} suites can't be run")
    return 1 if changed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
