"""The options of a spec in many tiny grids, in which all pairs of options meet: each to its report."""

import csv
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from analysis.report import page
from grid.commands.run import DONE, Run
from grid.executors import inprocess
from grid.hosts import Hosts
from grid.plan import jobs
from grid.plan.opening import open_grid
from preprocessing.sources import stdlib
from tests.grid.pairwise import Row, covering
from transformers_py import names, touches

CODE = Path(__file__).with_name("code.txt")
SPLITS = {
    "anchor": "train",
    "basin": "train",
    "cedar": "valid",
    "delta": "valid",
    "ember": "test",
    "fjord": "test",
}
DATES = {project: f"202{n}-05-06T07:08:09+00:00" for n, project in enumerate(SPLITS)}
BASE: dict[str, Any] = {
    "corpus.keep": {"min_bytes": 100},
    "corpus.shards": 2,
    "training": {"batch_tokens": 64, "window": 16, "max_steps": 3, "validate_every": 2, "valid_tokens": 200},
    "evaluation.max_expansions": 20,
}
_DIRECTORY = {"kind": "directory", "path": "FOLDER/code", "license": "MIT"}
_ZIP = {"kind": "archive", "path": "FOLDER/code.zip", "license": "MIT"}
_JSONL = {"kind": "jsonl", "path": "FOLDER/code.jsonl"}
SOURCES: dict[str, list[dict[str, Any]]] = {
    "stdlib": [{"kind": "stdlib"}, {"kind": "stdlib"}],
    "directory": [_DIRECTORY, {**_DIRECTORY, "project": "parent"}],
    "archive": [_ZIP, {**_ZIP, "path": "FOLDER/code.tar.gz"}],
    "jsonl": [
        _JSONL,
        {"kind": "jsonl", "path": "FOLDER/search.jsonl.gz", "preset": "codesearchnet", "license": "MIT"},
    ],
    "parquet": [
        {"kind": "parquet", "path": "FOLDER/code.parquet"},
        {"kind": "parquet", "path": "FOLDER/stack.parquet", "preset": "the_stack"},
    ],
    "git": [
        {
            "kind": "git",
            "repositories": [
                {"path": f"FOLDER/repositories/{project}", "license": "MIT", "commit": commit}
                for project in SPLITS
            ],
        }
        for commit in ("HEAD", "v1")
    ],
    "huggingface": [
        {"kind": "huggingface", "path": "FOLDER/dataset"},
        {"kind": "huggingface", "path": "FOLDER/datasets"},
    ],
    "union": [
        {"kind": "union", "sources": [{"kind": "stdlib", "projects": "modules"}, _DIRECTORY]},
        {"kind": "union", "sources": [_ZIP, _JSONL]},
    ],
}
MODELS: dict[str, list[dict[str, Any]]] = {
    "gru": [
        {"kind": "gru", "d_model": 8},
        {"kind": "gru", "d_model": 8, "layers": 2, "dropout": 0.3, "tied": True},
    ],
    "gpt": [
        {"kind": "gpt", "d_model": 8, "layers": 1, "heads": 2},
        {
            "kind": "gpt",
            "d_model": 8,
            "layers": 2,
            "heads": 1,
            "context": 32,
            "min_context": 8,
            "dropout": 0.1,
        },
    ],
    "ngram": [
        {"kind": "ngram", "order": 3, "smoothing": "kneser_ney"},
        {"kind": "ngram", "order": 4, "cache": "file", "cache_strength": 2},
    ],
    "pretrained": [
        {"kind": "huggingface", "path": "FOLDER/model", "context": 32},
        {"kind": "huggingface", "path": "FOLDER/model", "context": 16, "min_context": 4, "max_expansions": 3},
    ],
    "fine-tuned": [
        {"kind": "huggingface", "path": "FOLDER/model", "context": 32, "fine_tune": True},
        {"kind": "huggingface", "path": "FOLDER/model", "context": 8, "min_context": 7, "fine_tune": True},
    ],
}
REWRITES: dict[str, list[dict[str, list[Any]]]] = {
    "names": [
        {
            "s": [
                "rename_variable",
                {"rename_parameter": {"style": "swap", "private": True}},
                {"rename_function": {"style": "random", "private": True}},
            ]
        },
        {
            "s": [
                {"rename_variable": {"style": "keep_tokens"}},
                {"rename_parameter": {"style": "generic"}},
                {"rename_function": {"style": "keep_tokens"}},
            ]
        },
    ],
    "dead code": [
        {"s": ["dead_branch", "dead_function", "unreachable_code", "unused_variable"]},
        {
            "s": [
                {"dead_branch": {"body": "pass", "style": "while_false"}},
                {"dead_function": {"where": "any", "body": "long"}},
                {"unreachable_code": {"body": "pass"}},
                {"unused_variable": {"names": "random", "values": "list"}},
            ]
        },
    ],
    "values": [
        {
            "s": [
                "add_neutral",
                "lambda_identity",
                "double_negation",
                "conditional_identity",
                "annotate_local",
            ]
        },
        {
            "s": [
                {"add_neutral": {"types": "strings", "operator": "add"}},
                {"lambda_identity": {"nested": True, "style": "constant"}},
                {"double_negation": {"operands": False}},
                {"conditional_identity": {"side": "second", "nested": True}},
                {"annotate_local": {"other": "object"}},
            ]
        },
    ],
    "layout": [
        {"s": ["parentheses", "trailing_comma", "split_line", "blank_lines"]},
        {
            "s": [
                {"parentheses": {"nested": True}},
                {"trailing_comma": {"brackets": "multiline"}},
                {"split_line": {"at": "commas", "min_items": 1}},
                {"blank_lines": {"lines": 3}},
            ]
        },
    ],
    "lines": [
        {"s": ["no_op", "if_true"], "t": ["add_comment"]},
        {
            "s": [{"no_op": {"style": "mixed"}}, {"if_true": {"wrap": "compound", "style": "if_one"}}],
            "t": [{"add_comment": {"position": "above", "words": "generic"}}, "dead_branch"],
        },
    ],
    "all": [{"s": list(names())}, {"s": list(reversed(names()))}],
}
FACTORS: dict[str, dict[str, dict[str, Any]]] = {
    "unit": {
        "file": {},
        "function": {"corpus.unit": "function", "corpus.keep.min_bytes": 60},
        "without docstrings": {"corpus.unit": "function", "corpus.functions.docstring": "split"},
        "no methods": {"corpus.unit": "function", "corpus.functions.methods": False},
    },
    "source": {name: {} for name in SOURCES},  # in two forms
    "form": {"one": {}, "other": {}},
    "keep": {
        "all": {},
        "few": {"corpus.keep.max_samples": 24},
        "permissive": {"corpus.keep.licenses": "permissive"},
        "short": {"corpus.keep.max_tokens": 200, "corpus.keep.max_line_chars": 90},
        "generated": {"corpus.keep.generated": True, "corpus.keep.max_mean_line_chars": None},
    },
    "duplicates": {
        "none": {"corpus.duplicates": "none"},
        "exact": {"corpus.duplicates": "exact"},
        "near": {"corpus.duplicates": "near", "corpus.near.shingle": 3},
        "near together": {
            "corpus.duplicates": "near",
            "corpus.near": {"clusters": "together", "threshold": 0.7},
        },
    },
    "split": {
        "project": {"corpus.split": {"by": "project", "train": 0.5, "valid": 0.2, "test": 0.3}},
        "file": {"corpus.split": {"by": "file", "train": 0.5, "valid": 0.2, "test": 0.3, "seed": 7}},
        "time": {"corpus.split": {"by": "time", "train": 0.5, "valid": 0.2, "test": 0.3}},
        "given": {"corpus.split": {"by": "given"}},  # by the source, or by splits.csv
    },
    "shards": {"two": {}, "one": {"corpus.shards": 1}, "more than samples": {"corpus.shards": 40}},
    "comments": {"drop": {}, "keep": {"tokens.comments": "keep"}},
    "strings": {
        "short": {},
        "empty": {"tokens.max_string_chars": 0},
        "whole": {"tokens.max_string_chars": None},
    },
    "size": {
        "no rule": {},
        "small alone": {"size.augment_only.max_tokens": 120},
        "no growth": {"size.throw_out.max_growth": "GROWTH"},
        "original instead": {"size.throw_out": {"max_growth": "GROWTH", "then": "keep_original"}},
        "subwords": {"size": {"augment_only": {"max_subwords": 450}, "throw_out": {"max_subwords": 3000}}},
        "bytes": {"size": {"augment_only": {"max_bytes": 700}, "throw_out": {"max_bytes": 2500}}},
    },
    "tokenizer": {
        "bpe": {"tokenizer": {"kind": "bpe", "vocab_size": 300}},
        "bpe of a part": {"tokenizer": {"kind": "bpe", "vocab_size": 270, "train_bytes": 1500}},
        "subtoken": {"tokenizer": {"kind": "subtoken", "vocab_size": 500, "min_count": 1}},
        "small subtoken": {"tokenizer": {"kind": "subtoken", "vocab_size": 60}},
        "huggingface": {"tokenizer": {"kind": "huggingface", "path": "FOLDER/model"}},
    },
    "model": {name: {} for name in MODELS},  # in two builds
    "build": {"one": {}, "other": {}},
    "rewrites": {name: {} for name in REWRITES},  # in two styles
    "style": {"one": {}, "other": {}},
    "intensity": {
        "all": {"axes.intensity": [1.0]},
        "some": {"axes.intensity": [0.3]},
        "two sites": {"axes.intensity": [{"count": 2}]},
        "both": {"axes.intensity": [0.5, {"count": 9}]},
    },
    "train_on": {
        "original": {"axes.train_on": ["original"]},
        "augmented": {"axes.train_on": ["augmented"]},
        "mixed": {"axes.train_on": ["original+augmented"]},
        "both": {"axes.train_on": ["original", "augmented"]},
    },
    "tests": {
        "both": {"evaluation.tests": ["original", "augmented"]},
        "original": {"evaluation.tests": ["original"]},
        "augmented": {"evaluation.tests": ["augmented"]},
        "another draw": {"axes.test_on": ["same", {"rewriting_seed": 7}]},
        "another set": {"axes.test_on": ["original", {"set": "s", "intensity": 0.9}]},
    },
    "metrics": {
        "usual": {},
        "entropy": {"evaluation.metrics": ["entropy"]},
        "accuracy": {"evaluation.metrics": ["accuracy"]},
        "f1": {"evaluation.metrics": ["f1", "entropy"]},
        "all": {"evaluation.metrics": ["entropy", "accuracy", "mrr", "f1", "calibration"]},
    },
    "reading": {
        "plain": {},
        "adapting": {"evaluation.adapt": "dynamic", "evaluation.adapt_rate": 0.1},
        "narrow": {"evaluation.rows": 2, "evaluation.window": 8},
    },
    "training": {
        "plain": {},
        "pieces": {"training.micro_batches": 2, "training.early_stop": None, "training.valid_tokens": None},
        "stopping": {
            "training.early_stop": {"patience": 1, "min_delta_bits": 9},
            "training.validate_every": 1,
        },
        "draws": {"training.draws": 2, "training.budget": {"kind": "steps", "amount": 4}},
        "originals": {"training.budget": {"kind": "original_tokens", "amount": 200}},
        "events": {"training.tensorboard": True, "training.warmup": 0, "training.final_learning_rate": 1},
    },
    "axis": {
        "none": {},
        "seeds": {"axes.seed": [1, 2]},
        "draws": {"axes.rewriting_seed": [1, 2]},
        "field": {"axes": {"training.learning_rate": [0.001, 0.003]}},
        "corpora": {"axes": {"corpus.split.seed": [1, 2]}},
    },
}
GROWTH = {"names": 1, "dead code": 4, "values": 2.5, "layout": 1.5, "lines": 1.5, "all": 6}
"""About half of the samples grow by more when all of their sites are rewritten."""
_NOT_PROSE = re.compile(r"<(script|style|pre|code|svg)\b.*?</\1>|<[^>]*>", re.DOTALL)
PRETRAINED = ("pretrained", "fine-tuned")
DATED = {
    ("jsonl", "one"),
    *((name, form) for name in ("parquet", "git", "huggingface") for form in FACTORS["form"]),
}
GIVEN = {
    ("jsonl", "one"),
    ("jsonl", "other"),
    ("parquet", "one"),
    ("huggingface", "one"),
    ("huggingface", "other"),
}
"""Sources, in one form or the other, with dates and with splits."""


