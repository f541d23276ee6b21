"""Runs a test suite in a process of its own and reads the outcome of each test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.suites import STDLIB_SUITES, Package

RUN_TIMEOUT_S = 900

Outcomes = dict[str, str]

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


def run_quietly(command: Sequence[str | Path], folder: Path, environment: dict[str, str], log: Path) -> None:
    with log.open("wb") as stream, suppress(subprocess.TimeoutExpired):
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
        module = ".".join(Path(source).with_suffix("").relative_to(package.path).parts)
        if module:
            check_origin(python, module, tree, package.path)
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
    command: list[str | Path] = [
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
