from collections.abc import Callable
from pathlib import Path

import pytest

from preprocessing.corpus import building, description
from preprocessing.corpus.building import CorpusConfig
from preprocessing.corpus.duplicates import NearConfig


def test_numbers_of_a_corpus(small_corpus: Path) -> None:
    facts = description.describe(small_corpus)
    assert sum(split["samples"] for split in facts["splits"].values()) == 30
    assert sum(split["projects"] for split in facts["splits"].values()) == 10
    assert facts["percentiles"]["lines"] == {f"p{p}": 3.0 for p in description.PERCENTILES}
    assert facts["vocabulary"]["identifiers"] == len({"f0", "f1", "f2", "a", "value"})
    first, last = facts["vocabulary"]["growth"][0], facts["vocabulary"]["growth"][-1]
    assert first == (0, 0, 0)
    assert last[1:] == (facts["vocabulary"]["tokens"], facts["vocabulary"]["identifiers"])
    bins = facts["lengths"]["lines"]
    assert sum(n for split in bins.values() for *_, n in split) == 30
    assert {(low, high) for split in bins.values() for low, high, n in split if n} == {(3, 4)}
    assert facts["licenses"] == {"unknown": 30}
    assert facts["excluded"] == {}


def test_the_vocabulary_is_counted_piece_by_piece(
    make_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(description, "_MERGED_AT_ONCE", 3)
    text = "if a:\n    b = 'a' + 1 + 1  # a\n"
    folder = make_folder({f"p{n}.py": f"{text}c{n} = a\n" for n in range(3)})
    out = tmp_path / "out"
    out.mkdir()
    building.build(CorpusConfig.model_validate({"source": {"kind": "directory", "path": str(folder)}}), out)
    vocabulary = description.describe(out)["vocabulary"]
    assert vocabulary["identifiers"] == len(["a", "b", "c0", "c1", "c2"])
    assert vocabulary["tokens"] == vocabulary["identifiers"] + len(["if", ":", "=", "'a'", "+", "1"])
    assert vocabulary["growth"][-1][0] == 3 * 13


def test_leaks_are_found(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    lines = [f"name{n} = name{n}\n" for n in range(2000)]
    files = {f"p{n}/a.py": "".join(lines[200 * n : 200 * n + 100]) for n in range(6)}
    files |= {f"q{n}/a.py": "".join(lines[200 * n + 1 : 200 * n + 101]) for n in range(6)}
    source = {"kind": "directory", "path": str(make_folder(files))}
    found = {}
    for duplicates in ("exact", "near"):
        out = tmp_path / duplicates
        out.mkdir()
        split = {"by": "file", "train": 0.4, "valid": 0.3, "test": 0.3}
        building.build(
            CorpusConfig.model_validate({"source": source, "duplicates": duplicates, "split": split}), out
        )
        found[duplicates] = description.leaks(out, NearConfig())
    assert found["near"] == {"projects": [], "near_duplicates": [], "sample_share": 0.0}
    pairs = found["exact"]["near_duplicates"]
    assert pairs
    for one, other in pairs:
        assert one.split()[0] != other.split()[0]
        assert one.split()[1].replace("p", "q") == other.split()[1].replace("p", "q")
    assert 0 < found["exact"]["sample_share"] <= 1


def test_shared_projects_are_leaks(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder({f"p/{name}.py": f"{name} = 1\n" for name in "abcdef"})
    config = {"source": {"kind": "directory", "path": str(folder)}, "split": {"by": "file"}}
    out = tmp_path / "out"
    out.mkdir()
    facts = building.build(CorpusConfig.model_validate(config), out)
    assert description.leaks(out, NearConfig())["projects"] == ["p"]
    assert facts["shared_projects"] == 1
