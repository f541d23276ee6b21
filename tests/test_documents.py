"""Places that documents name are there."""

import re
from pathlib import Path

import pytest

from benchmarks import naturalness

PLACE = re.compile(r"`([\w.-]+/[\w./-]*|[\w-]+\.(?:md|cff|toml))`")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/tasks.md"])
def test_places_that_a_page_names_are_there(name: str) -> None:
    places = PLACE.findall(Path(name).read_text())
    assert places
    assert [place for place in places if not Path(place).exists()] == []


def test_targets_that_contributing_names_are_there() -> None:
    named = set(re.findall(r"(?:`|    )make ([a-z-]+)", Path("CONTRIBUTING.md").read_text()))
    assert named
    assert named <= set(re.findall(r"^([a-z-]+):", Path("Makefile").read_text(), re.MULTILINE))


def test_the_page_on_naturalness_has_the_table_of_what_was_measured() -> None:
    page = Path("docs/naturalness.md").read_text()
    files = re.findall(r"--table ([^\n]*json) -->", page)
    assert len(files) == 1
    lines = naturalness.table(*map(Path, files[0].split()))
    assert page.endswith("\n" + "\n".join(lines) + "\n")
