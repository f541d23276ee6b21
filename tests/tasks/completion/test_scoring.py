"""Scoring test sets of a trained model: tables, facts, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.config import TrainingConfig
from models.encoded import Part
from models.lookup import lookup
from preprocessing.errors import BadInput
from tasks import Test
from tasks.completion import scoring
from tasks.completion.config import Config, Evaluation
from tasks.completion.scoring import SAMPLES, TOKENS
from tasks.fitting import fit

TRAINING = TrainingConfig(batch_tokens=32, window=8, max_steps=10, learning_rate=1e-2, precision="float32")


@pytest.fixture
def model(shard: Path, tokenizer_folder: Path, tmp_path: Path) -> Path:
    out = tmp_path / "model"
    out.mkdir()
    fit(
        task=Config(),
        model=lookup("gru").Config(d_model=16),
        training=TRAINING,
        tokenizer=tokenizer_folder,
        train=[Part(folder=shard)],
        valid=[Part(folder=shard)],
        seed=1,
        out=out,
        report=lambda row: None,
    )
    return out


def scored(model: Path, shard: Path, tokenizer: Path, out: Path, **config: Any) -> dict[str, Any]:
    out.mkdir()
    [facts] = scoring.run(
        model_folder=model,
        tokenizer=tokenizer,
        tests=[Test(parts=[shard], out=out)],
        config=Evaluation(**config),
        report=lambda row: None,
    )
    return facts


def test_tables(model: Path, shard: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    facts = scored(model, shard, tokenizer_folder, tmp_path / "out")
    tokens = pq.read_table(tmp_path / "out/tokens.parquet")
    samples = pq.read_table(tmp_path / "out/samples.parquet")
    assert tokens.schema.equals(TOKENS)
    assert samples.schema.equals(SAMPLES)
    frame = tokens.to_pandas()
    assert facts["tokens"] == len(frame) == 62
    assert facts["samples"] == 3
    assert facts["empty_samples"] == 1
    assert frame["token"].tolist() == [*range(50), *range(12)]
    assert frame["nll_bits"].between(0, 60).all()
    assert frame["rank"].between(0, 10).all()
    totals = samples.to_pandas().query("scope == 'all'")
    assert totals["nll_bits"].sum() == pytest.approx(frame["nll_bits"].sum(), rel=1e-6)
    assert facts["bits_per_token"] == pytest.approx(frame["nll_bits"].mean(), rel=1e-6)
    assert totals["accuracy_1"].sum() == (frame["rank"] == 1).sum()
    assert set(totals["project"]) == {"p1", "p0"}


def test_entropy_alone_has_no_ranks(model: Path, shard: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    scored(model, shard, tokenizer_folder, tmp_path / "full")
    scored(model, shard, tokenizer_folder, tmp_path / "bits", metrics=["entropy"])
    full, bits = (pq.read_table(tmp_path / name / "tokens.parquet") for name in ("full", "bits"))
    assert bits.column("rank").null_count == len(bits)
    np.testing.assert_array_equal(full.column("nll_bits"), bits.column("nll_bits"))
    samples = pq.read_table(tmp_path / "bits/samples.parquet")
    assert samples.column("accuracy_1").null_count == len(samples)


def test_best_tokens_where_they_are_asked_for(
    model: Path, shard: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    scored(model, shard, tokenizer_folder, tmp_path / "plain")
    scored(model, shard, tokenizer_folder, tmp_path / "best", metrics=["f1", "calibration"])
    plain, best = (pq.read_table(tmp_path / name / "tokens.parquet") for name in ("plain", "best"))
    for name in ("best_bits", "f1_shared", "f1_both"):
        assert plain.column(name).null_count == len(plain)
    frame = best.to_pandas()
    assert frame["rank"].tolist() == plain.to_pandas()["rank"].tolist()
    assert (frame["best_bits"] <= frame["nll_bits"] + 1e-4).all()
    right = frame["rank"] == 1
    assert right.any()
    np.testing.assert_allclose(frame["best_bits"][right], frame["nll_bits"][right], atol=1e-4)
    names = frame["kind"] == 0
    assert (frame["f1_both"][names] > 0).all()
    assert (2 * frame["f1_shared"][names & right] == frame["f1_both"][names & right]).all()
    assert (frame["f1_both"][~names] == 0).all()
    totals = pq.read_table(tmp_path / "best/samples.parquet").to_pandas().query("scope == 'all'")
    assert totals["confidence"].sum() == pytest.approx((2.0 ** -frame["best_bits"]).sum(), rel=1e-5)


def test_one_bad_test_set_does_not_stop_the_others(
    model: Path, shard: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    tests = [
        Test(parts=[tmp_path / "nowhere"], out=tmp_path / "a"),
        Test(parts=[shard], out=tmp_path / "b"),
    ]
    bad, good = scoring.run(
        model_folder=model,
        tokenizer=tokenizer_folder,
        tests=tests,
        config=Evaluation(),
        report=lambda row: None,
    )
    assert "nowhere" in bad["error"]
    assert "Traceback" in bad["traceback"]
    assert good["tokens"] == 62


def test_checkpoints_that_do_not_fit_are_refused(
    model: Path, shard: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "model": {"kind": "gru", "d_model": 8}}))
    with pytest.raises(BadInput, match=r"weights of another config: .*embedding\.weight"):
        scored(model, shard, tokenizer_folder, tmp_path / "1")
    (model / "config.json").write_text(json.dumps({**config, "tokenizer_sha256": "0"}))
    with pytest.raises(BadInput, match="another tokenizer"):
        scored(model, shard, tokenizer_folder, tmp_path / "2")
    (model / "config.json").write_text(json.dumps(config))
    (model / "model.safetensors").write_bytes(b"\x80\x04N.")
    with pytest.raises(BadInput, match="safetensors"):
        scored(model, shard, tokenizer_folder, tmp_path / "3")
    (model / "config.json").write_text("{")
    with pytest.raises(BadInput, match=r"config\.json"):
        scored(model, shard, tokenizer_folder, tmp_path / "4")


def test_dynamic_evaluation_learns_within_a_project_and_forgets_after_it(
    model: Path, shard: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    before = (model / "model.safetensors").read_bytes()
    scored(model, shard, tokenizer_folder, tmp_path / "static")
    scored(model, shard, tokenizer_folder, tmp_path / "dynamic", adapt="dynamic")
    static, dynamic = (
        pq.read_table(tmp_path / name / "tokens.parquet").to_pandas() for name in ("static", "dynamic")
    )
    alone = f"{7:016x}"  # the only sample of its project with tokens
    bits = [table["nll_bits"][table["sample"] == alone] for table in (static, dynamic)]
    np.testing.assert_allclose(bits[0], bits[1], atol=1e-4)
    assert (model / "model.safetensors").read_bytes() == before
    tests = [Test(parts=[shard, shard], out=tmp_path / name) for name in ("one", "two")]
    for test in tests:
        test.out.mkdir()
    results = scoring.run(
        model_folder=model,
        tokenizer=tokenizer_folder,
        tests=tests,
        config=Evaluation(adapt="dynamic"),
        report=lambda row: None,
    )
    assert results[0]["bits_per_token"] == results[1]["bits_per_token"]  # nothing stays behind
    twice = pq.read_table(tmp_path / "one/tokens.parquet").to_pandas()
    mine = twice[twice["sample"] == f"{7:016x}"]["nll_bits"].to_numpy()
    assert mine[50:].mean() < mine[:50].mean()  # the second time it knows the file
