"""How natural is what each rewrite writes? Each with every option, at one site, at half of all and at all.

    python -m benchmarks.naturalness --json FILE         # goes on where FILE ends; one process
    python -m benchmarks.naturalness --table OLD NEW     # the table of docs/naturalness.md, from two files

The texts are files of packages that are drawn by a seed from configs/corpora/pypi-20k.txt, a few of each.
What is measured stands in models/naturalness: bits of inserted and of renamed tokens under an n-gram model of
the other half of the projects, and the AUC of a classifier that saw neither a text nor its project.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import transformers_py
from grid.steps.variant import subword_counter
from models.naturalness.pairs import Text, pair, tokens_of
from models.naturalness.yardstick import Yardstick
from preprocessing import parquet_files
from preprocessing.corpus import building
from preprocessing.corpus.building import CorpusConfig
from preprocessing.lexer.tokens import SYMBOLS
from preprocessing.tokenizers import bpe
from transformers_py import Source, align, emit

LIST = Path("configs/corpora/pypi-20k.txt")
INTENSITIES: dict[str, dict[str, Any]] = {
    "one site": {"count": 1},
    "0.5": {"rate": 0.5},
    "1.0": {"rate": 1.0},
}
CLOSED = ("world", "documentation")  # of files not everything is at hand that uses their names
Request = str | dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One set of rewrites, and what the table calls it."""

    name: str
    rewrites: list[Request]

    @property
    def versions(self) -> list[Any]:
        """While these stay, so do the texts."""
        return [transformers_py.VERSION, transformers_py.versions(self.rewrites)]


def cases() -> Iterator[Case]:
    """Each rewrite as it is, then with each other value of each of its options, then all together."""
    for name in transformers_py.names():
        yield Case(name=name, rewrites=[name])
        options = transformers_py.lookup(name).Options
        for option, hint in get_type_hints(options).items():
            values = get_args(hint) if get_origin(hint) is Literal else (False, True) if hint is bool else ()
            for value in values:
                one = Case(name=f"{name} {option}={value}", rewrites=[{name: {option: value}}])
                if value != getattr(options(), option) and option not in CLOSED and _stands_alone(one):
                    yield one
    yield Case(name="all together", rewrites=[*transformers_py.names()])


def _stands_alone(case: Case) -> bool:
    """Whether an option's value needs no other option."""
    try:
        return bool(transformers_py.check(case.rewrites))
    except ValueError:
        return False


def drawn(packages: int, files: int, seed: int) -> list[Text]:
    """So many files, or fewer, of each of some packages of the list."""
    lines = [line.partition("#")[0].strip() for line in LIST.read_text(encoding="utf-8").splitlines()]
    chosen = sorted(random.Random(seed).sample([line for line in lines if line], packages))  # noqa: S311
    source = {"kind": "pypi", "packages": chosen, "lock": str(LIST.with_suffix(".lock.json"))}
    keep = {"licenses": "permissive", "min_bytes": 1000, "max_bytes": 20_000}
    config = CorpusConfig.model_validate({"source": source, "keep": keep, "duplicates": "near", "shards": 1})
    with tempfile.TemporaryDirectory() as folder:
        building.build(config, Path(folder))
        rows = [row for path in building.shard_paths(Path(folder)) for row in parquet_files.rows(path)]
    by_project: dict[str, list[Text]] = defaultdict(list)
    for row in sorted(
        rows, key=lambda row: row["sample"]
    ):  # names are digests, so the first are a random sample
        by_project[row["project"]].append(Text(row["sample"], row["project"], row["text"]))
    return [text for project in sorted(by_project) for text in by_project[project][:files]]


def analysed(texts: Sequence[Text]) -> dict[str, Source]:
    """The sources of texts by name; subwords are counted by a tokenizer of these texts."""
    symbols = frozenset(SYMBOLS.values())
    tokens = (token for text in texts for token in tokens_of(text.text) if token not in symbols)
    with tempfile.TemporaryDirectory() as folder:
        bpe.train(bpe.Config(vocab_size=2000), tokens, Path(folder))
        count_subwords = subword_counter(Path(folder))
    return {text.sample: Source.analyse(text.text, count_subwords) for text in texts}


