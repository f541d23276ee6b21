from pathlib import Path

import pytest
from pydantic import ValidationError

from preprocessing.errors import BadInput
from preprocessing.fetching.raw import RawFile
from preprocessing.sources import huggingface

datasets = pytest.importorskip("datasets")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    parts = {
        name: datasets.Dataset.from_dict(
            {"text": [f"{name} = 1\n"], "project": ["p"], "path": [f"{name}.py"]}
        )
        for name in ("train", "validation")
    }
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_splits_become_given_splits(saved: Path) -> None:
    config = huggingface.Config(path=str(saved))
    assert list(huggingface.read(config)) == [
        RawFile(project="p", path="train.py", data="train = 1\n", split="train"),
        RawFile(project="p", path="validation.py", data="validation = 1\n", split="valid"),
    ]
    assert huggingface.raw_digest(config) == huggingface.raw_digest(config)


def test_some_splits(saved: Path) -> None:
    config = huggingface.Config(path=str(saved), splits=("validation",))
    assert [raw.path for raw in huggingface.read(config)] == ["validation.py"]
    with pytest.raises(BadInput, match=r"no split test in .*; it has train, validation"):
        list(huggingface.read(huggingface.Config(path=str(saved), splits=("test",))))


def test_bad_settings(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="exactly one of path and name"):
        huggingface.Config()
    with pytest.raises(ValidationError, match="needs a revision"):
        huggingface.Config(name="a/b")
    with pytest.raises(BadInput, match="no folder"):
        huggingface.raw_digest(huggingface.Config(path=str(tmp_path / "nowhere")))
    with pytest.raises(BadInput, match="can't load"):
        list(huggingface.read(huggingface.Config(path=str(tmp_path))))
