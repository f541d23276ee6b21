from collections.abc import Callable
from pathlib import Path

import pytest

from preprocessing.corpus import building
from preprocessing.corpus.building import CorpusConfig

MakeFolder = Callable[..., Path]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Write files (path → text or bytes) below a new folder."""

    def make(files: dict[str, str | bytes], name: str = "source") -> Path:
        for path, content in files.items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return make


@pytest.fixture
def small_corpus(make_folder: MakeFolder, tmp_path: Path) -> Path:
    """A built corpus of thirty samples in ten projects and two shards."""
    files: dict[str, str | bytes] = {
        f"project{p}/module{m}.py": (
            f"def f{m}(a):\n    value = a * {p}\n    return f'{{value}} is the value of {p}'\n"
        )
        for p in range(10)
        for m in range(3)
    }
    folder = make_folder(files)
    out = tmp_path / "corpus"
    out.mkdir()
    config = CorpusConfig.model_validate({"source": {"kind": "directory", "path": str(folder)}, "shards": 2})
    building.build(config, out)
    return out
