"""Words, names and values come from the file, and are whole."""

import pytest

from transformers_py import Source
from transformers_py.sites.new_names import FORBIDDEN, Dice
from transformers_py.sites.taken import Taken
from transformers_py.sites.vocabulary import (
    KINDS,
    literal,
    literals,
    near_name,
    nouns,
    parameters,
    term_of,
    words_of,
)

TEXT = """
def load_rows(table_path, *, default_limit=20, sep="; "):
    maxRows = default_limit or 20
    for row in open(table_path, errors="strict"):
        yield row.split(sep)[:maxRows], None, [], 2.5


def camel(firstItem, secondItem):
    bestItem = firstItem
    return bestItem
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default_timeout", ("default", "timeout")),
        ("parseItems", ("parse", "items")),
        ("_HTTPServer", ()),
        ("i18n", ()),
        ("__init__", ()),
        ("__future__", ()),
        ("x", ()),
        ("n_rows", ()),
        ("str", ()),
        ("user_id", ("user", "id")),
        ("größe", ()),
        ("_", ()),
    ],
)
def test_words(name: str, expected: tuple[str, ...]) -> None:
    assert words_of(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default_timeout", ("default", "timeout")),
        ("get_rows", ("rows",)),
        ("from_file", ("file",)),
        ("strict", ()),
        ("has_rows", ()),
        ("all_tasks_done", ()),
        ("is_dominant", ()),
        ("sorted_by", ()),
        ("parsed", ()),
        ("seed", ("seed",)),
        ("symbol_table", ("symbol", "table")),
        ("callable", ()),
    ],
)
def test_what_a_name_stands_for(name: str, expected: tuple[str, ...]) -> None:
    assert term_of(name) == expected


def test_literals_of_the_file() -> None:
    found = literals(Source.analyse('"""Doc."""\n' + TEXT))
    assert found["int"] == ["20", "20"]
    assert found["str"] == ['"; "', '"strict"']
    assert (found["float"], found["none"], found["list"], found["dict"]) == (["2.5"], ["None"], ["[]"], [])
    assert all("Doc" not in text for texts in found.values() for text in texts)


def test_strings_that_would_not_fit_are_no_values() -> None:
    long = Source.analyse(f"x = [b'a', f'{{x}}', r'b', 'c\\n', '{'d' * 30}', '''e''', 'ä', 'f']\n")
    assert literals(long)["str"] == ["'f'"]


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_a_kind(kind: str) -> None:
    source = Source.analyse(TEXT)
    for seed in range(20):
        assert literal(source, Dice(str(seed)), Taken(), kind)[0] == kind


def test_names_are_made_of_words_nearby_in_the_style_of_the_file() -> None:
    source = Source.analyse(TEXT)
    scope = next(scope for scope in source.scopes if "table_path" in scope.bindings)
    taken = Taken(source.words)
    near = nouns(source, scope, taken)
    assert {"path", "limit", "rows", "row"} <= set(near)
    assert {"table", "default"}.isdisjoint(near), "words before a noun"
    other = next(scope for scope in source.scopes if "bestItem" in scope.bindings)
    for seed in range(40):
        name = near_name(source, scope, Dice(str(seed)), taken)
        assert name.isidentifier()
        assert name not in source.words | FORBIDDEN
        assert not set(name.split("_")).isdisjoint(near), name
        assert "_" not in near_name(source, other, Dice(str(seed)), taken)


def test_there_are_words_for_files_without_names() -> None:
    source = Source.analyse("def f(): return 1\n")
    assert len(nouns(source, source.scopes[1], Taken())) >= 5
    assert parameters(source) == []
    assert near_name(source, source.scopes[1], Dice("1"), Taken(source.words))
