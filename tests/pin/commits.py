"""Two commits side by side: a small GRU grid with the code of each, on one machine, every value compared.

What only HEAD has (a table, a column, a row) is named and is no difference; what only BASE has is one.
"""

import io
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy
import torch

from tests.pin import product, sources
from tests.pin.reading import tables
from tests.pin.tables import Finding, Table, compared

SPEC = sources.SPECS / "gru.yaml"


def compare(base: str, head: str) -> int:
    """Prints what is equal and what is not; returns 1 if anything differs, 2 for an unknown commit."""
    try:
        commits = [(side, _commit(name)) for side, name in (("BASE", base), ("HEAD", head))]
    except LookupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        f"Python {sys.version.split()[0]}, numpy {numpy.__version__}, torch {torch.__version__}, one thread"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary) / side for side, _ in commits]
        for folder, (side, commit) in zip(folders, commits, strict=True):
            print(f"{side} {commit}: {_ran(folder, commit)}", flush=True)
        before, after = (dict(tables(folder / "results", SPEC.stem)) for folder in folders)
        print(_keys(*folders))
    findings = list(_findings(before, after))
    print("\n".join(_summary(findings)))
    return int(any(finding.different for finding in findings))


def _commit(name: str) -> str:
    command = ["git", "-C", str(product.ROOT), "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LookupError(f"{name}: no commit of {product.ROOT}")
    return done.stdout.strip()


def _ran(folder: Path, commit: str) -> str:
    """Runs the grid and its analysis with the code of a commit; says which modules did it.

    The code is an export, not a worktree: what is killed half-way leaves nothing in the repository.

    Raises:
        RuntimeError: another checkout's module was loaded.
    """
    code = folder / "code"
    archive = ["git", "-C", str(product.ROOT), "archive", "--format=tar", commit]
    exported = subprocess.run(archive, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(exported.stdout)) as tar:
        tar.extractall(code, filter="data")
    sources.write(folder)
    results = product.run(SPEC, folder, code=code)
    product.report(results, folder, code=code)
    packages = {file.parent.name for file in code.glob("*/py.typed")}
    own = {(name, file) for name, file in product.modules(folder) if name.split(".")[0] in packages}
    strange = sorted(file for _, file in own if not Path(file).is_relative_to(code))
    if strange or not own:
        raise RuntimeError(f"modules that are not of {code}: {', '.join(strange) or 'all'}")
    counts = Counter(name.split(".")[0] for name, _ in own)
    listed = ", ".join(f"{counts[name]} of {name}" for name in sorted(counts))
    return f"ran modules ({listed}) of its own alone, as {dict(own)['grid']}"


def _keys(base: Path, head: Path) -> str:
    """How many finished steps have the same key. For information: keys may change where results don't."""
    keys = [{f.parent.name for f in side.glob("results/store/*/*/*/manifest.json")} for side in (base, head)]
    return f"keys of steps: {len(keys[0])} in BASE, {len(keys[1])} in HEAD, {len(keys[0] & keys[1])} in both"


def _findings(before: dict[str, Table], after: dict[str, Table]) -> Iterator[Finding]:
    for name in dict.fromkeys([*before, *after]):
        yield compared(name, before.get(name), after.get(name))


def _summary(findings: list[Finding]) -> Iterator[str]:
    """One line for each table, or folder of tables."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        whole = finding.name.startswith("store/")  # the kinds of steps one by one
        groups.setdefault(finding.name if whole else finding.name.partition("/")[0], []).append(finding)
    yield f"\n{'table':<16}{'files':>6}{'rows':>9}{'columns':>8}{'values':>10}  result"
    for name, members in groups.items():
        different = [one for one in members if one.different]
        notes = list(dict.fromkeys(note for one in members for note in one.notes))
        first = f"{different[0].name}: {different[0].different}" if different else "equal"
        more = f" (and {len(different) - 1} files more)" if len(different) > 1 else ""
        rows, values = sum(one.rows for one in members), sum(one.values for one in members)
        columns = max(one.columns for one in members)
        result = "; ".join([first + more, *notes[:5]])
        yield f"{name:<16}{len(members):>6}{rows:>9}{columns:>8}{values:>10}  {result}"
    wrong = sum(bool(one.different) for one in findings)
    equal = sum(one.values for one in findings if not one.different)
    yield f"\n{equal} values equal, bit for bit; {wrong} of {len(findings)} files differ"
