"""Tokens of a text and of what became of it, told apart by what was done to them."""

import pytest

from models.naturalness.pairs import Pair, Text, pair, tokens_of
from preprocessing.encoding import INSERTED, RENAMED, UNCHANGED
from transformers_py import align, rewrite

TEXT = '''\
# Reads what is there, once.
def read(path):
    """A docstring that is too long to be seen as it is."""
    content = open(path).read()  # all of it
    parts = content.split()
    return f"{parts}"
'''


def rewritten(*rewrites: str) -> Pair:
    options = {"add_comment": {"places": "all"}}
    done = rewrite(TEXT, [{name: options.get(name, {})} for name in rewrites], rate=1.0, seed=1)
    assert done.status == "rewritten"
    edits = [(edit.start, edit.end, edit.text) for edit in done.edits]
    return pair(Text("s", "p", TEXT), done.text, edits, align)


def test_comments_are_words_and_long_strings_are_empty() -> None:
    assert tokens_of(TEXT)[:7] == ["#", "Reads", "what", "is", "there", ",", "once"]
    assert '""""""' in tokens_of(TEXT)


@pytest.mark.parametrize(
    "rewrites",
    [
        ["add_comment"],
        ["rename_variable"],
        ["parentheses", "rename_variable", "add_comment"],
        ["blank_lines"],
    ],
)
def test_what_was_there_is_there_but_for_names(rewrites: list[str]) -> None:
    one = rewritten(*rewrites)
    assert list(one.original) == tokens_of(TEXT)
    for token, origin, change in zip(one.rewritten, one.origins, one.changes, strict=True):
        assert (origin < 0) == (change == INSERTED)
        if change == UNCHANGED:
            assert token == one.original[origin]
        if change == RENAMED:
            assert token != one.original[origin]
    assert sorted(origin for origin in one.origins if origin >= 0) == list(range(len(one.original)))


def test_words_of_an_inserted_comment_are_inserted_one_by_one() -> None:
    one = rewritten("add_comment")
    inserted = [token for token, change in zip(one.rewritten, one.changes, strict=True) if change == INSERTED]
    assert inserted.count("#") > 3
    assert not [token for token in inserted if " " in token]


def test_a_name_inside_of_a_string_that_is_seen_is_renamed_with_it() -> None:
    one = rewritten("rename_variable")
    renamed = [token for token, change in zip(one.rewritten, one.changes, strict=True) if change == RENAMED]
    assert any(token.startswith('f"{') for token in renamed)
