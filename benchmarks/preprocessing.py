"""MB/s of each stage of preprocessing on one core against its floor, two processes against one, and memory
by size of the corpus.

    python -m benchmarks.preprocessing [--quick] [--memory | --distinct CORPUS | --near] [--out FILE.json]

The text is the standard library's, or with `--quick` its package `email` only. `--memory` prepares it 1, 4
and 16 times over, each in its own process; `--distinct` prepares a 16th, a quarter and all of a built corpus
(a folder of shards), so that vocabularies grow as they do in life; `--near` measures the index of near
duplicates in bytes per sample. `--out` keeps what the other parts wrote before.
"""

import argparse
import ast
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tokenize
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from preprocessing import encoding, parquet_files, tokenizers
from preprocessing.corpus import building, decoding, duplicates
from preprocessing.corpus.building import CorpusConfig
from preprocessing.corpus.cleaning import CleaningRules, clean
from preprocessing.corpus.duplicates import NearConfig, NearIndex
from preprocessing.fetching.raw import RawFile
from preprocessing.lexer.tokens import TokensConfig, lex, texts
from preprocessing.prepare import PrepareConfig, encode_all, prepare
from preprocessing.sources import directory, stdlib
from preprocessing.tokenizers.bpe import Bpe, Config

REPEATS = 2
COPIES = 8  # of the text for two processes, which take a second to start
TRAIN_BYTES = 16_000_000  # what the tokenizer of distinct text learns from
GOALS = {"encode": 0.7, "two processes": 1.7, "memory": 1.2}


