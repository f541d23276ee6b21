"""What scoring must know of a tokenizer: subwords that end a token, canonical sequences, bytes of tokens."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.subtokens import subtokens
from preprocessing import tokenizers
from preprocessing.tokenizers import SPECIALS

FILE = 0  # the subword before every file
KNOWN = 200_000  # tokens whose sub-tokens are remembered
NEWLINE_BYTES = 1  # of the symbols of line structure, only a new line takes a byte that is always the same


class Vocabulary:
    """A tokenizer seen by the exact search. V subwords."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.size: int = tokenizer.vocab_size
        self.ends: NDArray[np.bool_] = np.asarray(tokenizer.ends, dtype=np.bool_)
        self._canonical: dict[tuple[int, ...], bool] = {}
        self._subtokens: dict[tuple[int, ...], Counter[str]] = {}
        self.unknown: NDArray[np.bool_] = np.asarray(
            getattr(tokenizer, "unknown", np.zeros(self.size)), dtype=np.bool_
        )
        """(V,) subwords that stand for anything outside of a closed vocabulary."""
        self.closed = not tokenizers.reads_running_text(tokenizer)
        """Whether tokens are closed sequences of subwords, which can be ranked."""
        self.tokens = np.array(  # subwords that are a whole token by themselves
            [bool(end) and i != FILE and self.canonical((i,)) for i, end in enumerate(self.ends)]
        )

        self.bytes = np.array([len(piece.rstrip(b"\0")) for piece in tokenizer.pieces], dtype=np.int64)
        """Bytes of source text that each subword stands for."""
        self.bytes[: len(SPECIALS)] = [NEWLINE_BYTES * (name == "<newline>") for name in SPECIALS]

    def canonical(self, ids: Sequence[int]) -> bool:
        """Whether a whole token's subwords are those that the tokenizer cuts it into."""
        key = tuple(ids)
        known = self._canonical.get(key)
        if known is None:
            known = self._canonical[key] = bool(self.tokenizer.is_canonical(list(key)))
        return known

    def subtokens(self, ids: Sequence[int]) -> Counter[str]:
        """The sub-tokens of the token that some subwords spell."""
        key = tuple(ids)
        known = self._subtokens.get(key)
        if known is None:
            if len(self._subtokens) >= KNOWN:
                self._subtokens.clear()
            known = self._subtokens[key] = subtokens(self.tokenizer.decode(list(key)))
        return known
