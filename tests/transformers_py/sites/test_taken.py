"""What is inserted beside renamings doesn't tell the old names."""

import sysconfig
from pathlib import Path
from typing import Any

import pytest

from transformers_py import Source, emit, lookup, names
from transformers_py.sites.name_parts import parts
from transformers_py.sites.taken import Taken, hidden_words, said
from transformers_py.source.cpython import words
from transformers_py.source.edits import Edit

TEXT = """import os


def largest_pair(pairs, limit=3):
    largest = None
    best_size = 0
    for pair in pairs:
        if len(pair) > best_size:
            largest, best_size = pair, len(pair)
    report = f"{best_size} of {limit}"
    os.write(1, report)
    if largest is None:
        raise ValueError("no largest")
    return largest


def size_of(path):
    best = os.stat(path)
    return best.st_size
"""
RENAMING = [name for name in names() if getattr(lookup(name), "RENAMES", "")]
FIXED = ["docstring_comment", "lambda_identity"]
"""What they insert stands in the text anyway, or has the same words everywhere."""
INSERTING = [name for name in names() if name not in (*RENAMING, *FIXED)]
ROOT = Path(sysconfig.get_paths()["stdlib"])
TEXTS = {"sample": TEXT} | {
    name: (ROOT / name).read_text() for name in ("shelve.py", "queue.py", "fnmatch.py", "configparser.py")
}
PLAIN = [{"add_comment": {"style": "plain"}}, {"dead_branch": {"body": "plausible"}}]
MISLEADING = [{"add_comment": {"style": "misleading", "places": "all"}}]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("inserting", [INSERTING, PLAIN, MISLEADING])
def test_no_inserted_text_tells_an_old_name(name: str, inserting: list[Any]) -> None:
    source = Source.analyse(TEXTS[name])
    for seed in range(3):
        done = emit(source, [*RENAMING, *inserting], rate=1.0, seed=seed)
        assert done.status == "rewritten", done.problem
        renamed = [edit for edit in done.edits if edit.end > edit.start]
        old = {source.text[edit.start : edit.end] for edit in renamed}
        new = {edit.text for edit in renamed}
        left = {part.lower() for word in words(_rest(source, renamed)) for part in parts(word)}
        apart = {part.lower() for word in old for part in parts(word) if len(part) > 2} - left
        told = {word for word in old if len(word) > 2} | apart
        assert told
        for edit in done.edits:
            if edit.start == edit.end:
                found = set(words(edit.text)) - new
                assert told.isdisjoint({*found, *(p.lower() for w in found for p in parts(w))} & told), (
                    edit.text
                )


def _rest(source: Source, renamed: list[Edit]) -> str:
    """What the renamings leave of a text."""
    pieces, start = [], 0
    for edit in renamed:
        pieces.append(source.text[start : edit.start])
        start = edit.end
    return " ".join([*pieces, source.text[start:]])


def test_inserted_text_is_the_same_at_each_rate_but_for_names_that_follow() -> None:
    source = Source.analyse(TEXT)
    few, many = (
        emit(source, ["rename_variable", "add_comment"], rate=rate, seed=4).edits for rate in (0.5, 1.0)
    )
    assert set(few) <= set(many)
    assert any("#" in edit.text for edit in few)


def test_hidden_words() -> None:
    source = Source.analyse(TEXT)
    at = TEXT.index("largest = None")
    every = [Edit(k, k + 7, "x") for k in range(len(TEXT)) if TEXT.startswith("largest", k)]
    assert hidden_words(source, [Edit(at, at + 7, "x")]) == {"largest"}
    assert "best" not in hidden_words(source, every)
    sizes = [Edit(k, k + 9, "x") for k in range(len(TEXT)) if TEXT.startswith("best_size", k)]
    assert hidden_words(source, sizes) == {"best_size"}, "both words are in other names"
    taken = Taken((), frozenset(["largest"]))
    assert taken.tells("# keep the largest")
    assert taken.tells("new_largest = 1")
    assert not taken.tells("# keep the large ones")
    assert said("maxRows") == {"maxRows", "max", "rows"}
