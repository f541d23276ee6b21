from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.errors import BadInput
from preprocessing.fetching.raw import Excluded, RawFile
from preprocessing.sources import parquet


def read(path: Path, **fields: object) -> list[RawFile | Excluded]:
    return list(parquet.read(parquet.Config.model_validate({"path": str(path), **fields})))


def test_rows(tmp_path: Path) -> None:
    table = pa.table(
        {
            "content": ["x = 1", None],
            "max_stars_repo_name": ["a/b", "c/d"],
            "max_stars_repo_path": ["e.py", "f.py"],
            "max_stars_repo_licenses": [["MIT"], []],
            "size": [5, 0],
        }
    )
    pq.write_table(table, tmp_path / "data-0.parquet")
    good, bad = read(tmp_path / "*.parquet", preset="the_stack")
    assert good == RawFile(project="a/b", path="e.py", data="x = 1", license="MIT")
    assert isinstance(bad, Excluded)
    assert (bad.reason, bad.path) == ("bad_record", "f.py")


def test_column_is_missing(tmp_path: Path) -> None:
    pq.write_table(pa.table({"code": ["x"], "repo": ["y"]}), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match=r"no column 'text'; it has code, repo"):
        read(tmp_path / "a.parquet")


def test_broken_file(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadInput, match="can't read"):
        read(tmp_path / "a.parquet")
