"""What is asked for is checked, and every error names what would be right."""

import pytest

from transformers_py import check, names


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
