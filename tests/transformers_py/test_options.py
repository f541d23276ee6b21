"""What is asked for is checked, and every error names what would be right."""

from typing import Any

import pytest

from transformers_py import check, follows_documentation, names, rewrite

FOLLOW = {"world": "closed", "documentation": "follow"}


def test_canonical_form() -> None:
    assert check(["parentheses", {"rename_variable": {"style": "random"}}, {"rename_function": {}}]) == [
        ("parentheses", {"nested": False}),
        ("rename_variable", {"style": "random", "world": "open"}),
        ("rename_function", {"style": "pseudo", "private": False, "world": "open", "documentation": "keep"}),
    ]


@pytest.mark.parametrize(
    "rewrites, words",
    [
        (["rename_variabel"], "did you mean 'rename_variable'"),
        (["nothing"], "there are: "),
        ([{"rename_variable": {"stile": "random"}}], "did you mean 'style'"),
        (
            [{"rename_variable": {"style": "rnd"}}],
            "one of pseudo, random, generic, numbered, swap, keep_tokens, abbreviation",
        ),
        ([{"parentheses": {"nested": 1}}], "must be bool"),
        (["parentheses", "parentheses"], "listed twice"),
        ([3], "must be a name or"),
        ([{"a": {}, "b": {}}], "must be a name or"),
        ("parentheses", "must be a list"),
        (
            [{"rename_parameter": {"world": "closed"}}, {"rename_function": FOLLOW}],
            "follow in rename_function and keep in rename_parameter: give all renamings of a set the same",
        ),
        ([{"rename_function": {"documentation": "follow"}}], "needs world: closed"),
    ],
)
def test_errors(rewrites: list[object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(rewrites)  # type: ignore[arg-type]


def test_all_errors_at_once() -> None:
    with pytest.raises(ValueError, match=r"(?s)first.*second"):
        check(["first", "second"])


def test_names_are_modules() -> None:
    assert {"rename_variable", "dead_branch", "unused_variable", "parentheses"} <= set(names())


def test_documentation_that_follows_is_a_class_of_its_own() -> None:
    text = "def f(a):\n    'What f is.'\n    return a\n"
    requests: list[tuple[list[Any], bool]] = [
        (["rename_variable", {"rename_function": FOLLOW}], True),
        (["rename_variable", {"rename_function": {"world": "closed"}}], False),
    ]
    for request, documented in requests:
        assert follows_documentation(request) is documented
        assert rewrite(text, request, rate=1.0, seed=1).documented is documented
