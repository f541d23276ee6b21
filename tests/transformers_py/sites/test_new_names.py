"""New names keep the style of the old ones, are new, and are the same for the same seed."""

import keyword
from random import Random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transformers_py.sites.name_parts import parts
from transformers_py.sites.new_names import Dice, NewNames, Style

STYLES = tuple(style for style in get_args(Style) if style != "swap")
OLD = st.sampled_from(
    ["x", "total", "total_count", "_private", "camelCase", "CONSTANT", "ClassLike", "a1", "_", "größe"]
)


@settings(deadline=None)
@given(st.sampled_from(STYLES), st.lists(OLD, min_size=1, max_size=20), st.integers(0, 99))
def test_new_and_different(style: str, old: list[str], seed: int) -> None:
    taken = {"index", "value", *old}
    names = NewNames(Random(seed), taken)
    drawn = [new for new in (names.draw(style, name) for name in old) if new]
    assert len(set(drawn)) == len(drawn)
    assert taken.isdisjoint(drawn)
    assert all(new.isidentifier() and not keyword.iskeyword(new) for new in drawn)
    assert all(not new.startswith("__") for new in drawn)


@pytest.mark.parametrize("style", STYLES)
def test_privacy_is_kept(style: str) -> None:
    names = NewNames(Random(1), {"_index_count", "find_item"})
    assert names.draw(style, "_index_count").startswith("_")
    assert not names.draw(style, "find_item").startswith("_")


def test_case_is_kept() -> None:
    names = NewNames(Random(1), set())
    assert names.pseudo("MAX_SIZE").isupper()
    assert "_" in names.pseudo("max_size")
    assert "_" not in names.pseudo("maxSize")
    assert names.pseudo("MaxSize")[0].isupper()


def test_keep_tokens_keeps_shape() -> None:
    names = NewNames(Random(1), set())
    for old in ("total_count", "maxItems2", "i", "_x", "HTTPServer"):
        new = names.keep_tokens(old)
        assert list(map(len, parts(new))) == list(map(len, parts(old)))


def test_keep_tokens_asks_the_tokenizer() -> None:
    names = NewNames(Random(1), {"total"}, lambda name: len(name) // 3)
    assert len(names.keep_tokens("total_count")) // 3 == 3
    assert NewNames(Random(1), set(), lambda name: 1 if name == "odd" else 2).keep_tokens("odd") == ""


def test_parts() -> None:
    assert parts("_maxItems2") == ["_", "max", "Items", "2"]
    assert parts("HTTPServer_x") == ["HTTP", "Server", "_", "x"]


def test_dice_are_even() -> None:
    draws = [Dice(str(i)).random() for i in range(2000)]
    assert all(0 <= draw < 1 for draw in draws)
    assert 0.47 < sum(draws) / len(draws) < 0.53
    dice = Dice("x")
    assert len({dice.random() for _ in range(100)}) == 100
