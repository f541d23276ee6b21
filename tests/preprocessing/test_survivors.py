from pathlib import Path

import pytest

from preprocessing import variants
from preprocessing.corpus import building
from preprocessing.lexer.tokens import TokensConfig
from preprocessing.size import SizeRule
from preprocessing.survivors import sizes, survivors
from preprocessing.variants import Emit, Emitted, Intensity, VariantRequest


def analyse(text: str, key: str) -> Emit:
    longer = text + "pass\n" * (20 if "f1" in text else 5)
    return lambda request: Emitted(text=longer, edits=[(len(text), len(text), "…")], status="rewritten")


def test_what_became_of_each_sample(small_corpus: Path, tmp_path: Path) -> None:
    rule = SizeRule.model_validate({"throw_out": {"max_growth": 2}})
    request = VariantRequest(rewrites=(), intensity=Intensity(rate=1.0), seed=1, size=rule)
    shards = []
    for number, shard in enumerate(building.shard_paths(small_corpus)):
        out = tmp_path / str(number)
        out.mkdir()
        variants.build(shard, [request], [out], analyse, TokensConfig())
        shards.append(out / "shard.parquet")
    table = survivors(shards)
    assert len(table) == 30
    thrown = table[table["outcome"] == "thrown_out"]
    assert set(thrown["path"].str[-4:]) == {"1.py"}
    assert (thrown["growth"] > 2).all()
    summary = sizes(table)
    assert summary["samples"] == 30
    assert summary["thrown_out"] == pytest.approx(1 / 3)
    assert summary["rewritten"] == pytest.approx(2 / 3)
    assert 1 < summary["growth_median"] < summary["growth"] < summary["growth_p95"]
