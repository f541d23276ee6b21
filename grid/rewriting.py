"""`augrid rewrite`: rewrites applied to files and folders, shown as a diff or written elsewhere."""

from __future__ import annotations

import difflib
import io
import json
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

import transformers_py
from grid.errors import BadInput
from preprocessing import reading
from preprocessing.errors import BadSource


def run(
    paths: Sequence[Path],
    console: Console,
    *,
    rewrites: str,
    rate: float | None,
    count: int | None,
    seed: int,
    diff: bool,
    out: Path | None,
    report: Path | None,
) -> int:
    """Rewrite all .py files of `paths`. Returns 0, or 1 when some file could not be read or parsed.

    Raises:
        BadInput: no path, unknown rewrites, a bad intensity, or a place that can't be written.
    """
    names = _checked(paths, rewrites, rate, count)
    if rate is None and count is None:
        rate = 1.0
    facts: list[dict[str, Any]] = []
    for root, file in _files(paths):
        fact, text, original = _one(file, names, rate, count, seed)
        facts.append(fact)
        if fact["status"] == "quarantined":
            console.print(f"{file}: {fact['reason']}", style="yellow", markup=False, highlight=False)
            continue
        if out is not None:
            _write(out / file.relative_to(root), text, original)
        if diff or (out is None and report is None):
            _print_diff(console, file, original.text, text)
    if report is not None:
        _save(report, facts)
    statuses = Counter(fact["status"] for fact in facts)
    summary = ", ".join(f"{n} {status}" for status, n in sorted(statuses.items()))
    sites = sum(sum(fact.get("sites", {}).values()) for fact in facts)
    console.print(f"{len(facts)} files: {summary}; {sites} sites", markup=False, highlight=False)
    return 1 if statuses["quarantined"] or statuses["disproved"] else 0


def _checked(paths: Sequence[Path], rewrites: str, rate: float | None, count: int | None) -> list[str]:
    names = [name.strip() for name in rewrites.split(",") if name.strip()]
    problems = []
    if not paths:
        problems.append("name at least one file or folder")
    problems += [f"{path}: no such file or folder" for path in paths if not path.exists()]
    if rate is not None and count is not None:
        problems.append("--rate and --count exclude each other")
    if rate is not None and not 0 <= rate <= 1:
        problems.append(f"--rate {rate:g}: must be from 0 to 1")
    if count is not None and count < 0:
        problems.append(f"--count {count}: must not be negative")
    if not names:
        problems.append(f"--rewrites: name at least one of {', '.join(transformers_py.names())}")
    try:
        transformers_py.check(names)
    except ValueError as error:
        problems.append(f"--rewrites: {error}")
    if problems:
        raise BadInput("\n".join(problems))
    return names


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """(folder that relative names count from, file)."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*.py")):
                if file.is_file():
                    yield path, file
        else:
            yield path.parent, path


class _Original:
    """A file's text, and how its bytes are made of it (`utf-8-sig` writes the BOM back)."""

    def __init__(self, data: bytes) -> None:
        self.text = reading.decode(data)
        self.encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)

    def encode(self, text: str) -> bytes:
        return text.encode(self.encoding)


def _one(
    file: Path, names: Sequence[str], rate: float | None, count: int | None, seed: int
) -> tuple[dict[str, Any], str, _Original]:
    try:
        original = _Original(file.read_bytes())
        done = transformers_py.rewrite(original.text, names, rate=rate, count=count, seed=seed)
    except (OSError, BadSource, transformers_py.Unparseable) as error:
        return {"file": str(file), "status": "quarantined", "reason": str(error)}, "", _Original(b"")
    fact = {
        "file": str(file),
        "status": done.status,
        "sites": dict(done.sites),
        "available": dict(done.available),
        "refusals": dict(done.refusals),
        "chars_before": len(original.text),
        "chars_after": len(done.text),
    }
    if done.problem:
        fact["reason"] = done.problem
    return fact, done.text, original


def _print_diff(console: Console, file: Path, before: str, after: str) -> None:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), str(file), f"{file} (rewritten)", lineterm=""
    )
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        console.print(Text(line, style=styles.get(line[:1], "")), soft_wrap=True)


def _write(target: Path, text: str, original: _Original) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(original.encode(text))
    except OSError as error:
        raise BadInput(f"{target}: can't be written: {error.strerror or error}") from None


def _save(report: Path, facts: Sequence[dict[str, Any]]) -> None:
    try:
        report.write_text(json.dumps({"files": facts}, indent=1), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{report}: can't be written: {error.strerror or error}") from None


def list_rewrites(console: Console) -> None:
    """Print name, what it does, growth, proof and options of every rewrite."""
    import dataclasses

    table = Table(box=None, pad_edge=False)
    table.add_column("rewrite", no_wrap=True)
    for column in ("what it does", "growth", "proof", "options"):
        table.add_column(column)
    for name in transformers_py.names():
        module = transformers_py.lookup(name)
        options = [f"{field.name}={field.default!r}" for field in dataclasses.fields(module.Options)]
        first = (module.__doc__ or "").strip().splitlines()[0]
        row = (name, first, str(module.GROWTH), str(module.PRESERVES), ", ".join(options))
        table.add_row(*map(Text, row))
    console.print(table)
