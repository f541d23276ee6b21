"""What `augrid rewrite` reads and writes: .py files, and JSONL files with a column of code, line by line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from preprocessing.errors import BadInput, suggest

JSONL = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True, kw_only=True)
class File:
    """A file to rewrite; `name` is its path below the folder that was given."""

    path: Path
    name: Path

    @property
    def is_jsonl(self) -> bool:
        """Whether it holds one JSON object a line."""
        return self.path.name.endswith(JSONL)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One program: a whole file, or the line `raw` of a JSONL file."""

    file: File
    line: int = 0
    raw: bytes | None = None

    @property
    def label(self) -> str:
        """Its name for people: file, or file:line."""
        return f"{self.file.path}:{self.line}" if self.line else str(self.file.path)


def files(paths: Sequence[Path]) -> list[File]:
    """All .py files of folders, and files as they are given (.py and JSONL alike)."""
    found = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*.py") if file.is_file())
            found += [File(path=file, name=file.relative_to(path)) for file in inside]
        else:
            found.append(File(path=path, name=Path(path.name)))
    return found


def pieces(found: Sequence[File]) -> Iterator[Piece]:
    """The programs of all files, in order; one line of a JSONL file is in memory at a time.

    Raises:
        BadInput: a JSONL file that can't be read.
    """
    for file in found:
        if not file.is_jsonl:
            yield Piece(file=file)
            continue
        try:
            with _open(file.path, "rb") as stream:
                for number, line in enumerate(stream, 1):
                    yield Piece(file=file, line=number, raw=line)
        except (OSError, EOFError) as error:
            raise BadInput(f"{file.path}: can't be read: {error}") from None


def check_column(found: Sequence[File], column: str) -> list[str]:
    """What is wrong with the JSONL files: problems, by a look at the first line of each."""
    problems = []
    for file in found:
        first = next((piece.raw for piece in pieces([file])), None) if file.is_jsonl else None
        if first is None:
            continue
        try:
            row = json.loads(first)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            problems.append(f"{file.path}:1: not a JSON object")
        elif not isinstance(row.get(column), str):
            texts = [name for name, value in row.items() if isinstance(value, str)]
            problems.append(f"{file.path}: no text in column '{column}' (--column){suggest(column, texts)}")
    return problems


def check_targets(found: Sequence[File], out: Path) -> list[str]:
    """What would go wrong when the files are written below `out`: problems."""
    problems = []
    seen: dict[Path, Path] = {}
    for file in found:
        target = out / file.name
        if target.resolve() == file.path.resolve():
            problems.append(f"{file.path}: --out would write over it; choose another folder")
        elif target in seen:
            problems.append(f"{file.path} and {seen[target]} would both be written to {target}")
        seen[target] = file.path
    return problems


class ResultWriter:
    """Writes rewritten pieces below a folder: whole files, and lines of a JSONL file as they come."""

    def __init__(self, out: Path, stack: ExitStack) -> None:
        self.out, self._stack = out, stack
        self._open: dict[Path, IO[Any]] = {}

    def write(self, file: File, data: bytes) -> None:
        """Raises: BadInput when it can't be written."""
        target = self.out / file.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if not file.is_jsonl:
                target.write_bytes(data)
                return
            if target not in self._open:
                self._open[target] = self._stack.enter_context(_open(target, "wb"))
            self._open[target].write(data)
        except OSError as error:
            raise BadInput(f"{target}: can't be written: {error.strerror or error}") from None


def _open(path: Path, mode: str) -> IO[Any]:
    return gzip.GzipFile(path, mode, mtime=0) if path.name.endswith(".gz") else open(path, mode)  # type: ignore[return-value]
