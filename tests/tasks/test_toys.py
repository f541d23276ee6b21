"""Two tasks that are a folder each and nothing else: from their spec to figures, tables and notebooks."""

import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest

from tests.tasks import toy_grids
from tests.tasks.toy_grids import KINDS, augrid, start, told, write_code, write_spec

PROBLEMS = """
import json, sys
from pathlib import Path
from grid.plan.opening import open_grid
from preprocessing.errors import BadInput
found = []
for number, text in enumerate(json.load(sys.stdin)):
    Path(sys.argv[1]).write_text(text)
    try:
        found.append([str(len(open_grid(sys.argv[1]).cells.cells))])
    except BadInput as error:
        found.append([str(problem).replace(sys.argv[1], "x.yaml") for problem in error.problems])
print(json.dumps(found))
"""
PLANS = """
import json, sys
from dataclasses import replace
import tasks
from grid.plan.opening import open_grid
def plans():
    grids = [open_grid(spec) for spec in sys.argv[1:]]
    return [{key: [s.kind, s.parameters.get("task")] for key, s in grid.plan.steps.items()} for grid in grids]
before = plans()
toy = tasks.lookup("which_docstring")
toy.DESCRIPTION = replace(toy.DESCRIPTION, version=2)
print(json.dumps([before, plans()]))
"""
MISFITS = [
    (
        "body_length",
        "{kind: frequent}",
        "{kind: gru}",
        "models.by_parameters.kind: 'gru' can't do body_length",
    ),
    (
        "body_length",
        "unit: function",
        "unit: file",
        "corpus.unit: the task body_length needs function; got 'file'",
    ),
    (
        "body_length",
        "[{unused_variable: {names: pseudo, values: mixed}}]",
        "[dead_function]",
        "rewrites.dead[0]: dead_function doesn't fit the task",
    ),
    ("body_length", "task: body_length", "task: body_lenght", "task: no kind 'body_lenght'; did you mean"),
    (
        "body_length",
        "task: body_length",
        "task: {kind: body_length, bin: [2]}",
        "task.bin: no such key; did you",
    ),
    (
        "body_length",
        "axes:",
        "evaluation: {metrics: [x]}\naxes:",
        "evaluation.metrics: no such key; valid: tests, th",
    ),
    (
        "body_length",
        "seed: [1]\n",
        "corpus.unit: [function, file]\n",
        "axes.corpus.unit[1]: corpus.unit: the task",
    ),
    ("body_length", "seed: [1]\n", "task.kind: [body_length]\n", "axes.task.kind: no such axis"),
    (
        "which_docstring",
        "split}",
        "keep}",
        "corpus.functions.docstring: the task which_docstring needs split",
    ),
    (
        "which_docstring",
        "axes:",
        "evaluation: {ties: 0}\naxes:",
        "evaluation.ties: no such key; did you mean 'tie'",
    ),
    (
        "completion",
        "{kind: ngram, order: 2}",
        "{kind: bags}",
        "models.small.kind: 'bags' can't do completion",
    ),
]
"""A task, what is replaced in its spec by what, and what is said of the line where that stands."""
NAMES = {"body_length": "exact", "which_docstring": "mrr"}
TABLES = ("cells", "metrics", "samples", "strata", "variants", "sites")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_code(tmp_path_factory.mktemp("code"))


