"""Comments speak of their statement, in whole words of its names."""

import re
from itertools import pairwise

import pytest

from transformers_py import Source, emit
from transformers_py.sites.new_names import Dice
from transformers_py.sites.phrases import comment
from transformers_py.sites.taken import Taken

TEXT = """from __future__ import annotations
from i18n import n_


class RowReader:
    def __init__(self, table_path, cfg=None):
        self._table_path = table_path
        self.n = 1
        self.cfg = cfg

    def read_rows(self, max_rows):
        found = []
        for row in self._table_path:
            if len(found) < max_rows:
                found.append(row)
        return found
"""
SOURCE = Source.analyse(TEXT)
BAD = re.compile(r"\b(i|n|i18n|init|future|str|len|the the)\b|__|_")


@pytest.mark.parametrize("misleading", [False, True])
def test_words_are_whole(misleading: bool) -> None:
    for node in SOURCE.nodes:
        if type(node).__name__ in ("SimpleStatementLine", "If", "For", "FunctionDef", "ClassDef"):
            for seed in range(30):
                text = comment(SOURCE, node, Dice(str(seed)), Taken(), misleading=misleading)
                assert not BAD.search(text), text
                assert text.strip() == text
                assert "{" not in text


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("self._table_path =", "table path"),
        ("self.cfg =", "config"),
        ("def read_rows", "read the rows"),
        ("for row", "table path"),
        ("return found", "that is all"),
        ("found.append(row)", "append the row"),
        ("def __init__", "row reader"),
        ("class RowReader", "row reader"),
    ],
)
def test_a_comment_says_what_its_statement_is_about(start: str, expected: str) -> None:
    table = zip(SOURCE.nodes, SOURCE.inner_starts, strict=True)
    kinds = ("SimpleStatementLine", "For", "FunctionDef", "ClassDef")
    node = next(n for n, at in table if TEXT.startswith(start, at) and type(n).__name__ in kinds)
    found = {comment(SOURCE, node, Dice(str(seed)), Taken(), misleading=False) for seed in range(60)}
    assert any(expected in text for text in found), found


def test_a_file_whose_comments_start_with_capitals_gets_such() -> None:
    source = Source.analyse("# One.\n" + TEXT + "# Two.\n")
    assert comment(source, source.nodes[1], Dice("1"), Taken(), misleading=False)[0].isupper()
    assert comment(SOURCE, SOURCE.nodes[1], Dice("1"), Taken(), misleading=False)[0].islower()


def test_few_places_are_apart_and_not_beside_the_files_own() -> None:
    text = TEXT.replace("        found = []\n", "        # what is found\n        found = []\n")
    done = emit(Source.analyse(text), ["add_comment"], rate=1.0, seed=1)
    lines = done.text.splitlines()
    commented = [k for k, line in enumerate(lines) if "#" in line]
    assert len(commented) >= 3
    assert all(later - former >= 3 for former, later in pairwise(commented)), done.text
    assert not any("import" in lines[k] for k in commented)
