"""Do rewritten programs still do what they did? Real test suites, before and after, with every rewrite.

    python benchmarks/semantics.py                  # every suite below × every rewrite, and all together
    python benchmarks/semantics.py --packages toolz==1.2.0 --stdlib --rewrites rename_variable all
    python benchmarks/semantics.py --packages --stdlib test_textwrap test_json

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
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table

import transformers_py.rewrites
from transformers_py import Source, Unparseable, emit

STDLIB = Path(sysconfig.get_path("stdlib"))
RUN_TIMEOUT_S = 900
RETRIES = 2


@dataclass(frozen=True, kw_only=True)
class Package:
    """A pure-Python sdist that carries its tests. The list was fixed before any of them was run."""

    name: str
    version: str
    sources: str
    path: str = "."
    tests: str = "tests"
    needs: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


PACKAGES = (
    Package(
        name="blinker",
        version="1.9.0",
        sources="src/blinker",
        path="src",
        needs=("pytest-asyncio",),
        arguments=("-o", "asyncio_default_fixture_loop_scope=function"),
    ),
    Package(name="boltons", version="26.2.0", sources="boltons"),
    Package(name="cachetools", version="8.0.1", sources="src/cachetools", path="src"),
    Package(name="click", version="8.5.1", sources="src/click", path="src"),
    Package(
        name="itsdangerous", version="2.2.0", sources="src/itsdangerous", path="src", needs=("freezegun",)
    ),
    Package(
        name="jinja2",
        version="3.1.6",
        sources="src/jinja2",
        path="src",
        needs=("trio",),
        arguments=("--ignore=tests/test_async.py", "--ignore=tests/test_async_filters.py"),
    ),
    Package(
        name="marshmallow",
        version="4.4.0",
        sources="src/marshmallow",
        path="src",
        needs=("simplejson", "autodocsumm"),
    ),
    Package(name="mistune", version="3.4.0", sources="src/mistune", path="src"),
    Package(name="more-itertools", version="11.2.1", sources="more_itertools"),
    Package(
        name="packaging",
        version="26.3",
        sources="src/packaging",
        path="src",
        needs=("pretend", "hypothesis", "tomli_w"),
        arguments=("--ignore=tests/property",),  # minutes of drawing examples
    ),
    Package(name="parso", version="0.8.7", sources="parso", tests="test"),
    Package(name="pluggy", version="1.7.0", sources="src/pluggy", path="src", tests="testing"),
    Package(name="sqlparse", version="0.6.1", sources="sqlparse"),
    Package(name="tabulate", version="0.10.0", sources="tabulate", tests="test"),
    Package(
        name="tinydb",
        version="4.9.0",
        sources="tinydb",
        needs=("pyyaml", "pytest-mypy-plugins", "pytest-cov"),
    ),
    Package(name="toolz", version="1.2.0", sources="toolz tlz", tests="toolz tlz"),
)

STDLIB_SUITES = {
    "test_argparse": ["argparse.py"],
    "test_bisect": ["bisect.py"],
    "test_calendar": ["calendar.py"],
    "test_cmd": ["cmd.py"],
    "test_colorsys": ["colorsys.py"],
    "test_configparser": ["configparser.py"],
    "test_contextlib": ["contextlib.py"],
    "test_copy": ["copy.py"],
    "test_csv": ["csv.py"],
    "test_dataclasses": ["dataclasses.py"],
    "test_difflib": ["difflib.py"],
    "test_enum": ["enum.py"],
    "test_fnmatch": ["fnmatch.py"],
    "test_fractions": ["fractions.py"],
    "test_functools": ["functools.py"],
    "test_glob": ["glob.py"],
    "test_heapq": ["heapq.py"],
    "test_html": ["html"],
    "test_htmlparser": ["html", "_markupbase.py"],
    "test_http_cookies": ["http"],
    "test_ipaddress": ["ipaddress.py"],
    "test_json": ["json"],
    "test_mimetypes": ["mimetypes.py"],
    "test_optparse": ["optparse.py"],
    "test_pathlib": ["pathlib.py"],
    "test_pprint": ["pprint.py"],
    "test_queue": ["queue.py"],
    "test_random": ["random.py"],
    "test_reprlib": ["reprlib.py"],
    "test_sched": ["sched.py"],
    "test_shlex": ["shlex.py"],
    "test_shutil": ["shutil.py"],
    "test_statistics": ["statistics.py"],
    "test_string": ["string.py"],
    "test_tempfile": ["tempfile.py"],
    "test_textwrap": ["textwrap.py"],
    "test_tomllib": ["tomllib"],
    "test_typing": ["typing.py"],
    "test_urlparse": ["urllib"],
    "test_uuid": ["uuid.py"],
    "test_weakref": ["weakref.py", "_weakrefset.py"],
    "test_zipfile": ["zipfile.py"],
}

# Tests that look at source text, line numbers or names on purpose: suite → test → reason.
EXPECTED: dict[str, dict[str, str]] = {
    "test_contextlib": {
        "test.test_contextlib.TestExitStack.test_exit_exception_traceback": (
            "compares the text of contextlib's own source lines, as a traceback shows them"
        ),
    },
    "test_string": {
        "test.test_string.ModuleTest.test_format_keyword_arguments": (
            "looks for the name of a positional-only parameter in the message of a TypeError"
        ),
    },
}

UNITTEST_RUNNER = """
import json, sys, unittest
outcomes = {}
class Record(unittest.TextTestResult):
    def addSuccess(self, test): super().addSuccess(test); outcomes.setdefault(test.id(), "passed")
    def addFailure(self, test, err): super().addFailure(test, err); outcomes[test.id()] = "failed"
    def addError(self, test, err): super().addError(test, err); outcomes[test.id()] = "error"
    def addSkip(self, test, reason): super().addSkip(test, reason); outcomes.setdefault(test.id(), "skipped")
    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None: outcomes[test.id()] = "failed"
