"""MB/s of each stage of preprocessing on one core against its floor, and memory by size of the corpus.

    python -m benchmarks.preprocessing [--quick] [--memory | --near]

The text is the standard library's, or with `--quick` its package `email` only. `--memory` prepares it 1,
4 and 16 times over, each in its own process; `--near` measures the index of near
duplicates in bytes per sample.
"""

import argparse
import ast
import io
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

from preprocessing import corpus, duplicates, encode, reading, tokenizers
from preprocessing.cleaning import Rules, clean
from preprocessing.corpus import CorpusConfig
from preprocessing.duplicates import NearConfig, NearIndex
from preprocessing.sources import RawFile, directory, stdlib
from preprocessing.tokenizers.bpe import Config
from preprocessing.tokens import TokensConfig, lex, texts

REPEATS = 2


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


def stages(quick: bool) -> None:
    """Print MB/s of each stage."""
    raw = list(read(quick))
    source = [reading.decode(file.data) for file in raw]
    megabytes = sum(len(text.encode()) for text in source) / 1e6
    config, near = TokensConfig(), NearConfig()
    cut = [lex(text) for text in source]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("corpus", "tokenizer"):
            (folder / part).mkdir()
        built = CorpusConfig(source=source_of(quick), shards=1)
        corpus.build(built, folder / "corpus")
        shards = list(corpus.shard_paths(folder / "corpus"))
        tokenizers.build(Config(), shards, config, folder / "tokenizer")
        trained = tokenizers.load(folder / "tokenizer")
        words = [
            [word + "\0" for word in texts(text, tokens, config)]
            for text, tokens in zip(source, cut, strict=True)
        ]
        library = trained._library
        numbers = iter(range(1000))

        def encode_all() -> None:
            out = folder / f"encoded{next(numbers)}"
            out.mkdir()
            encode.build(shards[0], folder / "tokenizer", config, out)

        def tokenize_all() -> None:
            for text in source:
                for _ in tokenize.generate_tokens(io.StringIO(text).readline):
                    pass

        def sign_all() -> None:
            for text, tokens in zip(source, cut, strict=True):
                duplicates.signature(text, tokens, near)

        rows: list[tuple[str, Callable[[], object]]] = [
            ("floor: ast.parse", lambda: [ast.parse(text) for text in source]),
            ("floor: compile", lambda: [reading.check_syntax(text) for text in source]),
            ("floor: tokenize", tokenize_all),
            ("floor: tokenizers", lambda: [library.encode_batch_fast(ended) for ended in words]),
            ("read", lambda: list(read(quick))),
            ("tokens", lambda: [lex(text) for text in source]),
            ("clean (all of it)", lambda: [list(clean(file, Rules())) for file in raw]),
            ("exact duplicates", lambda: [duplicates.fingerprint(text) for text in source]),
            ("near: signatures", sign_all),
            ("encode (read, cut, write)", encode_all),
        ]
        print(f"{megabytes:.1f} MB, {len(source)} files, Python {sys.version.split()[0]}")
        for label, work in rows:
            print(f"{label:26} {megabytes / seconds(work):8.1f} MB/s")
        for workers in (1, 2):
            out = folder / f"workers{workers}"
            out.mkdir()
            start = time.perf_counter()
            corpus.build(built, out, workers=workers)
            speed = megabytes / (time.perf_counter() - start)
            print(f"corpus.build, workers={workers:<4} {speed:8.1f} MB/s (wall)")


def memory(quick: bool) -> None:
    """Print the peak memory of the whole preparation at 1, 4 and 16 times the text."""
    for times in (1, 4, 16):
        with tempfile.TemporaryDirectory() as name:
            for copy in range(times):
                for file in read(quick):
                    if isinstance(file.data, bytes):
                        path = Path(name) / "source" / f"copy{copy}" / file.path
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(file.data)
            command = [
                sys.executable,
                "-m",
                "benchmarks.preprocessing",
                "--prepare",
                name,
                "--times",
                str(times),
            ]
            subprocess.run(command, check=True)


def prepare(folder: Path, times: int) -> None:
    """Prepare one folder in this process, and print what it took."""
    from preprocessing.prepare import PrepareConfig
    from preprocessing.prepare import prepare as run

    config = PrepareConfig(corpus={"duplicates": "none", "shards": 4 * times, "split": {"by": "file"}})
    start = time.perf_counter()
    run(folder / "source", folder / "out", config)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{times:3} × the text: {peak:6.0f} MiB, {time.perf_counter() - start:6.1f} s", flush=True)


def index(samples: int) -> None:
    """Print bytes per sample of the index of near duplicates, for samples that are none."""
    near = NearConfig()
    found = NearIndex(near)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(samples):
        text = "".join(f"a{number}_{n} = {n}\n" for n in range(10))
        found.add(number, duplicates.signature(text, lex(text), near))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"index of near duplicates: {(after - before) * 1024 / samples:,.0f} bytes per sample")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.preprocessing")
    parser.add_argument("--quick", action="store_true", help="the package email only: seconds, to see it run")
    parser.add_argument("--memory", action="store_true", help="peak memory at 1, 4 and 16 times the text")
    parser.add_argument(
        "--near", action="store_true", help="bytes per sample of the index of near duplicates"
    )
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--times", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.prepare:
        prepare(given.prepare, given.times)
    elif given.memory:
        memory(given.quick)
    elif given.near:
        index(1_000 if given.quick else 20_000)
    else:
        stages(given.quick)
