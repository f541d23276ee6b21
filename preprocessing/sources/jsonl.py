"""Files of one JSON object per line, plain or gzipped, as CodeSearchNet and The Stack are published."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, cast

from preprocessing.errors import BadInput
from preprocessing.fetching import files, records
from preprocessing.fetching.raw import Excluded, RawFile
from preprocessing.fetching.records import RecordsConfig


class Config(RecordsConfig):
    """`path` may have wildcards; what ends in .gz is unpacked on the way."""

    kind: Literal["jsonl"] = "jsonl"
    path: str


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """One raw file for each line that is not blank."""
    for path in files.matching(config.path, "corpus.source.path"):
        try:
            with _open(path) as file:
                for number, line in enumerate(_lines(file)):
                    if line is None:
                        yield Excluded(project=path.name, path=str(number), reason="too_large")
                    elif line.strip():
                        yield _record(line, config, path.name, number)
        except (OSError, EOFError, zlib.error) as error:
            raise BadInput(f"corpus.source.path: can't read {path}: {error}") from error


def raw_digest(config: Config) -> str:
    """Digest of the files."""
    return files.digest_whole(files.matching(config.path, "corpus.source.path"))


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _lines(file: IO[bytes]) -> Iterator[bytes | None]:
    """Lines; None for one that is longer than any record may be."""
    while line := file.readline(files.MAX_READ_BYTES):
        if len(line) < files.MAX_READ_BYTES or line.endswith(b"\n"):
            yield line
            continue
        while rest := file.readline(files.MAX_READ_BYTES):
            if rest.endswith(b"\n"):
                break
        yield None


def _record(line: bytes, config: Config, where: str, number: int) -> RawFile | Excluded:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Excluded(project=where, path=str(number), reason="bad_record", detail=str(error)[:200])
    return records.raw_file(record, config, where, number)