suite = unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])
for name in sys.argv[3:]:
    found = __import__(name).__file__
    assert found.startswith(sys.path[1]), f"{name} was imported from {found}, not from {sys.path[1]}"
unittest.TextTestRunner(resultclass=Record, verbosity=0).run(suite)
json.dump(outcomes, open(sys.argv[2], "w"))
"""


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


Outcomes = dict[str, str]


# --- rewriting ------------------------------------------------------------------------------------


def is_test(path: Path) -> bool:
    folders = {"test", "tests", "testing"} & set(path.parts[:-1])
    return bool(folders) or path.name.startswith(("test_", "conftest")) or path.name.endswith("_test.py")


def rewrite_file(
    root: Path, relative: Path, targets: dict[str, Path], rewrites: dict[str, list[str]]
) -> list[tuple]:
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


# --- suites ---------------------------------------------------------------------------------------


def run_quietly(command: Sequence[str | Path], folder: Path, environment: dict[str, str], log: Path) -> None:
    with log.open("wb") as stream:
        subprocess.run(  # the exit code is not the result: the outcome of each test is
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )


def environment(path: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return kept | {"PYTHONPATH": str(path), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def pytest_outcomes(python: Path, package: Package, tree: Path) -> Outcomes:
    report = tree.parent / f"{tree.name}.xml"
    report.unlink(missing_ok=True)
    command: list[str | Path] = [
        python,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
    ]
    command += [*package.arguments, *package.tests.split()]
    for source in package.sources.split():
        check_origin(python, Path(source).name, tree, package.path)
    run_quietly(command, tree, environment(tree / package.path), tree.parent / f"{tree.name}.log")
    return dict(junit_outcomes(report)) if report.exists() else {}


def check_origin(python: Path, module: str, tree: Path, path: str) -> None:
    """Raises AssertionError unless the tests will import the module from this tree, not an installed copy."""
    command = [str(python), "-c", f"import {module}; print({module}.__file__)"]
    done = subprocess.run(
        command, cwd=tree, env=environment(tree / path), capture_output=True, text=True, check=False
    )
    assert done.returncode or done.stdout.startswith(str(tree)), (
        f"{module} is imported from {done.stdout.strip()}"
    )


def junit_outcomes(report: Path) -> Iterator[tuple[str, str]]:
    seen: Counter[str] = Counter()
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314  (pytest wrote it a moment ago)
        name = f"{case.get('classname')}::{case.get('name')}"
        seen[name] += 1
        outcome = next(
            (tag for tag in ("failure", "error", "skipped") if case.find(tag) is not None), "passed"
        )
        yield f"{name}#{seen[name]}" if seen[name] > 1 else name, outcome


def unittest_outcomes(suite: str, tree: Path) -> Outcomes:
    result = tree.parent / f"{tree.name}.json"
    result.unlink(missing_ok=True)
    modules = [module.removesuffix(".py") for module in STDLIB_SUITES[suite]]
    command = [
        sys.executable,
        "-X",
        "frozen_modules=off",
        "-c",
        UNITTEST_RUNNER,
        f"test.{suite}",
        result,
        *modules,
    ]
    folder = tree.parent / f"{tree.name}.cwd"
    folder.mkdir(exist_ok=True)
    run_quietly(command, folder, environment(tree), tree.parent / f"{tree.name}.log")
    return json.loads(result.read_text()) if result.exists() else {}


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
