from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from preprocessing.corpus.split import SplitConfig, assign, assign_by_time, read_given
from preprocessing.errors import BadInput


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.integers(0, 1000), min_size=3), st.integers(0, 3))
def test_every_unit_goes_somewhere_and_no_split_is_empty(sizes: dict[str, int], seed: int) -> None:
    assigned = assign(sizes, SplitConfig(seed=seed))
    assert assigned.keys() == sizes.keys()
    assert set(assigned.values()) == {"train", "valid", "test"}
    assert assigned == assign(dict(reversed(sizes.items())), SplitConfig(seed=seed))


def test_balanced_by_bytes_although_projects_differ() -> None:
    sizes = {f"p{n}": 1000 // (n + 1) for n in range(100)}
    assigned = assign(sizes, SplitConfig())
    total: Counter[str] = Counter()
    for unit, split in assigned.items():
        total[split] += sizes[unit]
    assert total["valid"] / sum(sizes.values()) == pytest.approx(0.1, abs=0.005)
    assert total["test"] / sum(sizes.values()) == pytest.approx(0.1, abs=0.005)


def test_another_seed_is_another_split() -> None:
    sizes = {f"p{n}": 10 for n in range(100)}
    assert assign(sizes, SplitConfig(seed=1)) != assign(sizes, SplitConfig(seed=2))


def test_a_share_of_nothing_is_an_empty_split() -> None:
    config = SplitConfig(train=0.5, valid=0, test=0.5)
    assert set(assign({"a": 1, "b": 1}, config).values()) == {"train", "test"}


def test_too_few_projects() -> None:
    with pytest.raises(BadInput, match=r"at least 3 projects.*\(a, b\)"):
        assign({"a": 1, "b": 2}, SplitConfig())


def test_by_time_the_newest_are_tested() -> None:
    sizes = {f"f{n}": 10 for n in range(10)}
    dates = {unit: f"20{number:02}-01-01" for number, unit in enumerate(sizes)}
    assigned = assign_by_time(sizes, dates, SplitConfig(by="time", train=0.6, valid=0.2, test=0.2))
    assert list(assigned.values()) == ["train"] * 6 + ["valid"] * 2 + ["test"] * 2


def test_by_time_needs_dates() -> None:
    with pytest.raises(BadInput, match=r"2 have none \(a, b\)"):
        assign_by_time({"a": 1, "b": 1, "c": 1}, {"c": "2020"}, SplitConfig(by="time"))


@pytest.mark.parametrize(
    "table, message",
    [
        ("project,split\na,tran\n", r"splits.csv:2: split is 'tran'; must be one of train, valid, test"),
        ("name,split\na,train\n", "has the columns name, split; must be"),
        ("", "has the columns none"),
    ],
)
def test_bad_tables_of_splits(tmp_path: Path, table: str, message: str) -> None:
    (tmp_path / "splits.csv").write_text(table)
    with pytest.raises(BadInput, match=message):
        read_given(tmp_path / "splits.csv")


def test_a_file_of_splits_belongs_to_given() -> None:
    with pytest.raises(ValidationError, match="by: given, not by: project"):
        SplitConfig(file="splits.csv")
