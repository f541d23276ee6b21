"""Excerpts: where most changed, bounded, the same statements on both sides."""

from typing import Literal

import numpy as np
import pytest

from grid.results import excerpts
from grid.results.excerpts import ScoredText, cut
from preprocessing.lexer.tokens import lex
from transformers_py import align, rewrite


def scored(
    text: str,
    bits: float | list[float] = 1.0,
    pairs: list[tuple[int, int]] | None = None,
    comments: Literal["drop", "keep"] = "drop",
) -> ScoredText:
    tokens = lex(text, comments)
    pairs = pairs or [(i, 0) for i in range(len(tokens))]
    values = [bits] * len(tokens) if isinstance(bits, float) else bits
    return ScoredText(
        text=text,
        starts=np.array(tokens.starts, dtype=np.int64),
        ends=np.array(tokens.ends, dtype=np.int64),
        kinds=np.array(tokens.kinds, dtype=np.uint8),
        changes=np.array([change for _, change in pairs], dtype=np.uint8),
        origins=np.array([origin for origin, _ in pairs], dtype=np.int64),
        bits=np.array(values, dtype=np.float32),
    )


def both(before: str, name: str) -> tuple[ScoredText, ScoredText]:
    done = rewrite(before, [name], rate=1.0, seed=1)
    edits = [(edit.start, edit.end, edit.text) for edit in done.edits]
    pairs = list(align(list(lex(before).spans()), list(lex(done.text).spans()), edits))
    bits = [1.0 if origin < 0 else 1.0 + (origin % 7 == 3) for origin, _ in pairs]
    return scored(before), scored(done.text, bits, pairs)


def test_a_short_text_is_shown_whole_with_the_bits_of_both_sides() -> None:
    before, after = scored("x = 1\ny = x\n"), scored("x = 1\ny = x\n", 3.0)
    found = cut(before, after)
    assert found is not None
    original, rewritten = found
    assert original["text"] == rewritten["text"] == "x = 1\ny = x\n"
    assert original["line"] == 1
    assert [t["bits"] for t in original["tokens"]] == [1.0] * 8
    assert [t["bits_other"] for t in original["tokens"]] == [3.0] * 8
    assert [t["bits_other"] for t in rewritten["tokens"]] == [1.0] * 8


def test_the_lines_that_changed_most_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excerpts, "MAX_TOKENS", 8)
    text = "".join(f"a{n} = {n}\n" for n in range(50))
    bits = [1.0] * 200
    bits[4 * 30] = 9.0
    found = cut(scored(text), scored(text, bits))
    assert found is not None
    assert "a30 = 30\n" in found[1]["text"]
    assert found[1]["text"].count("\n") == 2
    assert found[1]["line"] in (30, 31)


@pytest.mark.parametrize("name", ["dead_branch", "rename_variable", "if_true"])
def test_what_was_inserted_belongs_to_the_statement_that_follows(name: str) -> None:
    text = "def f(a, b):\n    total = a\n    for x in b:\n        total += x\n    return total\n" * 20
    before, after = both(text, name)
    found = cut(before, after)
    assert found is not None
    original, rewritten = found
    for side in found:
        assert len(side["text"]) <= excerpts.MAX_CHARS + 80  # the indentation of the first line comes on top
        assert len(side["tokens"]) <= excerpts.MAX_TOKENS
        assert all(
            side["text"][t["start"] : t["end"]].isidentifier() for t in side["tokens"] if t["kind"] == 0
        )
    aligned = [t for t in rewritten["tokens"] if t["bits_other"] is not None]
    assert len(aligned) == len(original["tokens"])
    assert all(t["change"] == 2 for t in rewritten["tokens"] if t["bits_other"] is None)
    assert [t["bits"] for t in aligned] == [t["bits_other"] for t in original["tokens"]]


def test_an_indent_that_passed_a_comment_keeps_its_bits() -> None:
    text = "def f():\n    # c\n    x = 1\n"
    done = rewrite(text, ["no_op"], rate=1.0, seed=1)
    pairs = align(list(lex(text, "keep").spans()), list(lex(done.text, "keep").spans()), done.edits)
    before = scored(text, [float(i) for i in range(len(lex(text, "keep")))], comments="keep")
    bits = [100.0 + origin if origin >= 0 else 0.0 for origin, _ in pairs]
    found = cut(before, scored(done.text, bits, pairs, comments="keep"))
    assert found is not None
    for side, sign in zip(found, (100, -100), strict=True):
        shared = [t for t in side["tokens"] if t["bits_other"] is not None]
        assert len(shared) == len(before.bits) - 1  # the DEDENT is behind the statement
        assert all(t["bits_other"] == t["bits"] + sign for t in shared)


def test_a_statement_that_is_too_long_is_cut_at_a_token() -> None:
    text = "x = [" + ", ".join(map(str, range(1000))) + "]\n"
    found = cut(scored(text), scored(text, 2.0))
    assert found is not None
    assert found[0]["text"].startswith("x = [0, 1")
    assert len(found[0]["text"]) <= excerpts.MAX_CHARS
    assert len(found[0]["tokens"]) == excerpts.MAX_TOKENS


def test_a_token_that_is_longer_than_an_excerpt_may_be_gives_none() -> None:
    text = f'"""{"x" * 5000}"""\n'
    assert cut(scored(text), scored(text, 2.0)) is None
