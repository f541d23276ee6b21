"""A closed vocabulary of sub-tokens, split at case and underscore: what is rare is unknown.

    parseHTTPResponse_v2 → parse HTTP Response _ v 2

It stands beside byte-pair encoding because how each of them suffers from renaming is a result in itself
(Allamanis & Sutton 2013; Karampatsis et al. 2020, section 4).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field
from tokenizers import Tokenizer as Library
from tokenizers import models

from preprocessing.errors import BadInput
from preprocessing.tokenizers import END, SPECIALS, LearnedConfig, describe

UNKNOWN = "<unk>"
_KNOWN = 500_000  # so many distinct tokens are remembered
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+|\s+|.", re.DOTALL)
_RESERVED = [
    f" {symbol}" for symbol in (*SPECIALS, UNKNOWN, UNKNOWN + END)
]  # as in the file; no piece is like these
_UNKNOWN_ID, _UNKNOWN_END_ID = len(SPECIALS), len(SPECIALS) + 1


class Config(LearnedConfig):
    """The `vocab_size` most frequent sub-tokens that occur `min_count` times or more; others are unknown.

    A sub-token that ends its token is another one than the same inside of a token. `vocab_size`
    includes the 4 special symbols and the 2 for what is unknown, inside and at the end.
    """

    kind: Literal["subtoken"] = "subtoken"
    vocab_size: int = Field(default=10_000, ge=len(_RESERVED) + 1)
    min_count: int = Field(default=2, ge=1)


def train(config: Config, token_texts: Iterator[str], out: Path) -> dict[str, Any]:
    """Count sub-tokens, and write tokenizer.json. Raises BadInput without a single token."""
    counts: Counter[str] = Counter()
    n_tokens = 0
    for text in token_texts:
        counts.update(split(text))
        n_tokens += 1
    if not n_tokens:
        raise BadInput("tokenizer: the training split has no tokens to learn from")
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    words = [word for word, count in ranked if count >= config.min_count][
        : config.vocab_size - len(_RESERVED)
    ]
    vocabulary = {word: number for number, word in enumerate([*_RESERVED, *words])}
    library = Library(models.WordLevel(vocabulary, unk_token=_RESERVED[_UNKNOWN_ID]))
    (out / "tokenizer.json").write_text(library.to_str(pretty=True), encoding="utf-8")
    describe(out, "subtoken", len(vocabulary))
    covered = sum(counts[word] for word in words)
    return {
        "vocab_size": len(vocabulary),
        "training_tokens": n_tokens,
        "unknown_subtokens": 1 - covered / counts.total(),
    }


def load(folder: Path) -> "Subtoken":
    """The tokenizer in a folder that `train` filled."""
    return Subtoken(Library.from_file(str(folder / "tokenizer.json")).get_vocab())


def split(text: str) -> list[str]:
    """The sub-tokens of one token; the last one has the end of the token in its spelling."""
    pieces: list[str] = _PIECE.findall(text)
    if pieces:
        pieces[-1] += END
    return pieces or [END]


class Subtoken:
    """A trained tokenizer; see preprocessing.tokenizers.Tokenizer. What is unknown decodes to `<unk>`."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self._ids = {word: number for word, number in vocabulary.items() if number >= len(_RESERVED)}
        self.vocab_size = len(vocabulary)
        spelled = [word for word, _ in sorted(vocabulary.items(), key=lambda item: item[1])]
        reserved = [*SPECIALS, UNKNOWN, UNKNOWN + END]
        self.pieces = [word.encode() for word in [*reserved, *spelled[len(reserved) :]]]
        self.ends = np.array(
            [n < len(SPECIALS) or piece.endswith(b"\0") for n, piece in enumerate(self.pieces)]
        )
        self.unknown = np.isin(np.arange(self.vocab_size), [_UNKNOWN_ID, _UNKNOWN_END_ID])
        self._symbols = {symbol: [number] for number, symbol in enumerate(SPECIALS)}
        self._known = dict(self._symbols)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The subwords of each token."""
        if len(self._known) > _KNOWN:
            self._known = dict(self._symbols)
        return [self._known.get(text) or self._encode(text) for text in texts]

    def _encode(self, text: str) -> list[int]:
        *inner, last = split(text)
        ids = [self._ids.get(piece, _UNKNOWN_ID) for piece in inner]
        ids.append(self._ids.get(last, _UNKNOWN_END_ID))
        self._known[text] = ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of subwords, without the ends of tokens."""
        return b"".join(self.pieces[number] for number in ids).decode().replace(END, "")

    def is_canonical(self, ids: Sequence[int]) -> bool:
        """Whether these are the subwords of some token, to its end; no token has an unknown part."""
        if any(number < len(SPECIALS) for number in ids):
            return len(ids) == 1
        if not len(ids) or self.unknown[list(ids)].any():
            return False
        text = b"".join(self.pieces[number] for number in ids).decode()
        if text.find(END) != len(text) - 1 or len(text) < 2:
            return False
        return self.encode([text[:-1]])[0] == list(ids)
