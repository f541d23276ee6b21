"""Windows hold every token once, whatever is packed, and texts are taken only as they are needed."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from models.kinds.gpt import Config as GptConfig
from models.kinds.gpt.network import Gpt
from models.kinds.gru import Config as GruConfig
from models.kinds.gru.network import Gru
from models.scoring.scorer import Scorer
from models.scoring.windows import Lane, windows
from models.vocabulary import Vocabulary


def model(kind: str, size: int) -> Any:
    torch.manual_seed(0)
    if kind == "gru":
        return Gru(GruConfig(d_model=8), size).eval().requires_grad_(False)
    return Gpt(GptConfig(d_model=8, layers=1, heads=2, context=16), size).eval().requires_grad_(False)


@pytest.mark.parametrize("kind", ["gru", "gpt"])
@pytest.mark.parametrize("pack", [False, True])
def test_every_token_once(kind: str, pack: bool, vocabulary: Vocabulary, texts: list[Any]) -> None:
    slots = [Lane(text) for text in texts if len(text.subwords)]
    seen = []
    with torch.inference_mode():
        for window in windows(model(kind, vocabulary.size), slots, rows=3, window=16, pack=pack):
            at = 0
            for piece in window.pieces:
                place = slots.index(piece.slot)
                seen += [(place, token) for token in range(piece.token, piece.token + piece.count)]
                own = window.targets[window.starts[at] : window.starts[at + piece.count]]
                np.testing.assert_array_equal(own, piece.slot.text.subwords[piece.first : piece.last])
                at += piece.count
            assert len(window.position) == len(window.targets) == window.starts[-1]
    assert sorted(seen) == [(n, token) for n, slot in enumerate(slots) for token in range(slot.tokens)]


def test_windows_of_a_model_that_forgets_are_full(vocabulary: Vocabulary, texts: list[Any]) -> None:
    slots = [Lane(text) for text in texts if len(text.subwords)]
    with torch.inference_mode():
        found = list(windows(model("gru", vocabulary.size), slots, rows=2, window=16))
    sizes = [len(window.targets) for window in found]
    assert all(size >= 2 * 16 - 2 * 4 for size in sizes[:-4])  # but for what a token's end leaves open


def test_long_tokens_and_small_contexts(vocabulary: Vocabulary, tokenizer: Any) -> None:
    tokens = ["ab", "aba" * 30, "b", "<newline>"]
    encoded = tokenizer.encode(tokens)
    text = SimpleNamespace(
        subwords=np.array([i for ids in encoded for i in ids]),
        token_starts=np.cumsum([0, *map(len, encoded)]),
    )
    for kind in ("gru", "gpt"):
        scorer = Scorer(model=model(kind, vocabulary.size), vocabulary=vocabulary, window=4)
        [scored] = scorer.score([text])
        assert np.isfinite(scored.nll).all()
        assert len(scored.nll) == 4


@pytest.mark.parametrize("kind", ["gru", "gpt"])
def test_texts_are_taken_as_they_are_needed(
    kind: str, vocabulary: Vocabulary, texts: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.scoring.windows.POOL_SUBWORDS", 300)
    taken = 0

    def endless() -> Iterator[Any]:
        nonlocal taken
        while True:
            for text in texts:
                taken += 1
                yield text

    scored = Scorer(model=model(kind, vocabulary.size), vocabulary=vocabulary, rows=4, ranks=False)
    ahead = []
    for given, _ in enumerate(scored.score(endless())):
        ahead.append(taken - given)
        if given == 400:
            break
    assert max(ahead[200:]) <= max(ahead[:100])
    assert max(ahead) < 60
