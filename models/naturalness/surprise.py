"""Bits of tokens under an n-gram model of the originals of the other half of the projects.

projects a, b, c, d  ->  a model of a and c, which b and d are read with, and the other way round
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.kinds.ngram import Config
from models.kinds.ngram.counts import count, stream
from models.kinds.ngram.network import Ngram
from preprocessing.lexer.tokens import SYMBOLS
from preprocessing.tokenizers import bpe

NGRAM = Config(order=6)
BPE = bpe.Config(vocab_size=2000)


class Reader:
    """An n-gram model of some texts, and the subwords that were learnt from them."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        symbols = frozenset(SYMBOLS.values())
        with tempfile.TemporaryDirectory() as folder:
            bpe.train(BPE, (token for text in texts for token in text if token not in symbols), Path(folder))
            self._tokenizer = bpe.load(Path(folder))
        size = self._tokenizer.vocab_size
        ids = stream(np.concatenate(self._tokenizer.encode(text)) for text in texts)
        self._model = Ngram(NGRAM, size, count(ids, NGRAM.order, size))

    def bits(self, text: Sequence[str]) -> NDArray[np.float64]:
        """(T) bits of each token of a text."""
        subwords = self._tokenizer.encode(text)
        starts = np.r_[0, np.cumsum([len(ids) for ids in subwords])][:-1]
        found: NDArray[np.float64] = np.add.reduceat(self._model.bits(np.concatenate(subwords)), starts)
        return found
