import json
from pathlib import Path

import pytest

from preprocessing.errors import BadInput
from preprocessing.fetching import package_lock


def test_written_and_read(tmp_path: Path) -> None:
    locked = {
        "b==1 wheel": {"file": "b-1-py3-none-any.whl", "sha256": "0" * 64},
        "c==1 wheel": {"file": "c", "sha256": "1" * 64, "released": "2015-01-02T16:38:06.621099Z"},
    }
    assert package_lock.read(tmp_path / "lock.json") == {}
    package_lock.write(tmp_path / "lock.json", locked)
    assert package_lock.read(tmp_path / "lock.json") == locked
    assert [path.name for path in tmp_path.iterdir()] == ["lock.json"]
    with pytest.raises(BadInput, match=r"corpus.source.lock: can't write .*: No such file"):
        package_lock.write(tmp_path / "gone" / "lock.json", locked)


@pytest.mark.parametrize("content", ["[]", "{", '{"packages": {"a": {}}}', "\udcff"])
def test_what_is_no_lock_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "lock.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(BadInput, match="is no lock file"):
        package_lock.read(tmp_path / "lock.json")


@pytest.mark.parametrize("released", ["yesterday", "2015-13-02", "2015-01-02T16:38:06+02:00", 2015, None])
def test_a_date_that_is_none_is_named(tmp_path: Path, released: object) -> None:
    entry = {"file": "a.whl", "sha256": "0", "released": released}
    (tmp_path / "lock.json").write_text(json.dumps({"packages": {"a==1 wheel": entry}}))
    with pytest.raises(
        BadInput, match=r"lock.json: a==1 wheel: released is .*; must be a date as '2015-01-02'"
    ):
        package_lock.read(tmp_path / "lock.json")


def test_a_file_outside_of_the_cache_is_refused(tmp_path: Path) -> None:
    evil = {"packages": {"a==1 wheel": {"file": "../../a.whl", "sha256": "0" * 64}}}
    (tmp_path / "lock.json").write_text(json.dumps(evil))
    with pytest.raises(BadInput, match="is no lock file"):
        package_lock.read(tmp_path / "lock.json")


@pytest.mark.parametrize(
    ("wheel", "wanted"),
    [
        ("six-1.0-py2.py3-none-any.whl", "--implementation=py --abi=none --platform=any"),
        ("a_b-1.0-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
         "--implementation=cp --abi=cp311 --platform=manylinux_2_17_x86_64 --platform=manylinux2014_x86_64 "
         "--python-version=311"),
        ("c-1.0-cp39-abi3-win_amd64.whl",
         "--implementation=cp --abi=abi3 --platform=win_amd64 --python-version=39"),
    ],
)  # fmt: skip
def test_tags(wheel: str, wanted: str) -> None:
    assert package_lock.tags(wheel) == ["--ignore-requires-python", *wanted.split()]
