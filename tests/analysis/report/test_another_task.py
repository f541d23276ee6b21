"""A results folder of a task that scores functions: nothing in the report speaks of tokens."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.comparing.comparisons import compare
from analysis.comparing.size_rule import sensitivity
from analysis.comparing.two_runs import compare_runs
from analysis.comparing.worst import over_draws
from analysis.notebooks import execution
from analysis.report import page, sentences
from analysis.results import BadResults, Results
from analysis.statistics.descriptions import Description, Scope, SumColumn, Unit
from analysis.statistics.metrics import Metric, Ratio, Worst

EXACT = Metric(
    name="exact",
    label="Exact match",
    unit="share of functions",
    form=Ratio(numerator="exact", denominator="n"),
)
NAMING = Description(
    name="naming",
    version=3,
    unit=Unit(singular="function", plural="functions", count="n"),
    sums=(SumColumn(name="exact"), SumColumn(name="bits")),
    metrics=(
        Metric(
            name="bits",
            label="Bits of the name",
            unit="bits per function",
            form=Ratio(numerator="bits", denominator="n"),
            higher_is_better=False,
            digits=1,
        ),
        EXACT,
        Metric(
            name="worst_exact",
            label="Exact match at worst",
            unit="share of functions",
            form=Worst(numerator="exact", denominator="n"),
        ),
    ),
    scopes=(Scope(name="all", label="functions", rewritten="all"),),
    leads=("exact",),
    validation="1 − exact match",
    pairing="Each function is compared with itself.",
)


@pytest.fixture(scope="module")
def naming(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated grid with each sample as one function, whose name is right if its tokens mostly are."""
    copy = Path(shutil.copytree(folder, tmp_path_factory.mktemp("naming") / "names"))
    shutil.rmtree(copy / "tokens")
    for table in ("examples", "strata"):
        (copy / f"{table}.parquet").unlink()
    run = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(run | {"task": NAMING.plain()}))
    rows = pd.read_parquet(copy / "samples.parquet")
    wanted = rows["scope"].eq(rows["test"].map({"original": "all", "augmented": "aligned"}))
    rows = rows[wanted].assign(scope="all", n=1, bits=rows["nll_bits"])
    rows["exact"] = (rows["accuracy_1"] > 0.36 * rows["n_tokens"]).astype(float)
    kept = ["cell", "test", "sample", "project", "scope", "n", "exact", "bits", "common"]
    rows[kept].to_parquet(copy / "samples.parquet", index=False)
    parts = []
    for which, part in (("all", rows), ("common", rows[rows["common"]])):
        sums = part.groupby(["cell", "test"], sort=False)[["n", "exact", "bits"]].sum().reset_index()
        parts += [
            sums[["cell", "test", "n"]].assign(
                samples=which, scope="all", metric=name, value=sums[name] / sums["n"], n_samples=sums["n"]
            )
            for name in ("exact", "bits")
        ]
    metrics = pd.concat(parts)
    metrics.to_parquet(copy / "metrics.parquet", index=False)
    return copy


def test_report_tables_and_figures_are_about_functions(naming: Path) -> None:
    written = {file.name for file in page.make(naming)}
    assert {"curves-exact.png", "curves-bits.pdf", "table-training-exact.tex", "scatter.csv"} <= written
    assert not {"kinds.png", "curves-entropy.png"} & written
    html = (naming / "report.html").read_text()
    told = html.partition("<body>")[2].partition('<section id="left-out">')[0]
    told = re.sub(r"<[^>]+>", " ", told).replace("Growth: tokens of", "")  # a corpus is counted in tokens
    assert "functions of the common samples" in told.lower()
    assert "Paired differences in Exact match (share of functions; higher is better)" in told
    assert not [line for line in told.splitlines() if re.search(r"\btokens?\b|entropy", line, re.I)]
    assert "Each function is compared with itself." in html
    assert "<h2>Certainty and trends</h2>" in html
    methods = html.partition('<section id="methods">')[2].partition("<details")[0]
    assert "mcnemar1947" not in methods
    assert "Robust drop, robust relative and the worst of several rewrites follow ReCode [wang2022].</p>" in (
        methods
    )