def row(
    case: Case, intensity: str, texts: Sequence[Text], sources: dict[str, Source], yardstick: Yardstick
) -> Any:
    """What is found of one case at one intensity."""
    started = time.process_time()
    pairs, old, new = [], 0, 0
    for text in texts:
        done = emit(sources[text.sample], case.rewrites, **INTENSITIES[intensity], seed=1, key=text.sample)
        if done.status == "rewritten":
            edits = [(edit.start, edit.end, edit.text) for edit in done.edits]
            pairs.append(pair(text, done.text, edits, align))
            old, new = old + len(pairs[-1].original), new + len(pairs[-1].rewritten)
    about = {
        "rewrites": case.name,
        "intensity": intensity,
        "versions": case.versions,
        "growth": new / max(1, old),
    }
    found = asdict(yardstick.measure(pairs))
    return {**about, **found, "cpu_s": round(time.process_time() - started, 2)}


def run(options: argparse.Namespace) -> None:
    """Measure what the file doesn't have yet; it is written after each row."""
    texts = drawn(options.packages, options.files, options.seed)
    corpus = {
        "list": str(LIST),
        "seed": options.seed,
        "projects": len({text.project for text in texts}),
        "files": len(texts),
        "bytes": sum(len(text.text.encode()) for text in texts),
    }
    whole: dict[str, Any] = {"corpus": corpus, "rows": []}
    if options.json.exists():
        whole = json.loads(options.json.read_bytes())
    if whole["corpus"] != corpus:
        raise SystemExit(
            f"{options.json}: measured on {whole['corpus']}, not on {corpus}; choose another file"
        )
    known: dict[tuple[str, str], Any] = {(one["rewrites"], one["intensity"]): one for one in whole["rows"]}
    wanted = [(case, intensity) for case in cases() for intensity in INTENSITIES]
    missing = [
        (case, intensity)
        for case, intensity in wanted
        if known.get((case.name, intensity), {"versions": None})["versions"] != case.versions
    ]
    if missing:
        sources, yardstick = analysed(texts), Yardstick(texts)
    for number, (case, intensity) in enumerate(missing, 1):
        known[case.name, intensity] = one = row(case, intensity, texts, sources, yardstick)
        print(f"{number} of {len(missing)}: {case.name}, {intensity}: {one['cpu_s']} s", flush=True)
        names = [(case.name, intensity) for case, intensity in wanted]
        whole["rows"] = [known[name] for name in names if name in known]
        temporary = options.json.with_suffix(".new")
        temporary.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
        temporary.replace(options.json)


# --- the table ------------------------------------------------------------------------------------


def table(old: Path, new: Path | None = None) -> Iterator[str]:
    """The lines of a Markdown table: each case at each intensity, as it was and as it is now."""
    sides = [json.loads(file.read_bytes())["rows"] if file else [] for file in (old, new)]
    by_case = [{(one["rewrites"], one["intensity"]): one for one in rows} for rows in sides]
    heads = ["rewrites", "sites"]
    for what in ("growth", "AUC", "inserted", "renamed"):
        heads += [f"{what} before", "now"]
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for name, intensity in dict.fromkeys([*by_case[1], *by_case[0]]):
        before, now = (rows.get((name, intensity)) for rows in by_case)
        cells = [f"{one['growth']:.2f}" if one and one["n_texts"] else "" for one in (before, now)]
        cells += [_auc(before), _auc(now)]
        for what in ("inserted_bits", "renamed_bits"):
            cells += [_bits(before, what), _bits(now, what)]
        yield f"| {name} | {intensity} | " + " | ".join(cells) + " |"


def _auc(one: Mapping[str, Any] | None) -> str:
    if one is None or one["auc"] is None:
        return ""
    return f"{one['auc']:.2f} ({one['auc_low']:.2f} to {one['auc_high']:.2f})"


def _bits(one: Mapping[str, Any] | None, what: str) -> str:
    if one is None or one[what] is None:
        return ""
    reference = one["replaced_bits" if what == "renamed_bits" else "original_bits"]
    return f"{one[what]:.1f} / {reference:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="where the rows are kept")
    parser.add_argument("--packages", type=int, default=30)
    parser.add_argument("--files", type=int, default=4, help="at most so many of each package")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", type=Path, nargs="+", metavar="FILE", help="the old file, and the new one")
    options = parser.parse_args()
    if options.table:
        print("\n".join(table(*options.table)))
    elif options.json:
        run(options)
    else:
        parser.error("--json FILE, or --table OLD [NEW]")


if __name__ == "__main__":
    main()
