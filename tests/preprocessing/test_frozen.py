"""Which fields of a config are in keys is said beside each field."""

from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from preprocessing.frozen import Frozen, InKey


class Inner(Frozen):
    size: int = 1
    newer: Annotated[int | None, InKey.UNLESS_DEFAULT] = Field(default=None, ge=1)


class Outer(Frozen):
    one: Inner = Inner()
    many: tuple[Inner, ...] = ()
    named: dict[str, Inner] = Field(default={})
    shown: Annotated[bool, InKey.NEVER] = False
    newest: Annotated[tuple[int, ...], InKey.UNLESS_DEFAULT] = Field(default=(1, 2), description="later")


def test_a_field_that_never_counts_is_in_no_key() -> None:
    assert Outer(shown=True).keyed() == Outer(shown=False).keyed()
    assert Outer(shown=True).unkeyed() == {"shown": True}


def test_a_newer_field_counts_once_it_is_set() -> None:
    assert Outer(newest=(1, 2)).keyed() == Outer().keyed()
    assert Outer(newest=(2,)).keyed() == {**Outer().keyed(), "newest": [2]}


def test_configs_inside_of_others_say_it_themselves() -> None:
    config = Outer(one=Inner(newer=3), many=(Inner(), Inner(newer=4)), named={"a": Inner(newer=None)})
    assert config.keyed() == {
        "one": {"size": 1, "newer": 3},
        "many": [{"size": 1}, {"size": 1, "newer": 4}],
        "named": {"a": {"size": 1}},
    }


def test_a_dump_has_all_fields() -> None:
    whole = Outer(many=(Inner(),)).model_dump(mode="json")
    assert whole["many"] == [{"size": 1, "newer": None}]
    assert Outer.model_validate(whole) == Outer(many=(Inner(),))
    assert set(whole) == set(Outer.model_fields)


def test_a_config_is_frozen_and_knows_no_other_field() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Inner().size = 2
    with pytest.raises(ValidationError, match="Extra inputs"):
        Inner.model_validate({"sizes": 2})