def seconds(work: Callable[[], object]) -> float:
    """The best of some runs, in CPU seconds of this process."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def source_of(quick: bool) -> directory.Config | stdlib.Config:
    """Where the text comes from."""
    if quick:
        return directory.Config(path=str(Path(sysconfig.get_path("stdlib")) / "email"))
    return stdlib.Config()


def read(quick: bool) -> Iterator[RawFile]:
    """The text."""
    where = source_of(quick)
    every = directory.read(where) if isinstance(where, directory.Config) else stdlib.read(where)
    return (file for file in every if isinstance(file, RawFile))


def stages(quick: bool) -> dict[str, Any]:
    """MB/s of each stage and its floor."""
    raw = list(read(quick))
    source = [decoding.decode(file.data) for file in raw]
    megabytes = sum(len(text.encode()) for text in source) / 1e6
    config, near = TokensConfig(), NearConfig()
    cut = [lex(text) for text in source]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("corpus", "tokenizer"):
            (folder / part).mkdir()
        built = CorpusConfig(source=source_of(quick), shards=1)
        building.build(built, folder / "corpus")
        shards = list(building.shard_paths(folder / "corpus"))
        tokenizers.build(Config(), shards, config, folder / "tokenizer")
        trained = tokenizers.load(folder / "tokenizer")
        words = [
            [word + "\0" for word in texts(text, tokens, config)]
            for text, tokens in zip(source, cut, strict=True)
        ]
        library = cast(Bpe, trained)._library
        numbers = iter(range(1000))

        def encode_one() -> None:
            out = folder / f"encoded{next(numbers)}"
            out.mkdir()
            encoding.build(shards[0], folder / "tokenizer", config, out)

        def tokenize_all() -> None:
            for text in source:
                for _ in tokenize.generate_tokens(io.StringIO(text).readline):
                    pass

        def sign_all() -> None:
            for text, tokens in zip(source, cut, strict=True):
                duplicates.signature(text, tokens, near)

        work: dict[str, tuple[str, Callable[[], object]]] = {
            "ast.parse": ("", lambda: [ast.parse(text) for text in source]),
            "compile": ("", lambda: list(map(decoding.check_syntax, source))),
            "tokenize": ("", tokenize_all),
            "tokenizers": ("", lambda: [library.encode_batch_fast(ended) for ended in words]),
            "read": ("", lambda: list(read(quick))),
            "tokens": ("tokenize", lambda: [lex(text) for text in source]),
            "clean (all of it)": ("ast.parse", lambda: [list(clean(file, CleaningRules())) for file in raw]),
            "exact duplicates": ("", lambda: [duplicates.fingerprint(text) for text in source]),
            "near duplicates: signatures": ("tokenize", sign_all),
            "encode (read, cut, write)": ("tokenizers", encode_one),
        }
        speed = {label: megabytes / seconds(one) for label, (_, one) in work.items()}
    print(f"{megabytes:.1f} MB, {len(source)} files, MB/s on one core")
    rows: dict[str, dict[str, Any]] = {}
    for label, (floor, _) in work.items():
        rows[label] = {"mb_per_s": round(speed[label], 1)}
        if floor:
            rows[label] |= {"floor": floor, "times_floor": round(speed[label] / speed[floor], 2)}
        print(
            f"{label:28} {speed[label]:8.1f}"
            + (f"   {speed[label] / speed[floor]:.2f} × {floor}" if floor else "")
        )
    return {"megabytes": round(megabytes, 1), "files": len(source), "stages": rows}


def two_processes(quick: bool) -> dict[str, Any]:
    """Wall seconds of the corpus and of encoding (with lines), with one process and with two."""
    tokens = TokensConfig()
    found: dict[str, dict[str, float]] = {"corpus": {}, "encode": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy(quick, COPIES, folder / "source")
        source = {"kind": "directory", "path": str(folder / "source")}
        fields = {"source": source, "duplicates": "none", "shards": 4 * COPIES, "split": {"by": "file"}}
        for workers in (1, 2):
            out = [folder / f"{part}{workers}" for part in ("corpus", "tokenizer", "encoded", "lines")]
            for one in out:
                one.mkdir()
            start = time.perf_counter()
            building.build(CorpusConfig.model_validate(fields), out[0], workers=workers)
            found["corpus"][str(workers)] = time.perf_counter() - start
            shards = list(building.shard_paths(out[0]))
            if workers == 1:
                tokenizers.build(Config(), shards, tokens, folder / "tokenizer1")
            start = time.perf_counter()
            encode_all(shards, folder / "tokenizer1", tokens, out[2], out[3], workers=workers)
            found["encode"][str(workers)] = time.perf_counter() - start
    for part, walls in found.items():
        print(f"{part}: {walls['1']:.1f} s with one process, {walls['2']:.1f} s with two: "
              f"{walls['1'] / walls['2']:.2f} ×")  # fmt: skip
    return {
        part: {"wall_s": {n: round(wall, 2) for n, wall in walls.items()},
               "speed_up": round(walls["1"] / walls["2"], 2)}
        for part, walls in found.items()
    }  # fmt: skip


def copy(quick: bool, times: int, folder: Path) -> None:
    """Write the text several times over."""
    for number in range(times):
        for file in read(quick):
            if isinstance(file.data, bytes):
                path = folder / f"copy{number}" / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.data)


def memory(quick: bool) -> list[dict[str, float]]:
    """Peak memory of the whole preparation at 1, 4 and 16 times the text."""
    found = []
    for times in (1, 4, 16):
        with tempfile.TemporaryDirectory() as name:
            copy(quick, times, Path(name) / "source")
            found.append(peak(Path(name), shards=4 * times))
    return found


def distinct(shards: Path) -> list[dict[str, float]]:
    """Peak memory of the whole preparation of a 16th, a quarter and all of a corpus."""
    found = []
    for part in (16, 4, 1):
        with tempfile.TemporaryDirectory() as name:
            rows = (row for shard in building.shard_paths(shards) for row in parquet_files.rows(shard))
            for number, row in enumerate(rows):
                if number % part == 0:
                    path = Path(name) / "source" / f"p{number // 1000}" / f"f{number}.py"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(row["text"], encoding="utf-8", newline="")
            found.append(peak(Path(name), shards=max(4, 64 // part), train_bytes=TRAIN_BYTES))
    return found


def peak(folder: Path, *, shards: int, train_bytes: int | None = None) -> dict[str, float]:
    """What preparing folder/source in a process of its own takes."""
    config = PrepareConfig(
        corpus={"duplicates": "none", "shards": shards, "split": {"by": "file"}},
        tokenizer=Config(train_bytes=train_bytes),
    )
    command = [sys.executable, "-m", "benchmarks.preprocessing", "--prepare", str(folder)]
    done = subprocess.run(
        command, input=config.model_dump_json(), check=True, text=True, stdout=subprocess.PIPE
    )
    megabytes = sum(path.stat().st_size for path in (folder / "source").rglob("*.py")) / 1e6
    found = {"megabytes": round(megabytes, 1), **json.loads(done.stdout.splitlines()[-1])}
    print(
        f"{megabytes:6.1f} MB of text: {found['peak_mib']:6.0f} MiB, {found['cpu_s']:6.1f} s CPU", flush=True
    )
    return found


def prepare_here(folder: Path) -> None:
    """Prepare one folder in this process, and print what it took."""
    prepare(folder / "source", folder / "out", PrepareConfig.model_validate_json(sys.stdin.read()))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"peak_mib": used.ru_maxrss // 1024, "cpu_s": round(used.ru_utime + used.ru_stime, 1)}))
    shutil.rmtree(folder / "out")


def near_index(samples: int) -> dict[str, float]:
    """Bytes per sample of the index of near duplicates, for samples that are none."""
    near = NearConfig()
    found = NearIndex(near)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(samples):
        text = "".join(f"a{number}_{n} = {n}\n" for n in range(10))
        found.add(number, duplicates.signature(text, lex(text), near))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    each = (after - before) * 1024 / samples
    print(f"index of near duplicates: {each:,.0f} bytes per sample, {each * 1e6 / 2**30:.1f} GiB per million")
    return {"bytes_per_sample": round(each), "gib_per_million": round(each * 1e6 / 2**30, 2)}


def machine() -> dict[str, object]:
    """What the figures depend on."""
    names = ("tokenizers", "pyarrow", "numpy", "datasketch", "joblib")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": sys.version.split()[0],
        **{name: version(name) for name in names},
    }


def main() -> None:
    """Measure what is asked for, and write it down."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.preprocessing")
    parser.add_argument("--quick", action="store_true", help="the package email only: seconds, to see it run")
    parser.add_argument("--memory", action="store_true", help="peak memory at 1, 4 and 16 times the text")
    parser.add_argument("--distinct", type=Path, metavar="CORPUS", help="the same with distinct text")
    parser.add_argument(
        "--near", action="store_true", help="bytes per sample of the index of near duplicates"
    )
    parser.add_argument("--out", type=Path, help="JSON file to write to")
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.prepare:
        prepare_here(given.prepare)
        return
    if given.memory:
        found: dict[str, Any] = {"memory": memory(given.quick)}
    elif given.distinct:
        found = {"memory of distinct text": distinct(given.distinct)}
    elif given.near:
        found = {"near": near_index(1_000 if given.quick else 20_000)}
    else:
        found = {"speed": stages(given.quick), "two processes": two_processes(given.quick)}
    if given.out:
        before = json.loads(given.out.read_text(encoding="utf-8")) if given.out.exists() else {}
        kept = {"machine": machine(), "goals": GOALS, **before, **found}
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
