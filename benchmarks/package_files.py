"""All rewrites on tens of thousands of files of packages: does one crash, is one disproved, do tokens align?

    python -m benchmarks.package_files --out /somewhere/files.jsonl [--count 3000] [--seed 1] [--minutes 60]

The files are those of configs/corpora/files-20k.yaml, the standard library and 136 pinned packages, before
anything is left out as a duplicate; with --count, that many drawn by the seed. Each is analysed and rewritten
by all rewrites together at rates 1.0 and 0.3, and by one alone, in turn; every variant is proved, and its
tokens aligned. A line of the file for each text, written at once: a run that was killed goes on where it was,
and files that another rewriter has seen are seen again.
"""

import argparse
import heapq
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from ruamel.yaml import YAML

from benchmarks.semantics import rewriter
from preprocessing.fetching.raw import RawFile
from preprocessing.sources import union
from transformers_py import Source, Unparseable, emit, names

CORPUS = Path(__file__).parent.parent / "configs" / "corpora" / "files-20k.yaml"
MIN_BYTES, MAX_BYTES = 100, 200_000

File = tuple[str, str]
"""The name, project and path, of a text, and the text."""


def files(count: int = 0, seed: int = 1) -> Iterator[File]:
    """So many texts, or all (0), in the order in which a seed draws them: a part of a run is a sample."""
    found = _all_files()
    return iter(heapq.nsmallest(count or sys.maxsize, found, key=lambda file: _rank(file[0], seed)))


def _all_files() -> Iterator[File]:
    source = YAML(typ="safe").load(CORPUS.read_text(encoding="utf-8"))["corpus"]["source"]
    for found in union.read(TypeAdapter(union.Config).validate_python(source)):
        if isinstance(found, RawFile) and MIN_BYTES <= len(found.data) <= MAX_BYTES:
            text = found.data if isinstance(found.data, str) else found.data.decode("utf-8", "replace")
            yield f"{found.project}/{found.path}", text


def _rank(name: str, seed: int) -> bytes:
    return sha256(f"{seed}:{name}".encode()).digest()


def examine(name: str, text: str) -> dict[str, Any]:
    """What happened to a text: a status (rewritten, unchanged, unparseable, disproved, crashed, not_aligned),
    the problem if there is one, CPU seconds and the number of sites of all rewrites."""
    start = time.process_time()
    found: dict[str, Any] = {"file": name, "status": "unchanged", "problem": "", "sites": 0}
    alone = names()[_rank(name, 0)[0] % len(names())]
    try:
        source = Source.analyse(text)
        for rewrites, rate in ((list(names()), 1.0), (list(names()), 0.3), ([alone], 1.0)):
            result = emit(source, rewrites, rate=rate, seed=1, key=name)
            found["sites"] = max(found["sites"], sum(result.sites.values()))
            if result.status == "disproved":
                found |= {"status": "disproved", "problem": f"{'+'.join(rewrites)} {rate}: {result.problem}"}
                break
            found["status"] = max(found["status"], result.status, key=("unchanged", "rewritten").index)
            try:
                result.alignment()
            except ValueError as error:
                found |= {"status": "not_aligned", "problem": f"{'+'.join(rewrites)} {rate}: {error}"}
                break
    except Unparseable as error:
        found |= {"status": "unparseable", "problem": error.reason}
    except Exception:
        found |= {"status": "crashed", "problem": traceback.format_exc(limit=-4)}
    return found | {"cpu_s": round(time.process_time() - start, 3)}


BAD = ("disproved", "crashed", "not_aligned")


def run(texts: Iterator[File], out: Path, minutes: float) -> Counter[str]:
    """Examine the texts that the file doesn't have yet, for so many minutes; returns the count by status."""
    mine = rewriter()
    counts: Counter[str] = Counter()
    known: set[str] = set()
    out.parent.mkdir(parents=True, exist_ok=True)
    for line in out.read_text(encoding="utf-8").splitlines() if out.exists() else ():
        row = json.loads(line)
        if row["rewriter"] == mine and row["file"] not in known:
            known.add(row["file"])
            counts[row["status"]] += 1
    until = time.monotonic() + 60 * minutes
    with out.open("a", encoding="utf-8") as stream:
        for name, text in texts:
            if name in known:
                continue
            if time.monotonic() > until:
                break
            row = examine(name, text) | {"rewriter": mine}
            counts[row["status"]] += 1
            stream.write(json.dumps(row) + "\n")
            stream.flush()
            if row["status"] in BAD:
                print(f"{row['status']}  {name}  {row['problem']}", flush=True)
            if sum(counts.values()) % 500 == 0:
                print(f"{sum(counts.values()):,} files: {dict(counts)}", flush=True)
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine, and print how many of each status; 1 if a file crashed, was disproved or didn't align."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="one line of JSON for each file")
    parser.add_argument("--count", type=int, default=0, help="so many files drawn by the seed; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e6)
    options = parser.parse_args(arguments)
    counts = run(files(options.count, options.seed), options.out, options.minutes)
    print(f"{sum(counts.values()):,} files: {dict(counts)}")
    return int(any(counts[status] for status in BAD))


if __name__ == "__main__":
    raise SystemExit(main())
