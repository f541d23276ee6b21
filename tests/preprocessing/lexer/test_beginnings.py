"""What an unfinished text begins with, in tables and on this project's own code."""

from pathlib import Path

import pytest

from preprocessing.lexer.beginnings import (
    DEAD,
    OPEN,
    SETTLED,
    Place,
    at_the_end,
    first_token,
    places,
    shortest_like,
)
from preprocessing.lexer.tokens import TokensConfig, lex, texts

PLAIN, INSIDE = Place(), Place(brackets=True)
FRESH = Place(before="", indents=(0, 4))
SETTLED_ROWS = [
    ("return x", PLAIN, "return"),
    ("  foo(", PLAIN, "foo"),
    ("):", PLAIN, ")"),
    ("== 1", PLAIN, "=="),
    ("=x", PLAIN, "="),
    ("**x", PLAIN, "**"),
    ("..x", PLAIN, "."),
    ("...", PLAIN, "..."),
    (".5)", PLAIN, ".5"),
    ("1e-5,", PLAIN, "1e-5"),
    ("0xe-1", PLAIN, "0xe"),
    ("'' ", PLAIN, "''"),
    ("'it' ", PLAIN, "'it'"),
    (r"'\'' ", PLAIN, r"'\''"),
    ('rb"x"', PLAIN, 'rb"x"'),
    ('"""a"b"""', PLAIN, '"""a"b"""'),
    ("\n", PLAIN, "<newline>"),
    ("\n  x)", INSIDE, "x"),
    ("\\\n x ", PLAIN, "x"),
    ("    x ", FRESH, "x"),
    ("\n\n      x", FRESH, "<indent>"),
    ("x", FRESH, "<dedent>"),
]
OPEN_ROWS = ["", " ", "retur", "*", "=", ".", "1", "1e", "1e-", "0x", "'", "''", "'a\\'", "b", '"""a""', "\\"]
DEAD_ROWS = [("?", PLAIN), ("# why", PLAIN), ("'a\n", PLAIN), ("!x", PLAIN), ("  x", FRESH)]


@pytest.mark.parametrize(("text", "place", "key"), SETTLED_ROWS)
def test_settled(text: str, place: Place, key: str) -> None:
    assert first_token(text, place) == (SETTLED, key)


@pytest.mark.parametrize("text", OPEN_ROWS)
def test_open(text: str) -> None:
    assert first_token(text, PLAIN).status == OPEN


@pytest.mark.parametrize(("text", "place"), DEAD_ROWS)
def test_no_token_begins_so(text: str, place: Place) -> None:
    assert first_token(text, place).status == DEAD


def test_comments_are_tokens_where_they_are_kept() -> None:
    kept = Place(comments=True)
    assert first_token("  # why", kept).status == OPEN
    assert first_token("  # why\n", kept) == (SETTLED, "# why")


def test_the_end_of_a_text() -> None:
    assert at_the_end(PLAIN) == (SETTLED, "<newline>")
    assert at_the_end(FRESH) == (SETTLED, "<dedent>")
    assert at_the_end(INSIDE).status == DEAD
    assert at_the_end(Place(before="")).status == DEAD


def test_the_projects_own_code_token_by_token() -> None:
    seen = 0
    for path in sorted((Path(__file__).parents[3] / "models").rglob("*.py")):
        text = path.read_text()
        tokens = lex(text)
        spelled = texts(text, tokens, TokensConfig(max_string_chars=None))
        last = 0
        for place, start, end, own in zip(
            places(text, tokens, False), tokens.starts, tokens.ends, spelled, strict=True
        ):
            before, last = text[last:end], end
            if "#" in text[end - len(before) : start]:
                continue
            whole = before + text[end : end + 30]
            first = first_token(whole, place)
            assert first == (SETTLED, own) or (end == len(text) and at_the_end(place) == (SETTLED, own))
            for cut in range(0, len(before) + 1, 3):
                begun = first_token(whole[:cut], place)
                assert begun.status == OPEN or begun == first
                if begun.status == OPEN and first.status == SETTLED:
                    short, near, gap = shortest_like(whole[:cut], place)
                    other = first_token(short + whole[cut:], near)
                    grows = bool(short) and other.key.startswith(short)
                    assert other.status == SETTLED
                    assert (whole[gap:cut] + other.key[len(short) :] if grows else other.key) == own
            seen += 1
    assert seen > 10_000
