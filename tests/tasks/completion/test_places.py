"""Places of tokens in a rewritten text, by hand, and what rests on them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.encoded import TextSample
from preprocessing.lexer.tokens import lex
from tasks.completion.places import BEHIND, RENAMING, places, scopes
from tasks.completion.scored_tokens import with_inserted
from tasks.completion.scoring import tokens_in_view
from tasks.units import NO_PLACE

#          text                  origins (−1: inserted)                 renamed
TEXTS = {
    "far": ("(a)\nb\nc\nd\ne\nf\ng\n", [-1, 0, -1, *range(1, 14)], []),
    "none": ("n = m\nm = n\n", [*range(8)], [0, 7]),
    "swapped": ("m + k + (k)\n", [0, 1, 2, 3, -1, 4, -1, 5], [2, 5]),
}


def table(texts: dict[str, Any]) -> pa.Table:
    rows = []
    for name, (text, origins, renamed) in texts.items():
        assert len(lex(text)) == len(origins)
        for number, origin in enumerate(origins):
            rows.append((name, origin, 2 if origin < 0 else int(number in renamed)))
    names, origins, changes = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "sample": pa.array(names, pa.string()).dictionary_encode(),
            "origin": pa.array(origins, pa.int32()),
            "change": pa.array(changes, pa.uint8()),
        }
    )


def found(texts: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return places(table(texts), lambda name: texts[name][0], "drop")


def test_distance_from_the_last_insertion_of_the_same_sample() -> None:
    place = found({"far": TEXTS["far"], "none": TEXTS["none"]})
    far, behind = place[:16], ["none", *BEHIND]
    assert far[[0, 2]].tolist() == [NO_PLACE] * 2
    assert [behind[code] for code in far[[1, *range(3, 16)]]] == [
        *("1", "1", "2", "3-4", "3-4"),
        *(("5-10",) * 6),
        *(("11-",) * 3),
    ]
    assert {behind[code & 7] for code in place[16:]} == {"none"}


def test_occurrences_of_a_new_name_are_those_of_its_spelling() -> None:
    renaming = [RENAMING[code >> 3] for code in found({"none": TEXTS["none"]})]
    assert renaming == ["first", *["never"] * 6, "later"]
    swapped = found({"swapped": TEXTS["swapped"]})
    assert [RENAMING[code >> 3] for code in swapped[[2, 5]]] == ["first", "later"]


def test_scopes_share_the_original_tokens_out() -> None:
    place = found(TEXTS)
    inside = dict(scopes(place))
    whole = (place != NO_PLACE).astype(int)
    for prefix in ("behind:", "renaming:"):
        parts = [own for name, own in inside.items() if name.startswith(prefix) and name != "renaming:any"]
        assert np.array_equal(np.sum(parts, axis=0), whole)
    assert inside["renaming:any"].sum() == 4
    assert inside["context_alone"].sum() == 9 + 6 + 3  # far and unchanged
    assert not (inside["context_alone"] & inside["renaming:any"]).any()


def test_no_tokens_no_places() -> None:
    assert len(found({})) == 0


def test_a_whole_text_costs_what_its_original_tokens_and_the_inserted_ones_cost() -> None:
    origins, tokens = np.array([-1, 0, -1, 1, -1, -1, 0]), np.array([0, 1, 2, 3, 4, 0, 1])
    bits = np.array([1, 2, 4, 8, 16, 32, 64], np.float32)
    assert with_inserted(bits, origins, tokens).tolist() == [0, 3, 0, 28, 0, 0, 96]
    assert with_inserted(bits[:2], np.array([-1, -1]), np.array([0, 1])).tolist() == [0, 0]


def sample(starts: list[int], origins: list[int], ends: list[float] | None = None) -> TextSample:
    n = starts[-1] if ends is None else int(np.ceil(ends[-1]))
    return TextSample(
        sample="s",
        project="p",
        subwords=np.zeros(n, np.int64),
        token_starts=np.array(starts) if ends is None else np.arange(n + 1),
        kinds=np.zeros(len(origins), np.uint8),
        origins=np.array(origins, np.int32),
        changes=np.zeros(len(origins), np.uint8),
        ends=None if ends is None else np.array(ends),
        sizes=None if ends is None else np.ones(len(origins), np.int32),
    )


@pytest.mark.parametrize(
    ("context", "kept", "seen"),
    [
        (None, 0, [0, 1, 1, 2, 3, 4]),
        (4, 0, [0, 1, 0, 1, 0, 1]),  # windows of subwords 0–3, 4–6, 7–9
        (4, 2, [0, 1, 0, 1, 1, 1]),  # two subwords of the window before are read again
        (100, 50, [0, 1, 1, 2, 3, 4]),
    ],
)
def test_original_tokens_in_view(context: int | None, kept: int, seen: list[int]) -> None:
    model: Any = SimpleNamespace(context=context, kept=kept)
    text = sample([0, 2, 4, 6, 7, 9, 10], [0, -1, 1, 2, 3, 4])
    assert tokens_in_view(text, model).tolist() == seen


def test_tokens_in_view_where_subwords_span_tokens() -> None:
    model: Any = SimpleNamespace(context=2, kept=0)
    text = sample([], [0, 1, 2, 3], ends=[0.5, 1.0, 2.5, 4.0])  # windows of subwords 0–1, 2–3
    assert tokens_in_view(text, model).tolist() == [0, 1, 2, 0]
    assert tokens_in_view(sample([0], []), model).tolist() == []
