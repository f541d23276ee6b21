"""What may stand around an expression, and what may not."""

import pytest

from transformers_py.proof.wrappers import problem

KEEP = [
    ("(", "1", " + 0)"),
    ("(", "0x1f", " | 0)"),
    ("(", "2.5", " * 1)"),
    ("(", "1j", " - 0)"),
    ("(", "'a' 'b'", ' + "")'),
    ("(", "f'{a}'", ' + "")'),
    ("(", "rb'a'", ' + b"")'),
    ("(", "[*a, b]", " + [])"),
    ("(", "[a for a in b]", " + [])"),
    ("(", "(a, b)", " + ())"),
    ("(", "((a, b))", " + ())"),
    ("(lambda value: value)(", "a if b else c", ")"),
    ("(lambda value: value)(", "(yield a)", ")"),
    ("(lambda value: value)((", "yield a, b", "))"),
    ("(lambda value: value)(", "(a,\n b)", ")"),
    ("(lambda: ", "'a'", ")()"),
    ("(", "a + b", " if True else None)"),
    ("((", "lambda: a", ") if True else None)"),
    ("(None if False else ", "a", ")"),
]
BREAK = [
    ("(", "a or b", " if True else None)"),
    ("(lambda value: value)(", "not (a or b)", ")"),
    ("(lambda value: value)(", "a < b < c", ")"),
    ("(", "True", " + 0)"),
    ("(", "a", " + 0)"),
    ("(", "1", " + 1)"),
    ("(", "1", " - 0.0)"),
    ("(", "2.5", " | 0)"),
    ("(", "1e999j", " * 1)"),
    ("(", "b'a'", ' + "")'),
    ("(", "'a' % b", ' + "")'),
    ("(", "a, b", " + ())"),
    ("(", "{a}", " + [])"),
    ("(lambda value: value)(", "a, b", ")"),
    ("(lambda value: value)(", "yield a", ")"),
    ("(lambda value: value)(", "a for a in b", ")"),
    ("(lambda value: other)(", "a", ")"),
    ("(lambda value, other=1: value)(", "a", ")"),
    ("(lambda: ", "a", ")()"),
    ("(lambda: ", "(yield)", ")()"),
    ("(", "a if b else c", " if True else None)"),
    ("(", "lambda: a", " if True else None)"),
    ("(", "a", " if False else None)"),
    ("(", "a", " if True else f())"),
    ("(", "a", " if b else None)"),
    ("", "a", " + 0"),
]


@pytest.mark.parametrize("before, inside, after", KEEP)
def test_is_neutral(before: str, inside: str, after: str) -> None:
    assert problem(before, inside, after) is None


@pytest.mark.parametrize("before, inside, after", BREAK)
def test_is_not_neutral(before: str, inside: str, after: str) -> None:
    assert problem(before, inside, after)