def fits(row: Row) -> bool:
    """What a spec has to hold to; what isn't in the row is no problem."""
    split = row.get("split")
    if row.get("model") in PRETRAINED and row.get("tokenizer", "huggingface") != "huggingface":
        return False
    if row.get("axis") == "corpora" and split in ("time", "given"):
        return False  # a seed that means nothing there
    if row.get("training") == "originals" and row.get("train_on") in ("augmented", "both"):
        return False  # where no original is read
    sources, forms = ([row[name]] if name in row else FACTORS[name] for name in ("source", "form"))
    of = {(one, form) for one in sources for form in forms}
    return split != "time" or bool(of & DATED)


@cache
def rows() -> list[Row]:
    return covering({name: list(values) for name, values in FACTORS.items()}, fits, seed=14)


N_GRIDS = 66


def test_all_pairs_of_options_that_go_together_are_covered() -> None:
    assert len(rows()) == N_GRIDS
    assert all(fits(row) for row in rows())
    covered = {frozenset(pair) for row in rows() for pair in combinations(row.items(), 2)}
    for a, b in combinations(FACTORS, 2):
        for x in FACTORS[a]:
            for y in FACTORS[b]:
                assert (frozenset([(a, x), (b, y)]) in covered) == fits({a: x, b: y}), (a, x, b, y)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The code as all kinds of sources, a pretrained model, and one store for all grids."""
    root = tmp_path_factory.mktemp("options")
    make_sources(root)
    make_model(root / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stdlib, "_root", lambda: root / "code")  # to cut the real one into functions takes long
        yield root


def files() -> dict[str, bytes]:
    """Path → content of the frozen code."""
    found = {}
    for part in CODE.read_text(encoding="utf-8").split("=== ")[1:]:
        head, _, text = part.partition("\n")
        path, _, how = head.partition(" ")
        text = text.replace("\n", "\r\n") if how == "crlf" else text
        found[path] = (text.rstrip("\n") if how == "open" else text).encode()
    return found


def make_sources(root: Path) -> None:
    code = files()
    for path, data in code.items():
        for top in ("code", "repositories"):
            (root / top / path).parent.mkdir(parents=True, exist_ok=True)
            (root / top / path).write_bytes(data)
    with (
        tarfile.open(root / "code.tar.gz", "w:gz") as tar,
        zipfile.ZipFile(root / "code.zip", "w") as archive,
    ):
        for path, data in code.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
            archive.writestr(path, data)
    records = [
        {"text": data.decode(), "project": (project := path.split("/")[0]), "path": path, "license": "MIT"}
        | {"date": DATES[project], "split": SPLITS[project]}
        for path, data in code.items()
    ]
    (root / "code.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    with gzip.open(root / "search.jsonl.gz", "wt", encoding="utf-8") as file:
        for record in records:
            repo = {"original_string": record["text"], "repo": record["project"], "path": record["path"]}
            file.write(json.dumps(repo | {"partition": record["split"]}) + "\n")
    pq.write_table(pa.Table.from_pylist(records), root / "code.parquet")
    stack = [
        {
            "content": record["text"],
            "max_stars_repo_name": record["project"],
            "max_stars_repo_path": record["path"],
            "max_stars_repo_licenses": ["MIT", "Apache-2.0"],
            "max_stars_repo_stars_event_min_datetime": record["date"],
        }
        for record in records
    ]
    pq.write_table(pa.Table.from_pylist(stack), root / "stack.parquet")
    datasets = pytest.importorskip("datasets", reason="needs the extra huggingface")
    datasets.disable_progress_bars()
    datasets.Dataset.from_list(records).save_to_disk(root / "dataset")
    parts = {
        name: datasets.Dataset.from_list([record for record in records if record["split"] == split])
        for name, split in (("train", "train"), ("validation", "valid"), ("test", "test"))
    }
    datasets.DatasetDict(parts).save_to_disk(root / "datasets")
    for project in SPLITS:
        commit(root / "repositories" / project, DATES[project])
    with (root / "splits.csv").open("w", newline="") as table:
        csv.writer(table).writerows([("project", "split"), *SPLITS.items()])


def commit(folder: Path, date: str) -> None:
    who = {f"GIT_{role}_{what}": "a" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = os.environ | who | {"GIT_COMMITTER_DATE": date, "GIT_CONFIG_GLOBAL": "/dev/null"}
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"], ["tag", "v1"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, env=environment)


def make_model(folder: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="needs the extra huggingface")
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers

    alphabet = ["<|endoftext|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    library = Tokenizer(models.BPE({word: i for i, word in enumerate(alphabet)}, []))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    folder.mkdir()
    library.save(str(folder / "tokenizer.json"))
    sizes = {"n_positions": 32, "n_embd": 8, "n_layer": 1, "n_head": 1, "vocab_size": 257}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)
        transformers.GPT2LMHeadModel(config).save_pretrained(folder)


def spec_of(number: int, folder: Path) -> dict[str, Any]:
    """The spec of a row, as it would be written."""
    row = rows()[number]
    spec: dict[str, Any] = {"name": f"options-{number:02}"}
    patches = [BASE, *(values[row[name]] for name, values in FACTORS.items())]
    patches += [{"corpus.source": SOURCES[row["source"]][row["form"] == "other"]}]
    patches += [{"models.m": MODELS[row["model"]][row["build"] == "other"]}]
    if row["split"] == "given" and (row["source"], row["form"]) not in GIVEN:
        patches += [{"corpus.split.file": "FOLDER/splits.csv"}]
    sets = REWRITES[row["rewrites"]][row["style"] == "other"]
    seen = {name: [one for one in entries if _is_seen(one, row)] for name, entries in sets.items()}
    patches += [{"rewrites": {name: entries for name, entries in seen.items() if entries}}]
    for path, value in ((path, value) for patch in patches for path, value in patch.items()):
        text = json.dumps(value).replace('"GROWTH"', str(GROWTH[row["rewrites"]]))
        value = json.loads(text.replace("FOLDER", str(folder)))
        if path == "axes":  # names of axes have dots
            spec.setdefault("axes", {}).update(value)
        else:
            *above, last = path.split(".")
            node = spec
            for name in above:
                node = node.setdefault(name, {})
            node[last] = value
    return spec


def _is_seen(entry: Any, row: Row) -> bool:
    """Whether a model of this row sees what a rewrite does; `validate` refuses the others."""
    [name] = entry if isinstance(entry, dict) else [entry]
    running = row["tokenizer"] == "huggingface"
    return {"tokens": True, "comments": row["comments"] == "keep", "layout": running}[touches(name)]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(N_GRIDS))
def test_a_grid_of_these_options_runs_to_its_report(number: int, folder: Path) -> None:
    spec = folder / f"options-{number:02}.yaml"
    spec.write_text(json.dumps(spec_of(number, folder), indent=1))
    print(rows()[number])
    grid, out = open_grid(str(spec)), io.StringIO()
    executor, slots = inprocess.make(Hosts())
    results = folder / "results" / grid.spec.name
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        run = Run(
            grid=grid,
            root=folder / "results",
            slots=slots,
            executor=executor,
            console=Console(file=out, width=200),
            report=False,
        )
        assert run.run() == DONE, out.getvalue()
        page.make(results)
    cells = pd.read_parquet(results / "cells.parquet")
    assert set(cells["status"]) == {"done"}
    assert not jobs.state(grid.plan, run.store).missing
    told = _NOT_PROSE.sub(" ", (results / "report.html").read_text())
    assert not re.findall(r".*\b(?:nan|inf|NaN|None)\b.*", told)
    metrics = pd.read_parquet(results / "metrics.parquet")
    common = metrics[metrics["samples"] == "common"].set_index(["cell", "metric"])
    before = common[(common["test"] == "original") & (common["scope"] == "all")]["n_tokens"]
    after = common[(common["test"] == "augmented") & (common["scope"] == "aligned")]["n_tokens"]
    both = before.index.intersection(after.index)
    assert (before[both] == after[both]).all()
    if spec_of(number, folder)["evaluation"].get("tests", [1, 2]) == ["original", "augmented"]:
        assert len(both)
    shutil.rmtree(results / "figures")
