"""Each style makes the names that it says, from the old name, and nothing else."""

from itertools import islice
from random import Random

import pytest

from transformers_py.sites.name_parts import parts
from transformers_py.sites.new_names import NewNames
from transformers_py.sites.styles import lookup
from transformers_py.sites.styles.abbreviation import FORMS
from transformers_py.sites.styles.inflection import forms
from transformers_py.sites.styles.synonym import SYNONYMS
from transformers_py.sites.styles.typing_error import NEIGHBOURS


def made(style: str, old: str, seed: int = 1) -> list[str]:
    return list(islice(lookup(style).candidates(old, Random(seed).random), 60))


def distance(one: str, other: str) -> int:
    """Optimal string alignment: insertions, deletions, substitutions, neighbours swapped."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, rows[i - 2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


@pytest.mark.parametrize("old", ["total", "total_count", "_maxItems2", "n", "HTTPServer"])
def test_a_typing_error_is_one_slip(old: str) -> None:
    for seed in range(20):
        slips = [new for new in made("typing_error", old, seed) if new and new != old]
        assert {distance(old, new) for new in slips} == {1}


def test_fingers_slip_to_the_keys_around() -> None:
    assert set(NEIGHBOURS["g"]) == set("fhtyvb")
    assert set(NEIGHBOURS["q"]) == set("wa")
    assert all(letter in NEIGHBOURS[other] for letter in NEIGHBOURS for other in NEIGHBOURS[letter])


def test_letter_case_changes_no_letter() -> None:
    for old in ("total_count", "n", "_maxItems2"):
        names = made("letter_case", old)
        assert names
        assert all(new != old and new.lower() == old.lower() for new in names)
    assert set(made("letter_case", "_1")) == {"_1"}


@pytest.mark.parametrize(
    "old, new",
    [
        ("total_count", ["totalCount"]),
        ("totalCount", ["total_count"]),
        ("_max_item_2", ["_maxItem2"]),
        ("MAX_SIZE", ["maxSize"]),
        ("HTTPServer", ["http_server"]),
        ("total", []),
        ("n", []),
        ("_", []),
    ],
)
def test_snake_camel(old: str, new: list[str]) -> None:
    assert made("snake_camel", old) == new


@pytest.mark.parametrize(
    "word, others",
    [
        ("item", ["items", "itemed", "iteming"]),
        ("items", ["item"]),
        ("entry", ["entries", "entried", "entrying"]),
        ("entries", ["entry"]),
        ("box", ["boxes", "boxed", "boxing"]),
        ("boxes", ["box"]),
        ("remove", ["removes", "removed", "removing"]),
        ("pop", ["pops", "popped", "popping"]),
        ("filtered", ["filters"]),
        ("index", ["indices"]),
        ("children", ["child"]),
        ("is", ["was"]),
        ("n", []),
        ("xs", []),
    ],
)
def test_inflection(word: str, others: list[str]) -> None:
    assert forms(word) == others


def test_one_word_is_another_one_in_its_case() -> None:
    assert set(made("inflection", "_maxItems2")) >= {"_maxItem2", "_maxesItems2"}
    assert set(made("synonym", "countWords")) <= {
        *(f"{word}Words" for word in SYNONYMS["count"]),
        *(f"count{word.capitalize()}" for word in SYNONYMS.get("words", ())),
    }
    assert "MSG_CNT" not in made("abbreviation", "MESSAGE_COUNT")
    assert {"MSG_COUNT", "MESSAGE_CNT"} <= set(made("abbreviation", "MESSAGE_COUNT"))
    assert "message_count" in made("abbreviation", "msg_count")
    assert made("abbreviation", "n") == ["number"]
    assert made("synonym", "qzxv") == []


@pytest.mark.parametrize("table", [SYNONYMS, FORMS])
def test_tables_lead_back(table: dict[str, list[str]]) -> None:
    for word, others in table.items():
        assert word.isalpha(), word
        assert word.islower(), word
        assert word not in others, word
        assert len(set(others)) == len(others), word
        assert all(len(other) == 1 or word in table[other] for other in others), word


def test_one_numbering_for_all_names() -> None:
    taken = {"total", "_func_3"}
    first = NewNames(Random(1), taken)
    drawn = [first.draw("numbered", "a", "arg"), first.draw("numbered", "_b", "arg")]
    assert drawn == ["arg_1", "_arg_2"]
    second = NewNames(Random(2), taken | set(drawn))
    assert [second.draw("numbered", old, "var") for old in ("x", "y")] == ["var_4", "var_5"]


def test_what_is_taken_is_passed_over() -> None:
    assert NewNames(Random(1), {"totalCount"}).draw("snake_camel", "total_count") == ""
    assert NewNames(Random(1), set()).draw("abbreviation", "integer") == ""  # int is a builtin
    assert parts(NewNames(Random(1), set()).draw("typing_error", "_total"))[0] == "_"
