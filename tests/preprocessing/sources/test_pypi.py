import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from preprocessing import parquet_files
from preprocessing.corpus import building
from preprocessing.corpus.building import CorpusConfig
from preprocessing.corpus.cleaning import KeepConfig
from preprocessing.corpus.split import SplitConfig
from preprocessing.errors import BadInput
from preprocessing.fetching import package_lock
from preprocessing.fetching.raw import RawFile
from preprocessing.sources import pypi


def write_wheel(folder: Path, name: str, text: str, metadata: str = "License-Expression: MIT\n") -> None:
    folder.mkdir(exist_ok=True)
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", text)
        wheel.writestr(f"{name}/data.txt", "no code")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{metadata}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that stands for the index, and an empty cache."""
    write_wheel(tmp_path / "index", "augrid_one", "x = 1\n")
    write_wheel(
        tmp_path / "index", "augrid_two", "y = 2\n", "Classifier: License :: OSI Approved :: MIT License\n"
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "index"


def configure(tmp_path: Path, *packages: str) -> pypi.Config:
    return pypi.Config(packages=packages, lock=str(tmp_path / "lock.json"))


def test_fetched_once_and_pinned(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure(tmp_path, "augrid-two==1.0", "Augrid.One==1.0")
    digest = pypi.raw_digest(config)
    files = [
        RawFile(project="augrid-two", path="augrid_two/__init__.py", data=b"y = 2\n", license="MIT"),
        RawFile(project="Augrid.One", path="augrid_one/__init__.py", data=b"x = 1\n", license="MIT"),
    ]
    assert list(pypi.read(config)) == files
    locked = json.loads((tmp_path / "lock.json").read_text())["packages"]
    wheel = index / "augrid_one-1.0-py3-none-any.whl"
    assert locked["Augrid.One==1.0 wheel"]["sha256"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "gone"))
    assert list(pypi.read(config)) == files
    assert pypi.raw_digest(config) == digest


def test_a_split_by_time_goes_by_the_dates_of_the_lock(index: Path, tmp_path: Path) -> None:
    config = configure(tmp_path, "augrid-two==1.0", "augrid-one==1.0")
    undated, lock = pypi.raw_digest(config), tmp_path / "lock.json"
    split = SplitConfig(by="time", train=0.5, valid=0, test=0.5)
    corpus = CorpusConfig(source=config, split=split, keep=KeepConfig(min_bytes=1), shards=1)
    (tmp_path / "undated").mkdir()
    with pytest.raises(BadInput, match=r"needs a date for every file; 2 have none .*released in its lock"):
        building.build(corpus, tmp_path / "undated")
    for one, two in (("2020-01-01", "2021-01-01T00:00:00Z"), ("2021-01-01", "2020-01-01T00:00:00Z")):
        locked = package_lock.read(lock)
        locked["augrid-one==1.0 wheel"]["released"] = one
        locked["augrid-two==1.0 wheel"]["released"] = two
        package_lock.write(lock, locked)
        assert pypi.raw_digest(config) != undated
        out = tmp_path / one
        out.mkdir()
        building.build(corpus, out)
        [row] = [row for row in parquet_files.rows(out / "shard-00000.parquet") if row["split"] == "test"]
        assert row["project"] == ("augrid-two" if one < two else "augrid-one")


BACKEND = """\
import os
def prepare_metadata_for_build_wheel(folder, settings=None):
    os.mkdir(os.path.join(folder, "augrid_three-1.0.dist-info"))
    with open(os.path.join(folder, "augrid_three-1.0.dist-info", "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: augrid-three\\nVersion: 1.0\\n")
    return "augrid_three-1.0.dist-info"
"""


def test_sdist(index: Path, tmp_path: Path) -> None:
    members = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND,
        "PKG-INFO": "Name: augrid-three\nClassifier: License :: OSI Approved :: BSD License\n",
        "LICENSE.txt": "Redistribution and use in source and binary forms, with or without modification",
        "docs/license.rst": "BSD License, see there",
        "src/three.py": "z = 3\n",
    }
    with tarfile.open(index / "augrid_three-1.0.tar.gz", "w:gz") as sdist:
        for name, text in members.items():
            info = tarfile.TarInfo(f"augrid_three-1.0/{name}")
            info.size = len(text)
            sdist.addfile(info, io.BytesIO(text.encode()))
    lock = str(tmp_path / "lock.json")
    config = pypi.Config(packages=("augrid-three==1.0",), lock=lock, distribution="sdist")
    assert [(raw.path, raw.license) for raw in pypi.read(config) if isinstance(raw, RawFile)] == [
        ("backend.py", "BSD-2-Clause"),
        ("src/three.py", "BSD-2-Clause"),
    ]
    assert list(json.loads((tmp_path / "lock.json").read_text())["packages"]) == ["augrid-three==1.0 sdist"]


def test_what_is_not_what_is_pinned_is_refused(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure(tmp_path, "augrid-one==1.0")
    pypi.raw_digest(config)
    write_wheel(index, "augrid_one", "evil = 1\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    with pytest.raises(BadInput, match=r"augrid-one==1.0 has SHA-256 .* now, but .*lock.json pins"):
        list(pypi.read(config))


def test_no_such_package(index: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"No matching distribution found for augrid-three==1.0"):
        pypi.raw_digest(configure(tmp_path, "augrid-three==1.0"))
    assert not (tmp_path / "lock.json").exists()


def test_bad_settings(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="must be name==version, not requests, a>=1"):
        configure(tmp_path, "requests", "ok==1", "a>=1")
    with pytest.raises(ValidationError, match="once, not a-b twice"):
        configure(tmp_path, "a.b==1", "A_b==2")
    (tmp_path / "lock.json").write_text("[]")
    with pytest.raises(BadInput, match="is no lock file"):
        pypi.raw_digest(configure(tmp_path, "a==1"))


def test_a_list_in_a_file(index: Path, tmp_path: Path) -> None:
    listed = tmp_path / "packages.txt"
    listed.write_text("# ours\n\naugrid-one==1.0  # small\naugrid-two==1.0\n")
    lock = str(tmp_path / "lock.json")
    config = pypi.Config(file=str(listed), lock=lock)
    same = configure(tmp_path, "augrid-one==1.0", "augrid-two==1.0")
    assert list(pypi.read(config)) == list(pypi.read(same))
    assert pypi.raw_digest(config) == pypi.raw_digest(same)
    listed.write_text("augrid-one\n")
    with pytest.raises(BadInput, match=r"packages.txt: must be name==version, not augrid-one"):
        pypi.raw_digest(config)
    listed.write_text("# nothing\n")
    with pytest.raises(BadInput, match=r"names no package"):
        pypi.raw_digest(config)
    with pytest.raises(BadInput, match=r"can't read .*gone.txt"):
        pypi.raw_digest(pypi.Config(file=str(tmp_path / "gone.txt"), lock=lock))
    for both in ({}, {"packages": ("a==1",), "file": "b"}):
        with pytest.raises(ValidationError, match="needs packages, or a file"):
            pypi.Config.model_validate({"lock": lock, **both})
