from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.errors import BadInput
from preprocessing.split import SplitConfig, assign


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