@pytest.fixture(scope="module")
def results(code: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both grids, run in one store."""
    folder = tmp_path_factory.mktemp("toys")
    for kind in KINDS:
        spec = write_spec(folder, kind, code)
        out = augrid("run", spec, "--results", folder, "--executor", "inprocess", "--no-report")
        assert re.search(r"\b\d+ cells: \d+ done$", out, re.M), out
    return folder


def test_what_does_not_fit_a_task_is_told_with_its_line(code: Path, tmp_path: Path) -> None:
    specs = {kind: write_spec(tmp_path, kind, code).read_text() for kind in (*KINDS, "completion")}
    texts = []
    for kind, old, new, _ in MISFITS:
        assert specs[kind].count(old) == 1, old
        texts.append(specs[kind].replace(old, new))
    found = told(PROBLEMS, tmp_path / "x.yaml", stdin=json.dumps(texts))
    for text, (_, _, new, expected), problems in zip(texts, MISFITS, found, strict=True):
        assert len(problems) == 1, problems
        where, _, message = problems[0].partition(": ")
        assert message.startswith(expected), problems
        line = text.splitlines()[int(where.split(":")[1]) - 1]
        assert line.strip() in new or new in line, (where, new)


def test_an_option_of_a_task_can_be_an_axis(code: Path, tmp_path: Path) -> None:
    text = write_spec(tmp_path, "body_length", code).read_text()
    more = text.replace("seed: [1]", "seed: [1]\n  task.bins: [[2, 5], [3]]")
    assert told(PROBLEMS, tmp_path / "x.yaml", stdin=json.dumps([text, more])) == [["10"], ["20"]]


def test_a_task_is_in_the_keys_of_its_own_steps_alone(code: Path, tmp_path: Path) -> None:
    """Of encode, train and evaluate; corpus, tokenizer and variants are shared by all tasks."""
    specs = [write_spec(tmp_path, kind, code) for kind in (*KINDS, "completion")]
    before, after = told(PLANS, *specs)
    own = [
        {key for key, (kind, _) in plan.items() if kind in ("encode", "train", "evaluate")} for plan in before
    ]
    shared = [set(plan) - keys for plan, keys in zip(before, own, strict=True)]
    assert shared[0] == shared[1] == shared[2] != set()
    assert len(own[0] | own[1] | own[2]) == sum(map(len, own))
    asked = [
        [task for key, (_, task) in plan.items() if key in keys]
        for plan, keys in zip(before, own, strict=True)
    ]
    assert all(task == {"kind": "body_length", "bins": [2, 5, 10, 20], "version": 1} for task in asked[0])
    assert all(task == {"kind": "which_docstring", "version": 1} for task in asked[1])
    assert all(task is None for task in asked[2])
    assert before[0] == after[0]
    assert before[2] == after[2]
    assert set(before[1]) & set(after[1]) == shared[1]
    assert len(after[1]) == len(before[1])


def test_the_tables_hold_its_metrics_and_no_tokens(results: Path) -> None:
    for kind, metric in NAMES.items():
        metrics = pd.read_parquet(results / kind / "metrics.parquet")
        assert metric in set(metrics["metric"])
        assert set(metrics["test"]) == {"original", "augmented"}
        assert not (results / kind / "tokens").exists()
        assert not (results / kind / "examples.parquet").exists()
    lengths = pd.read_parquet(results / "body_length" / "metrics.parquet")
    assert set(lengths["metric"]) == {"exact", "bits", "ece"}
    assert len(pd.read_parquet(results / "body_length" / "strata.parquet"))


def test_the_length_is_that_of_the_original_function(results: Path) -> None:
    """What was inserted is seen, and is not in the answer."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    seen: dict[str, set[int]] = {}
    for file in sorted(results.glob("store/encode/*/*/examples.parquet")):
        for row in pq.read_table(file).to_pylist():
            if "bin" in row:
                found.setdefault(row["sample"], set()).add((row["lines"], row["bin"]))
                seen.setdefault(row["sample"], set()).add(row["names"])
    assert len(found) == 12
    assert all(len(answers) == 1 for answers in found.values())
    assert any(len(names) > 1 for names in seen.values())


def test_what_was_not_rewritten_keeps_its_rank(results: Path) -> None:
    """To the bit, since the pool is that of the original text; what was rewritten moves."""
    renamed = set()
    for file in results.glob("store/variant/*/*/shard.parquet"):
        if "rename_variable" in (file.parent / "manifest.json").read_text():
            rows = pq.read_table(file, columns=["sample", "outcome"]).to_pylist()
            renamed |= {row["sample"] for row in rows if row["outcome"] == "rewritten"}
    cells = pd.read_parquet(results / "which_docstring" / "cells.parquet").set_index("cell")
    samples = pd.read_parquet(results / "which_docstring" / "samples.parquet")
    samples = samples[samples["scope"].eq("all") & ~samples["cell"].map(cells["baseline"])]
    wide = samples.pivot(index=["cell", "sample"], columns="test", values="reciprocal_rank").reset_index()
    same = wide["cell"].map(cells["rewrites"]).eq("rename") & ~wide["sample"].isin(renamed)
    assert same.any()
    assert (wide["original"] == wide["augmented"])[same].all()
    assert (wide["original"] != wide["augmented"])[~same].any()


def test_a_run_that_is_finished_does_nothing_and_says_what_there_is(results: Path, tmp_path: Path) -> None:
    spec = results / "which_docstring.yaml"
    assert "5 cells done" in augrid("status", spec, "--results", results)
    assert re.search(r"^evaluate +\d+ +\d+ +0 ", augrid("plan", spec, "--results", results), re.M)
    augrid("export", spec, tmp_path / "out.csv", "--results", results)
    table = pd.read_csv(tmp_path / "out.csv")
    assert set(table["unit"]) == {"mean reciprocal rank", "share of queries"}
    assert table["n_queries"].gt(0).all()
    out = augrid("compare", results / "body_length", results / "which_docstring")
    assert out.startswith("task: body_length 1 | which_docstring 1\n")


def test_commands_that_a_task_does_not_offer_are_refused_in_one_sentence(code: Path, results: Path) -> None:
    place = f"{code}/project_0/code.py:1:0"
    refused = augrid("complete", place, "--spec", results / "body_length.yaml", "--results", results, code=2)
    expected = "the task body_length can't show what a model expects at a place; completion can"
    assert " ".join(refused.split()).endswith(expected), refused
    for asked in (["by_names", "--spec", results / "body_length.yaml"], ["frequent"]):
        refused = augrid("check-model", *asked, code=2)
        assert " ".join(refused.split()).endswith("the task body_length can't check a model; completion can")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_and_notebooks_speak_of_its_units(kind: str, results: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(results, tmp_path / "copy"))
    augrid("report", copy / f"{kind}.yaml", "--results", copy)
    figures = copy / kind / "figures"
    assert (figures / f"curves-{NAMES[kind]}.pdf").stat().st_size > 5000
    assert (figures / f"table-robustness-{NAMES[kind]}.tex").exists()
    html = (copy / kind / "report.html").read_text()
    for part in (html.partition('<section id="left-out">')[0], html.partition('<section id="methods">')[2]):
        words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", part.partition("<h3>BibTeX")[0], flags=re.S)
        words = words.replace("Growth: tokens of the samples that were kept.", "")
        assert {"body_length": "functions", "which_docstring": "queries"}[kind] in words
        assert not re.search(r"\btokens?\b|(?<!sign )flips|McNemar", words)
    notebooks = [
        "import sys; from analysis.notebooks.execution import main; sys.exit(main(sys.argv[1:]))",
        str(copy / kind),
    ]
    toy_grids.python(*notebooks)
    assert len(list((copy / kind / "notebooks").glob("*.ipynb"))) == 4


def digests(results: Path, kind: str) -> dict[str, str]:
    """What a reader sees of the tables, without times, and the bytes of models."""
    found = {}
    for name in TABLES:
        table = pd.read_parquet(results / kind / f"{name}.parquet").drop(columns="wall_s", errors="ignore")
        found[name] = hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()
    for file in sorted(results.glob("store/train/*/*/model.safetensors")):
        found[file.parent.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def running(results: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter(["cmdline", "status"]):
        alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if alive and str(results) in " ".join(process.info["cmdline"] or ()):
            yield process


def until(happens: Any) -> None:
    """Waits for something that must come soon."""
    for _ in range(6000):
        if happens():
            return
        time.sleep(0.01)
    raise AssertionError(f"never: {happens}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_while_training_and_resumed_is_the_same(kind: str, code: Path, tmp_path: Path) -> None:
    longer: list[Path | str] = [
        "--set",
        "training.max_steps=300",
        "--set",
        "training.checkpoint_s=0",
        "--no-report",
    ]
    alone = ["--set", "axes.train_on=[original]", "--set", "axes.rewrites=[dead]"]
    folders = [tmp_path / name for name in ("whole", "killed")]
    for folder in folders:
        folder.mkdir()
    whole, killed = (["run", write_spec(f, kind, code), "--results", f, *longer, *alone] for f in folders)
    augrid(*whole)
    process, store = start(*killed), folders[1] / "store"
    until(lambda: list(store.glob("scratch/train/*/owner")))
    if kind == "which_docstring":  # the other counts within a moment
        until(lambda: list(store.glob("scratch/train/*/last/state.json")))
    process.kill()
    process.communicate()
    until(lambda: not list(running(folders[1])))
    assert not list(store.glob("train/*/*/manifest.json"))
    augrid(*killed)
    facts = [json.loads(file.read_text())["facts"] for file in store.glob("train/*/*/manifest.json")]
    assert any(fact.get("resumed_at") for fact in facts) == (kind == "which_docstring")
    assert digests(folders[0], kind) == digests(folders[1], kind)


@pytest.mark.slow
def test_two_processes_draw_the_curve_of_one(code: Path, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "which_docstring", code)
    spec.write_text(spec.read_text().replace("seed: [1]", "seed: [1]\n  training.devices: [1, 2]"))
    sets = ["axes.train_on=[original]", "axes.rewrites=[dead]", "models.bags.dropout=0"]
    sets += ["training.learning_rate=0.05"]
    augrid("run", spec, "--results", tmp_path, "--no-report", *(x for s in sets for x in ("--set", s)))
    cells = pd.read_parquet(tmp_path / "which_docstring" / "cells.parquet").set_index("cell")
    training = pd.read_parquet(tmp_path / "which_docstring" / "training.parquet")
    devices = training["cell"].map(cells["training.devices"])
    one, two = (training[devices == n].drop_duplicates("step") for n in ("1", "2"))
    assert one["step"].tolist() == two["step"].tolist() == [5, 10, 15, 20]
    for column in ("train_bits", "valid_bits"):
        assert two[column].tolist() == pytest.approx(one[column].tolist(), abs=1e-5)
    assert one["train_bits"].iloc[-1] < one["train_bits"].iloc[0]
    facts = [json.loads(file.read_text())["facts"] for file in tmp_path.glob("store/train/*/*/manifest.json")]
    assert sorted(fact["devices"] for fact in facts) == [1, 2]
