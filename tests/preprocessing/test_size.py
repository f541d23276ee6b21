import pytest
from pydantic import ValidationError

from preprocessing.size import SizeRule


def test_no_rule_no_limit() -> None:
    rule = SizeRule()
    assert rule.too_large_to_augment(n_tokens=10**9, n_bytes=10**9) == ""
    assert rule.too_large_to_keep(n_tokens=10**9, n_bytes=10**9, n_tokens_original=1) == ""


@pytest.mark.parametrize(
    "limits, n_tokens, n_bytes, exceeded",
    [
        ({"max_tokens": 10}, 10, 99, ""),
        ({"max_tokens": 10}, 11, 99, "max_tokens"),
        ({"max_bytes": 10}, 99, 11, "max_bytes"),
        ({"max_tokens": 10, "max_bytes": 10}, 11, 11, "max_tokens"),
    ],
)
def test_limits(limits: dict[str, int], n_tokens: int, n_bytes: int, exceeded: str) -> None:
    rule = SizeRule.model_validate({"augment_only": limits, "throw_out": limits})
    assert rule.too_large_to_augment(n_tokens=n_tokens, n_bytes=n_bytes) == exceeded
    assert rule.too_large_to_keep(n_tokens=n_tokens, n_bytes=n_bytes, n_tokens_original=1) == exceeded


def test_growth_is_relative_to_the_original() -> None:
    rule = SizeRule.model_validate({"throw_out": {"max_growth": 1.5}})
    assert rule.too_large_to_keep(n_tokens=15, n_bytes=0, n_tokens_original=10) == ""
    assert rule.too_large_to_keep(n_tokens=16, n_bytes=0, n_tokens_original=10) == "max_growth"


def test_unknown_limits_are_refused() -> None:
    with pytest.raises(ValidationError, match="max_lines"):
        SizeRule.model_validate({"throw_out": {"max_lines": 3}})
