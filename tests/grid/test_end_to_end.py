"""A miniature grid through all real packages: run, killed at random moments, resumed, compared."""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.grid.conftest import MiniGrid

SECRETS = {"GITHUB_TOKEN": "never-to-be-written-1", "HF_TOKEN": "never-to-be-written-2"}
TABLES = ("cells", "metrics", "samples", "variants", "refusals", "sites", "naturalness")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory, mini_grid: MiniGrid) -> Path:
    return mini_grid(
        tmp_path_factory.mktemp("mini"),
        code=16,
        evaluation={"metrics": ["entropy", "accuracy", "mrr", "f1", "calibration"]},
        axes={
            "rewrites": ["rename", "parens"],
            "intensity": [1.0],
            "train_on": ["original", "original+augmented"],
            "model": ["small", "bigram"],
            "seed": [1],
        },
        exclude=[
            {"rewrites": "parens", "train_on": "original+augmented"},
            {"model": "small", "train_on": "original+augmented"},
        ],
    )


def start(spec: Path, results: Path, *more: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "grid", "run", str(spec), "--results", str(results), "--no-report"]
    return subprocess.Popen(
        [*command, *more], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(spec: Path, results: Path, *more: str, env: dict[str, str] | None = None) -> str:
    process = start(spec, results, *more, env=env)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    return out


def contents(results: Path) -> dict[str, str]:
    """What a reader sees of the tables, without times."""
    import pandas as pd

    found = {}
    for name in TABLES:
        table = pd.read_parquet(results / "mini" / f"{name}.parquet").drop(columns="wall_s", errors="ignore")
        found[name] = hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()
    for file in sorted((results / "mini" / "tokens").iterdir()):
        found[file.name] = hashlib.sha256(pd.read_parquet(file).to_csv().encode()).hexdigest()
    return found


def finished(results: Path) -> dict[str, float]:
    """Artifact → when it was finished."""
    return {
        str(f.parent): json.loads(f.read_text())["finished"]
        for f in results.glob("store/*/*/*/manifest.json")
    }


@pytest.fixture(scope="module")
def whole(spec: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("whole")
    out = finish(spec, results, env={**os.environ, **SECRETS})
    assert "cells: 8 done" in out
    return results


@pytest.mark.parametrize("kills", [1, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_and_resumed_is_the_same(spec: Path, whole: Path, tmp_path: Path, kills: int) -> None:
    """Kills at random moments, in as many grids as it takes: one that has ended is compared."""
    rng, done, grids = random.Random(kills), 0, 0
    while done < kills:
        results = tmp_path / f"results{grids}"
        grids += 1
        ended = False
        while not ended:
            before = finished(results)
            process = start(spec, results)
            try:
                process.communicate(timeout=rng.uniform(0.5, 9) if done < kills else 300)
                assert process.returncode == 0
                ended = True
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                done += 1
            after = finished(results)
            assert {
                k: v for k, v in after.items() if k in before
            } == before  # no finished step was done twice
        assert {Path(k).name for k in after} == {Path(k).name for k in finished(whole)}
        assert contents(results) == contents(whole)
        assert list((results / "store" / "tmp").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 KiB; the whole grid needs more."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs Linux and root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_costs_what_did_not_fit_and_no_more(spec: Path, whole: Path, small_disk: Path) -> None:
    process = start(spec, small_disk)
    out, _ = process.communicate(timeout=300)
    assert process.returncode in (1, 2), out
    assert "No space left on device" in out
    before = finished(small_disk)
    assert 0 < len(before) < len(finished(whole))
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    finish(spec, small_disk)
    after = finished(small_disk)
    assert {k: v for k, v in after.items() if k in before} == before
    assert contents(small_disk) == contents(whole)


def test_a_clock_that_jumps_changes_nothing(
    spec: Path, whole: Path, tmp_path: Path, jumping_clock: dict[str, str]
) -> None:
    hosts = tmp_path / "hosts.yaml"
    hosts.write_text("timeout_s: 240\n")
    results = tmp_path / "results"
    out = finish(spec, results, "--hosts", str(hosts), "--max-hours", "1", env=jumping_clock)
    assert "cells: 8 done" in out
    assert contents(results) == contents(whole)
    assert 0 < json.loads((results / "mini" / "run.json").read_text())["wall_s"] < 300
    logs = [file.read_text() for file in results.glob("mini/logs/*/log.txt")]
    assert [text.count("---") for text in logs] == [1] * len(logs)  # nothing was tried twice
    years = {text[4:8] for text in logs}
    assert len(years) > 1, years  # it did jump


def test_secrets_of_the_environment_are_in_no_file(whole: Path) -> None:
    files = [file for file in whole.rglob("*") if file.is_file()]
    assert any(file.name == "manifest.json" for file in files)
    assert any(file.name == "job.json" for file in files)
    assert [file for file in files if b"never-to-be-written" in file.read_bytes()] == []


def test_a_second_run_does_nothing(spec: Path, whole: Path) -> None:
    before, written = finished(whole), (whole / "mini" / "cells.parquet").stat().st_mtime_ns
    out = finish(spec, whole)
    assert "cells: 8 done" in out
    assert finished(whole) == before
    assert (whole / "mini" / "cells.parquet").stat().st_mtime_ns == written


def test_analysis_reads_the_tables(whole: Path) -> None:
    from analysis.results import Results

    results = Results(whole / "mini")
    assert len(results.done) == 8
    assert results.cells["baseline"].sum() == 2
    names = {"entropy", "accuracy_1", "mrr_10", "f1_subtokens", "confidence", "ece"}
    assert set(results.metrics["metric"]) >= names
    assert set(results.metrics.query("metric == 'ece'")["samples"]) == {"all", "common"}
    assert {"sites", "refusals"} <= set(TABLES)
    assert len(results.scorings) == 8 + 6  # every cell's original text, and the rewritten ones
    assert (results.scorings["searched"] > 0).any()
    assert (results.scorings["cut_off"] == 0).all()
    assert len(results.variants)


def test_naturalness_stands_beside_growth(whole: Path) -> None:
    from analysis.figures.growth import growth_table
    from analysis.results import Results

    results = Results(whole / "mini")
    measured = results.naturalness.merge(results.cells, on="cell")
    rewritten = results.cells[~results.cells["baseline"]]
    assert set(measured["cell"]) == set(rewritten["cell"])
    renames = measured["rewrites"] == "rename"
    assert ((measured["n_renamed"] > 0) == renames).all()
    assert (measured["renamed_bits"].notna() == renames).all()
    assert (measured["inserted_bits"].notna() == ~renames).all()
    assert measured["auc"].between(measured["auc_low"], measured["auc_high"]).all()
    grown = growth_table(results)
    assert len(grown) == 2
    assert grown["auc"].notna().all()


def test_a_grid_that_does_not_measure_naturalness_has_no_such_step(spec: Path) -> None:
    from grid.plan.opening import open_grid

    with_it, without = open_grid(str(spec)), open_grid(str(spec), ["naturalness=false"])
    kinds = [{step.kind for step in grid.plan.steps.values()} for grid in (with_it, without)]
    assert kinds[0] - kinds[1] == {"naturalness"}
    assert without.plan.steps.keys() < with_it.plan.steps.keys()


def test_calibration_is_compared_on_the_samples_that_both_sides_have(whole: Path) -> None:
    from analysis.comparing.comparisons import compare
    from analysis.results import Results

    results = Results(whole / "mini")
    seeds = compare(results, "baseline", metrics=["ece", "accuracy_1_top_50"], resamples=20).seeds
    assert set(seeds["metric"]) == {"ece", "accuracy_1_top_50"}
    metrics = results.metrics.query("samples == 'common'").set_index(["cell", "test", "scope", "metric"])[
        "value"
    ]
    for row in seeds.to_dict("records"):
        value = metrics[row["cell"], "augmented", "aligned", row["metric"]]
        assert row["value"] == pytest.approx(value, abs=1e-9)
        if row["train_on"] == "original":  # then cell and baseline are one model
            reference = metrics[row["cell"], "original", "all", row["metric"]]
            assert row["reference"] == pytest.approx(reference, abs=1e-9)


def test_examples_show_code_of_the_test_split_on_both_sides(whole: Path) -> None:
    import pandas as pd

    cells = pd.read_parquet(whole / "mini" / "cells.parquet").set_index("cell")
    shown = pd.read_parquet(whole / "mini" / "examples.parquet")
    asked = cells.loc[shown["cell"].unique()]
    assert sorted(zip(asked["rewrites"], asked["model"], strict=True)) == [
        (rewrites, model) for rewrites in ("parens", "rename") for model in ("bigram", "small")
    ]
    assert set(asked["train_on"]) == {"original"}
    assert set(shown["choice"]) == {"largest rise", "median", "largest fall"}
    for row in shown.to_dict("records"):
        assert row["original"]["text"] != row["rewritten"]["text"]
        names = [t for t in row["original"]["tokens"] if t["kind"] == 0]
        assert all(row["original"]["text"][t["start"] : t["end"]].isidentifier() for t in names)
        inserted = [t for t in row["rewritten"]["tokens"] if t["change"] == 2]
        assert bool(inserted) == (cells.loc[row["cell"], "rewrites"] == "parens")


def test_jobs_know_their_cells_and_logs(whole: Path) -> None:
    import pandas as pd

    jobs = pd.read_parquet(whole / "mini" / "jobs.parquet").set_index("kind")
    assert len(jobs["cells"]["corpus"]) == 8
    assert (jobs["n_done"] == jobs["n_steps"]).all()
    assert jobs["log"].str.contains("on cpu").all()


def test_another_spec_of_the_same_name_is_refused(spec: Path, whole: Path, tmp_path: Path) -> None:
    other = tmp_path / "mini.yaml"
    other.write_text(spec.read_text().replace("max_steps: 6", "max_steps: 7"))
    process = start(other, whole)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "training.max_steps: 6 there, 7 here" in out
    assert "--results DIR" in out


def test_an_empty_corpus_is_bad_input_and_leaves_nothing(spec: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "grid", "run", str(spec), "--results", str(tmp_path)]
    done = subprocess.run(
        [*command, "--set", "corpus.keep.min_bytes=900000"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "no sample is left" in done.stderr
    assert not (tmp_path / "mini").exists()


def test_a_damaged_artifact_is_made_again(spec: Path, whole: Path) -> None:
    import pyarrow.parquet as pq

    expected = contents(whole)
    corpus = next(whole.glob("store/corpus/*/*/shard-00000.parquet"))
    data = bytearray(corpus.read_bytes())
    data[len(data) // 2] ^= 0xFF
    corpus.write_bytes(data)
    for name in ("variant", "encode"):  # so that somebody reads the corpus again
        for folder in whole.glob(f"store/{name}/*/*"):
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
    finish(spec, whole)
    assert contents(whole) == expected
    assert len(list((whole / "store" / "damaged").iterdir())) == 1
    assert pq.read_table(corpus).num_rows > 0
