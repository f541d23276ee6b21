"""A small GPT-2 that is built and saved here: scores against the library's own loss, and what is refused."""

import json
import math
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from models.config import TrainingConfig
from models.encoded import Part
from models.kinds.huggingface import ranks
from models.lookup import lookup
from preprocessing import encoding, shards, tokenizers
from preprocessing.errors import BadInput
from preprocessing.lexer.tokens import NAME, TokensConfig
from tasks import Test, fitting
from tasks.completion import scoring
from tasks.completion.check import check_model
from tasks.completion.config import Config, Evaluation

transformers = pytest.importorskip("transformers", reason="needs the extra huggingface")

CODE = """\
class Circle:  # round
    def area(self, factor=2):
        # a comment-only line
        text = "a string that is much too long to be shown"

        if factor:
            return self.radius ** 2 * factor
        return f({"ä€": ()})
"""
transformers.utils.logging.disable_progress_bar()
TRAINING = TrainingConfig(
    batch_tokens=64, window=32, max_steps=40, validate_every=20, learning_rate=3e-3, precision="float32"
)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the hub has them: GPT-2 with two layers, and a byte-level tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    folder = tmp_path_factory.mktemp("gpt2")
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.post_processor = processors.ByteLevel(trim_offsets=True)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    library.train_from_iterator([CODE] * 3, trainer)
    library.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=library.get_vocab_size() + 6,  # padded, as many are
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = transformers.GPT2LMHeadModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    model.save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="module")
def data(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Tokenizer and encoded shard of three texts, one of them empty."""
    folder = tmp_path_factory.mktemp("data")
    kind = tokenizers.lookup("huggingface")
    (folder / "tokenizer").mkdir()
    kind.train(
        kind.Config.model_validate({"kind": "huggingface", "path": str(pretrained)}),
        iter(()),
        folder / "tokenizer",
    )
    names = ("sample", "project", "path", "split", "text")
    texts = [("train", CODE * 4), ("valid", CODE), ("test", CODE), ("test", ""), ("test", "x")]
    rows = [(f"s{i}", f"p{i}", f"{i}.py", split, text) for i, (split, text) in enumerate(texts)]
    table = pa.table({name: [row[k] for row in rows] for k, name in enumerate(names)})
    table = table.append_column("n_bytes", pa.array([len(row[4].encode()) for row in rows], pa.int32()))
    pq.write_table(table, folder / "shard.parquet")
    (folder / "encoded").mkdir()
    encoding.build(folder / "shard.parquet", folder / "tokenizer", TokensConfig(), folder / "encoded")
    return folder / "tokenizer", folder / "encoded"


def fit(pretrained: Path, data: tuple[Path, Path], out: Path, **fields: Any) -> dict[str, Any]:
    out.mkdir()
    part = Part(folder=data[1])
    return fitting.fit(
        task=Config(),
        model=lookup("huggingface").Config(path=str(pretrained), **{"context": 64, **fields}),
        training=TRAINING,
        tokenizer=data[0],
        train=[part],
        valid=[part],
        seed=1,
        out=out,
        report=lambda row: None,
    )


def scored(model: Path, data: tuple[Path, Path], out: Path, **config: Any) -> Any:
    out.mkdir()
    [facts] = scoring.run(
        model_folder=model,
        tokenizer=data[0],
        tests=[Test(parts=[data[1]], out=out)],
        config=Evaluation(**config),
        report=lambda row: None,
    )
    assert "error" not in facts, facts
    return pq.read_table(out / "tokens.parquet").to_pandas()


def own_loss(model: Any, ids: list[int]) -> float:
    """Nats of a text by the library itself, after its token for the beginning."""
    line = torch.tensor([[0, *ids]])
    with torch.no_grad():
        return float(model(input_ids=line, labels=line).loss) * len(ids)


def test_token_scores_equal_the_librarys_own_loss(pretrained: Path, data: Any, tmp_path: Path) -> None:
    fit(pretrained, data, tmp_path / "model")
    rows = scored(tmp_path / "model", data, tmp_path / "scores")
    model = transformers.AutoModelForCausalLM.from_pretrained(pretrained)
    shard = shards.open(data[1])
    for number, name in ((2, "s2"), (4, "s4")):
        ids = (shard[number].subwords.astype(int) - 4).tolist()
        assert 0 < len(ids) < 64
        nats = rows[rows["sample"] == name]["nll_bits"].sum() * math.log(2)
        assert nats == pytest.approx(own_loss(model, ids), abs=1e-4)
    assert rows["nll_bits"].notna().all()
    assert rows["rank"].between(0, 10).all()


def test_best_tokens_are_scored_with_their_bits_and_sub_tokens(
    pretrained: Path, data: Any, tmp_path: Path
) -> None:
    fit(pretrained, data, tmp_path / "model")
    rows = scored(tmp_path / "model", data, tmp_path / "scores", metrics=["accuracy", "f1", "calibration"])
    assert rows["best_bits"].between(0, 64).all()
    name = rows["kind"] == NAME
    assert (rows[name]["f1_both"] > 0).all()
    assert (rows[~name]["f1_both"] == 0).all()
    right = rows[name & (rows["rank"] == 1)]
    assert (2 * right["f1_shared"] == right["f1_both"]).all()
    assert (2 * rows[name]["f1_shared"] <= rows[name]["f1_both"]).all()
    samples = pq.read_table(tmp_path / "scores" / "samples.parquet").to_pandas().query("scope == 'all'")
    for row in samples.to_dict("records"):
        own = rows[rows["sample"] == row["sample"]]
        assert row["confidence"] == pytest.approx((2.0 ** -own["best_bits"].astype(float)).sum(), rel=1e-5)


def test_of_a_text_that_can_not_be_spelt_back_nothing_is_right(
    pretrained: Path, data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranks, "_targets", lambda *_: ([], [], []))
    fit(pretrained, data, tmp_path / "model")
    rows = scored(tmp_path / "model", data, tmp_path / "scores", metrics=["accuracy", "f1", "calibration"])
    assert (rows["rank"] == 0).all()
    assert (rows["f1_shared"] == 0).all()
    assert rows["best_bits"].equals(rows["nll_bits"].rename("best_bits"))


def test_tokens_get_what_is_theirs(pretrained: Path, data: Any, tmp_path: Path) -> None:
    fit(pretrained, data, tmp_path / "model")
    rows = scored(tmp_path / "model", data, tmp_path / "scores").query("sample == 's2'")
    model = transformers.AutoModelForCausalLM.from_pretrained(pretrained)
    own = shards.open(data[1])[2]
    assert own.ends is not None
    ids = torch.tensor([[0, *(own.subwords.astype(int) - 4).tolist()]])
    with torch.no_grad():
        log_p = torch.log_softmax(model(input_ids=ids).logits[0].double(), 1)
    nats = -log_p[range(len(own.subwords)), ids[0, 1:]].numpy()
    bits = rows["nll_bits"].to_numpy()
    shared = 0
    for k, end in enumerate(own.ends):
        first = own.ends[k - 1] if k else 0.0
        mine = [max(0.0, min(end, i + 1) - max(first, i)) for i in range(len(nats))]
        assert bits[k] * math.log(2) == pytest.approx(np.dot(mine, nats), abs=1e-4)
        shared += end % 1 > 0
    assert shared > 3


def test_dynamic_evaluation_learns_from_no_more_than_the_model_can_read(
    pretrained: Path, data: Any, tmp_path: Path
) -> None:
    short = Path(shutil.copytree(pretrained, tmp_path / "short"))
    config = transformers.GPT2Config.from_pretrained(pretrained, n_positions=16)
    transformers.GPT2LMHeadModel(config).save_pretrained(short)
    fit(short, data, tmp_path / "model", context=16)
    wide, just = (
        scored(tmp_path / "model", data, tmp_path / f"{n}", adapt="dynamic", window=n) for n in (64, 16)
    )
    assert wide.equals(just)


def test_windows_of_long_files_do_not_depend_on_their_company(
    pretrained: Path, data: Any, tmp_path: Path
) -> None:
    fit(pretrained, data, tmp_path / "model", context=16, min_context=4)
    one, three = (scored(tmp_path / "model", data, tmp_path / f"{n}", rows=n) for n in (1, 3))
    np.testing.assert_allclose(one["nll_bits"], three["nll_bits"], atol=1e-5)
    assert one["nll_bits"].between(0, 100).all()


def test_fine_tuning_learns_and_packed_files_do_not_see_each_other(
    pretrained: Path, data: Any, tmp_path: Path
) -> None:
    as_it_is = fit(pretrained, data, tmp_path / "one")
    tuned = fit(pretrained, data, tmp_path / "two", fine_tune=True)
    assert tuned["valid_bits"] < as_it_is["valid_bits"] - 1
    before, after = (scored(tmp_path / m, data, tmp_path / f"{m}s")["nll_bits"] for m in ("one", "two"))
    assert after.sum() < before.sum()
    from models.checkpoints import load_model

    network = load_model(tmp_path / "two", tokenizer=data[0])
    files = [[0, 9, 8, 7], [0, 30, 31, 32, 33]]
    row = torch.tensor([[i for file in files for i in file]])
    targets = torch.tensor([[9, 8, 7, 6, 30, 31, 32, 33, 34]])
    loss, _ = network.loss(row, targets, None)
    alone = [network.loss(row[:, a:b], targets[:, a:b], None)[0] * (b - a) for a, b in ((0, 4), (4, 9))]
    torch.testing.assert_close(loss * 9, sum(alone))


def test_what_can_not_work(pretrained: Path, data: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"context \(65\) is longer than its 64 positions"):
        fit(pretrained, data, tmp_path / "1", context=65)
    with pytest.raises(BadInput, match="no causal language model in safetensors"):
        fit(tmp_path, data, tmp_path / "2")


def test_needs_its_own_tokenizer(
    pretrained: Path, tmp_path: Path, tokenizer_folder: Path, shard: Path
) -> None:
    with pytest.raises(BadInput, match="needs a tokenizer of kind huggingface"):
        fit(pretrained, (tokenizer_folder, shard), tmp_path / "model")


def test_weights_in_pickle_are_never_read(pretrained: Path, data: Any, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "config.json").write_bytes((pretrained / "config.json").read_bytes())
    model = transformers.AutoModelForCausalLM.from_pretrained(pretrained)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(BadInput, match="safetensors"):
        fit(folder, data, tmp_path / "1")


def test_code_that_comes_with_a_model_is_never_run(pretrained: Path, data: Any, tmp_path: Path) -> None:
    folder = tmp_path / "remote"
    folder.mkdir()
    about = json.loads((pretrained / "config.json").read_text())
    about |= {"model_type": "own", "auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M"}}
    (folder / "config.json").write_text(json.dumps(about))
    (folder / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(BadInput):
        fit(folder, data, tmp_path / "1")
    assert not (tmp_path / "ran").exists()


def test_a_damaged_copy_is_refused(pretrained: Path, data: Any, tmp_path: Path) -> None:
    fit(pretrained, data, tmp_path / "model")
    (tmp_path / "model" / "architecture.json").write_text("{")
    with pytest.raises(BadInput, match=r"architecture\.json"):
        scored(tmp_path / "model", data, tmp_path / "scores")


def test_check_model_trains_it(pretrained: Path) -> None:
    check = check_model(lookup("huggingface").Config(path=str(pretrained), context=64))
    assert check.accuracy > 0.5, check.message  # with 32 units and its own dropout
    assert check.changed == {"fine_tune": True}


def test_without_the_library_one_message_says_what_to_install(
    pretrained: Path, data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(BadInput, match=r"pip install 'augrid\[huggingface\]'"):
        fit(pretrained, data, tmp_path / "model")
