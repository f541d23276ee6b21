import pytest
from pydantic import ValidationError

from preprocessing.size import Size, SizeRule


def test_no_rule_no_limit() -> None:
    rule = SizeRule()
    huge = Size(tokens=10**9, bytes=10**9)
    assert rule.too_large_to_augment(huge) == ""
    assert rule.too_large_to_keep(huge, Size(tokens=1, bytes=1)) == ""
    assert not rule.needs_tokenizer


@pytest.mark.parametrize(
    "limits, n_tokens, n_bytes, exceeded",
    [
        ({"max_tokens": 10}, 10, 99, ""),
        ({"max_tokens": 10}, 11, 99, "max_tokens"),
        ({"max_bytes": 10}, 99, 11, "max_bytes"),
        ({"max_tokens": 10, "max_bytes": 10}, 11, 11, "max_tokens"),
        ({"max_subwords": 50}, 11, 11, ""),
        ({"max_subwords": 49}, 11, 11, "max_subwords"),
    ],
)
def test_limits(limits: dict[str, int], n_tokens: int, n_bytes: int, exceeded: str) -> None:
    rule = SizeRule.model_validate({"augment_only": limits, "throw_out": limits})
    size = Size(tokens=n_tokens, bytes=n_bytes, subwords=50)
    assert rule.too_large_to_augment(size) == exceeded
    assert rule.too_large_to_keep(size, Size(tokens=1, bytes=1)) == exceeded
    assert rule.needs_tokenizer == ("max_subwords" in limits)


def test_growth_is_relative_to_the_original() -> None:
    rule = SizeRule.model_validate({"throw_out": {"max_growth": 1.5}})
    original = Size(tokens=10, bytes=0)
    assert rule.too_large_to_keep(Size(tokens=15, bytes=0), original) == ""
    assert rule.too_large_to_keep(Size(tokens=16, bytes=0), original) == "max_growth"


def test_unknown_limits_are_refused() -> None:
    with pytest.raises(ValidationError, match="max_lines"):
        SizeRule.model_validate({"throw_out": {"max_lines": 3}})
