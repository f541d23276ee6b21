"""Every rewrite's own examples change as they say, and its counter-examples don't, for the reason given."""

import dataclasses
from typing import Any

import pytest

from transformers_py import check, lookup, names, rewrite

EXAMPLES = [(name, *example) for name in names() for example in lookup(name).EXAMPLES]
COUNTER_EXAMPLES = [(name, *example) for name in names() for example in lookup(name).COUNTER_EXAMPLES]


@pytest.mark.parametrize("name, before, options, after", EXAMPLES)
def test_must_change(name: str, before: str, options: dict[str, Any], after: str) -> None:
    result = rewrite(before, [{name: options}], rate=1.0, seed=1)
    assert result.status == "rewritten", result.problem
    assert result.text == after


@pytest.mark.parametrize("name, text, options, reason", COUNTER_EXAMPLES)
def test_must_not_change(name: str, text: str, options: dict[str, Any], reason: str) -> None:
    result = rewrite(text, [{name: options}], rate=1.0, seed=1)
    assert result.status == "unchanged"
    assert result.text == text
    if reason:
        assert result.refusals.get(f"{name}:{reason}", 0) > 0
    else:
        assert not result.refusals


@pytest.mark.parametrize("name", names())
def test_is_complete(name: str) -> None:
    module = lookup(name)
    assert module.PRESERVES in ("ast", "bytecode", "names", "value", "fresh")
    assert module.EXAMPLES
    assert module.COUNTER_EXAMPLES
    assert module.VERSION > 0
    assert "->" in (module.__doc__ or "")
    assert check([name]) == [(name, dataclasses.asdict(module.Options()))]
