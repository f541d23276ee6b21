"""Training and scoring on a GPU, against the CPU."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from models.config import TrainingConfig
from models.encoded import Part
from models.lookup import lookup
from tasks import Test
from tasks.completion import scoring
from tasks.completion.config import Config, Evaluation
from tasks.fitting import fit

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
]
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("gru", {"d_model": 32, "layers": 2}),
    ("gpt", {"d_model": 32, "layers": 2, "heads": 2, "context": 32}),
]


@pytest.mark.parametrize(("kind", "sizes"), KINDS)
def test_a_model_trained_on_a_gpu_scores_there_as_on_the_cpu(
    kind: str,
    sizes: dict[str, Any],
    shard: Path,
    tokenizer_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part, tables = [Part(folder=shard)], []
    (tmp_path / "model").mkdir()
    facts = fit(
        task=Config(),
        model=lookup(kind).Config(**sizes),
        training=TrainingConfig(batch_tokens=64, window=16, max_steps=40, validate_every=10),
        tokenizer=tokenizer_folder,
        train=part,
        valid=part,
        seed=1,
        out=tmp_path / "model",
        report=lambda row: None,
    )
    assert facts["device"].startswith("cuda")
    for place, adapt in (("cuda", "none"), ("cuda", "dynamic"), ("cpu", "none"), ("cpu", "dynamic")):
        monkeypatch.setattr(scoring, "device", lambda place=place: torch.device(place))
        out = tmp_path / f"{place}-{adapt}"
        out.mkdir()
        [scores] = scoring.run(
            model_folder=tmp_path / "model",
            tokenizer=tokenizer_folder,
            tests=[Test(parts=[shard], out=out)],
            config=Evaluation.model_validate({"adapt": adapt}),
            report=lambda row: None,
        )
        assert "error" not in scores, scores
        tables.append(pq.read_table(out / "tokens.parquet").to_pandas())
    for gpu, cpu in zip(tables[:2], tables[2:], strict=True):
        np.testing.assert_allclose(gpu["nll_bits"], cpu["nll_bits"], atol=1e-3)
        assert (gpu["rank"] == cpu["rank"]).mean() > 0.99