@pytest.mark.slow
def test_notebooks_are_about_functions(naming: Path, tmp_path: Path) -> None:
    """Also where no model reports a learning curve."""
    pytest.importorskip("nbclient")
    copy = Path(shutil.copytree(naming, tmp_path / "copy"))
    training = pd.read_parquet(copy / "training.parquet")
    training.head(0).to_parquet(copy / "training.parquet", index=False)
    told = [json.loads(file.read_text())["cells"] for file in execution.run(copy)]
    outputs = [json.dumps(cell["outputs"]) for cells in told for cell in cells if "outputs" in cell]
    assert len([output for output in outputs if "no tables of tokens" in output]) == 3
    assert len([output for output in outputs if "no training reported a curve" in output]) == 2
    assert len([output for output in outputs if "growth is counted in tokens" in output]) == 1


def test_runs_are_compared_on_the_scope_that_a_task_names_first(naming: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(naming, tmp_path / "copy"))
    run = json.loads((copy / "run.json").read_text())
    whole = Scope(name="whole", label="functions", rewritten="whole")
    (copy / "run.json").write_text(json.dumps(run | {"task": replace(NAMING, scopes=(whole,)).plain()}))
    for name in ("metrics", "samples"):
        rows = pd.read_parquet(copy / f"{name}.parquet").assign(scope="whole")
        rows.to_parquet(copy / f"{name}.parquet", index=False)
    table = compare_runs(Results(naming), Results(copy))
    assert len(table) > 50
    assert (table["difference"] == 0).all()


def test_growth_is_counted_in_tokens(naming: Path) -> None:
    with pytest.raises(BadResults, match="the task naming scores none"):
        sensitivity(Results(naming))


def test_a_gain_over_nothing_is_no_share(naming: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(naming, tmp_path / "copy"))
    rows = pd.read_parquet(copy / "samples.parquet")
    rows["exact"] = rows["test"].eq("augmented").astype(float)
    rows.to_parquet(copy / "samples.parquet", index=False)
    claims = {"primary": {"rewrites": "rename", "intensity": "1", "train_on": "original", "model": "small"}}
    (copy / "run.json").write_text(
        json.dumps(json.loads((copy / "run.json").read_text()) | {"claims": claims})
    )
    results = Results(copy)
    found = {"robustness": compare(results, "robustness", metrics=["exact"], resamples=200)}
    told, _ = sentences.sentences(results, found)
    assert "on the same 58 functions of 58 samples from 12 projects" in told
    assert "rises by 1.000 share of functions, better (95 % interval" in told


def test_functions_at_their_worst_by_hand(naming: Path) -> None:
    results = Results(naming)
    table = over_draws(results, NAMING.by_name["worst_exact"])
    row = table[table["train_on"].eq("original") & table["intensity"].eq("1")].iloc[0]
    assert row["s"] == 3
    samples = results.samples(("all", "all"))
    alike = results.cells[
        results.cells["train_key"].eq(results.cells.set_index("cell").loc[row["cell"], "train_key"])
    ]
    cells = alike.loc[alike["intensity"].eq("1"), "cell"]
    rewritten = samples[samples["test"].eq("augmented") & samples["cell"].isin(cells)]
    wide = rewritten.pivot(index="sample", columns="cell", values="exact").dropna()
    original = samples[samples["test"].eq("original") & samples["cell"].eq(row["cell"])].set_index("sample")[
        "exact"
    ]
    assert row["n"] == len(wide)
    assert row["worst"] == pytest.approx(wide.min(axis=1).mean())
    assert row["original"] == pytest.approx(original.loc[wide.index].mean())
    assert row["robust_relative"] == pytest.approx(
        wide.ne(original.loc[wide.index], axis=0).any(axis=1).mean()
    )
    assert row["low"] <= row["worst"] - row["original"] <= row["high"]


def test_functions_that_count_differently_are_an_error(naming: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(naming, tmp_path / "copy"))
    rows = pd.read_parquet(copy / "samples.parquet")
    rows.loc[rows["test"].eq("augmented").idxmax(), "n"] = 2
    rows.to_parquet(copy / "samples.parquet", index=False)
    with pytest.raises(BadResults, match=r"samples.parquet: n of sample .* differs between"):
        over_draws(Results(copy), NAMING.by_name["worst_exact"])
