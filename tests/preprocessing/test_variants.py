from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from preprocessing import tokenizers, variants
from preprocessing.corpus import building
from preprocessing.errors import BadInput, BadSource
from preprocessing.lexer.tokens import TokensConfig
from preprocessing.size import SizeRule
from preprocessing.tokenizers.bpe import Config
from preprocessing.variants import Emit, Emitted, Intensity, VariantRequest


class Analyst:
    """Knows one rewrite, `longer`: append as many lines as the intensity's count says; and some that fail."""

    def __init__(self) -> None:
        self.analysed: list[str] = []

    def __call__(self, text: str, key: str) -> Emit:
        self.analysed.append(key)
        if "f2" in text:
            raise BadSource("unparseable", "a test")

        def emit(request: VariantRequest) -> Emitted:
            (rewrite,) = request.rewrites
            if rewrite == "broken":
                raise RuntimeError("a bug")
            if rewrite == "never" or "f1" in text:
                return Emitted(text=text, edits=(), status="disproved", refusals={f"{rewrite}:eval": 2})
            added = "pass\n" * (request.intensity.count or 0)
            return Emitted(
                text=text + added,
                edits=[(len(text), len(text), added)],
                status="rewritten",
                sites={rewrite: 1},
                available={rewrite: 3},
            )

        return emit


def request(rewrite: str, count: int = 1, **size: Any) -> VariantRequest:
    rule = SizeRule.model_validate(size)
    return VariantRequest(rewrites=(rewrite,), intensity=Intensity(count=count), seed=1, size=rule)


def make(shard: Path, requests: list[VariantRequest], out: Path, analyst: Analyst) -> list[Any]:
    outs = [out / f"variant{number}" for number in range(len(requests))]
    for folder in outs:
        folder.mkdir()
    results = variants.build(shard, requests, outs, analyst, TokensConfig())
    tables = [pq.read_table(folder / "shard.parquet").to_pylist() for folder in outs]
    return list(zip(results, tables, strict=True))


@pytest.fixture
def shard(small_corpus: Path) -> Path:
    return next(building.shard_paths(small_corpus))


def test_all_variants_from_one_analysis(shard: Path, tmp_path: Path) -> None:
    analyst = Analyst()
    originals = pq.read_table(shard).to_pylist()
    made = make(shard, [request("longer"), request("longer", 20), request("never")], tmp_path, analyst)
    assert analyst.analysed == [row["sha256"] for row in originals]
    for _, rows in made:
        assert [row["sample"] for row in rows] == [row["sample"] for row in originals]
    for original, row in zip(originals, made[0][1], strict=True):
        expected = {
            "0": ("rewritten", ""),
            "1": ("unchanged", "disproved"),
            "2": ("unchanged", "unparseable"),
        }
        assert (row["outcome"], row["reason"]) == expected[original["path"][-4]]
        rewritten = row["outcome"] == "rewritten"
        assert row["text"] == original["text"] + ("pass\n" if rewritten else "")
        assert row["n_tokens"] - row["n_tokens_original"] == (2 if rewritten else 0)
        assert row["n_bytes"] - row["n_bytes_original"] == (5 if rewritten else 0)
        assert len(row["edits"]) == rewritten


def test_facts_count_everything(shard: Path, tmp_path: Path) -> None:
    ((facts, rows),) = make(shard, [request("longer")], tmp_path, Analyst())
    assert sum(group["n_samples"] for group in facts["groups"]) == len(rows)
    assert sum(group["n_tokens"] for group in facts["groups"]) == sum(row["n_tokens"] for row in rows)
    taken = sum(row["outcome"] == "rewritten" for row in rows)
    assert facts["sites"] == {"longer": taken}
    assert facts["available"] == {"longer": 3 * taken}
    assert facts["refusals"]["longer:eval"] == 2 * sum(row["reason"] == "disproved" for row in rows)


def test_size_rule(shard: Path, tmp_path: Path) -> None:
    requests = [
        request("longer", augment_only={"max_tokens": 3}),
        request("longer", 20, throw_out={"max_growth": 1.5}),
        request("longer", throw_out={"max_tokens": 3}),
    ]
    (_, small), (facts, grown), (_, none) = make(shard, requests, tmp_path, Analyst())
    assert {(row["outcome"], row["reason"]) for row in small} == {("not_augmented", "max_tokens")}
    assert all(row["text"] for row in small)
    thrown = [row for row in grown if row["outcome"] == "thrown_out"]
    assert {row["reason"] for row in thrown} == {"max_growth"}
    assert all(row["text"] is None and row["n_tokens"] > row["n_tokens_original"] for row in thrown)
    assert 0 < len(thrown) < len(grown)
    assert "longer" not in facts["sites"]
    assert {row["outcome"] for row in none} == {"thrown_out"}


def test_too_large_may_mean_original(shard: Path, tmp_path: Path) -> None:
    rule = {"max_growth": 1.5, "then": "keep_original"}
    ((facts, rows),) = make(shard, [request("longer", 20, throw_out=rule)], tmp_path, Analyst())
    originals = [row["text"] for row in pq.read_table(shard).to_pylist()]
    kept = [row for row in rows if row["reason"] == "max_growth"]
    assert kept
    assert {row["outcome"] for row in rows} == {"unchanged"}
    assert [row["text"] for row in rows] == originals
    assert all(not row["edits"] and row["n_tokens"] == row["n_tokens_original"] for row in kept)
    assert not facts["sites"]


def test_size_in_subwords(shard: Path, tmp_path: Path) -> None:
    tokenizer = tmp_path / "tokenizer"
    tokenizer.mkdir()
    tokenizers.build(Config(vocab_size=261), [shard], TokensConfig(), tokenizer)
    (tmp_path / "out").mkdir()
    rule = {"max_subwords": 30}
    requests = [request("longer", augment_only=rule), request("longer", throw_out=rule)]
    outs = [tmp_path / "out" / name for name in "ab"]
    for folder in outs:
        folder.mkdir()
    with pytest.raises(BadInput, match="max_subwords"):
        variants.build(shard, requests, outs, Analyst(), TokensConfig())
    variants.build(shard, requests, outs, Analyst(), TokensConfig(), tokenizer=tokenizer)
    reasons = [{row["reason"] for row in pq.read_table(out / "shard.parquet").to_pylist()} for out in outs]
    assert reasons == [{"max_subwords"}, {"max_subwords"}]


def test_nothing_is_analysed_that_no_variant_needs(shard: Path, tmp_path: Path) -> None:
    analyst = Analyst()
    make(shard, [request("longer", augment_only={"max_bytes": 1})], tmp_path, analyst)
    assert not analyst.analysed


def test_one_failure_does_not_stop_the_others(shard: Path, tmp_path: Path) -> None:
    (bad, _), (good, rows) = make(shard, [request("broken"), request("longer")], tmp_path, Analyst())
    assert isinstance(bad, RuntimeError)
    assert sum(group["n_samples"] for group in good["groups"]) == len(rows)
