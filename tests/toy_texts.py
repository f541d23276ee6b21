"""A toy tokenizer over the letters a and b, and small models over it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from models.vocabulary import Vocabulary
from preprocessing import shards, tokenizers

SPECIALS = ["<file>", "<newline>", "<indent>", "<dedent>"]


class ToyTokenizer:
    """Longest match from the left; the end of a token is a NUL, as in the real ones."""

    def __init__(self) -> None:
        self.spellings = [*SPECIALS, "a", "b", "a\0", "b\0", "ab", "ba", "ab\0", "aab", "\0", "bb\0"]
        self.pieces = [spelling.encode() for spelling in self.spellings]
        self.vocab_size = len(self.pieces)
        self.ends = np.array([i < 4 or s.endswith("\0") for i, s in enumerate(self.spellings)])

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._encode(text) for text in texts]

    def _encode(self, text: str) -> list[int]:
        if text in SPECIALS:
            return [SPECIALS.index(text)]
        rest, ids = text + "\0", []
        while rest:
            best = max((s for s in self.spellings[4:] if rest.startswith(s)), key=len)
            ids.append(self.spellings.index(best))
            rest = rest[len(best) :]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.spellings[i].rstrip("\0") for i in ids)

    def is_canonical(self, ids: Sequence[int]) -> bool:
        if not all(i >= 4 for i in ids):
            return len(ids) == 1
        text = "".join(self.spellings[i] for i in ids)
        return text.count("\0") == 1 and text.endswith("\0") and self._encode(text[:-1]) == list(ids)


class ToyText:
    """A text of random tokens."""

    def __init__(self, tokenizer: ToyTokenizer, tokens: Sequence[str]) -> None:
        encoded = tokenizer.encode(tokens)
        self.subwords = np.array([i for token in encoded for i in token], dtype=np.int64)
        self.token_starts = np.cumsum([0, *(len(token) for token in encoded)])


def random_tokens(rng: np.random.Generator, n: int) -> list[str]:
    """Short words over a and b, and new lines."""
    words = ["<newline>", "a", "b", "ab", "ba", "aab", "bb", "abab", "bba"]
    return [words[i] for i in rng.integers(len(words), size=n)]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def tokenizer() -> ToyTokenizer:
    return ToyTokenizer()


@pytest.fixture
def vocabulary(tokenizer: ToyTokenizer) -> Vocabulary:
    return Vocabulary(tokenizer)


@pytest.fixture
def texts(tokenizer: ToyTokenizer) -> list[ToyText]:
    """Texts of different lengths, an empty one among them."""
    rng = np.random.default_rng(3)
    return [ToyText(tokenizer, random_tokens(rng, n)) for n in (40, 3, 0, 77, 1, 25, 130, 9, 2, 61, 18, 5)]


@pytest.fixture
def tokenizer_folder(tmp_path: Path, tokenizer: ToyTokenizer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that loads as the toy tokenizer."""
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    (folder / "tokenizer.json").write_text("{}")
    monkeypatch.setattr(tokenizers, "load", lambda _: tokenizer)
    return folder


@pytest.fixture
def shard(tmp_path: Path, tokenizer: ToyTokenizer) -> Path:
    """An encoded shard: five training samples, two for validation, three for tests, one of them empty."""
    folder = tmp_path / "shard"
    folder.mkdir()
    rng = np.random.default_rng(1)
    with shards.ShardWriter(folder, tokenizer.vocab_size) as writer:
        for i, (split, n) in enumerate(
            [*[("train", 60)] * 5, *[("valid", 30)] * 2, ("test", 50), ("test", 0), ("test", 12)]
        ):
            tokens = random_tokens(rng, n)
            row = {"sample": f"{i:016x}", "project": f"p{i % 3}", "path": f"{i}.py", "split": split}
            writer.add(
                sample={**row, "outcome": "rewritten" if i % 2 else "unchanged", "n_bytes": n},
                subwords=tokenizer.encode(tokens),
                kinds=[5 if token == "<newline>" else 0 for token in tokens],
                origins=[-1 if k % 7 == 6 else k - k // 7 for k in range(n)],
                changes=[2 if k % 7 == 6 else int(k % 5 == 0) for k in range(n)],
            )
    return folder


@pytest.fixture
def make_text(tokenizer: ToyTokenizer) -> Callable[[Sequence[str]], ToyText]:
    """Makes a text of given tokens."""
    return lambda tokens: ToyText(tokenizer, tokens)
