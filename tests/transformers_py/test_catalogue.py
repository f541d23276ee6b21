"""The catalogue names every rewrite with measured growth, and the committed page is the one it makes."""

from pathlib import Path

from transformers_py import names
from transformers_py.catalogue import entries, page

PAGE = Path(__file__).parents[2] / "docs" / "rewrites.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run python -m transformers_py.catalogue > docs/rewrites.md"
    )


def test_every_rewrite_has_an_entry() -> None:
    found = {entry.name: entry for entry in entries()}
    assert sorted(found) == sorted(names())
    assert found["parentheses"].growth.mean == 2
    assert found["blank_lines"].growth.highest == 0
    assert found["if_true"].growth.mean == 6
    assert {choice for option in found["split_line"].options for choice in option.choices} >= {"commas"}
