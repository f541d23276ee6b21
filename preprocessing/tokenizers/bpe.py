"""Byte-level byte-pair encoding inside tokens (Sennrich et al. 2016, Karampatsis et al. 2020)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field
from tokenizers import Tokenizer as Library
from tokenizers import models, pre_tokenizers, trainers

from preprocessing.errors import BadInput
from preprocessing.tokenizers import END, SPECIALS, LearnedConfig, describe

_KNOWN = 500_000  # so many distinct tokens are remembered; code repeats itself
_IN_FILE = [f" {symbol}" for symbol in SPECIALS]  # no byte is written as a space, so no merge can spell these


class Config(LearnedConfig):
    """`vocab_size` includes the 4 special symbols and the 256 bytes; the rest are merges."""

    kind: Literal["bpe"] = "bpe"
    vocab_size: int = Field(default=10_000, ge=len(SPECIALS) + 256)


def train(config: Config, token_texts: Iterator[str], out: Path) -> dict[str, Any]:
    """Learn merges from tokens, and write tokenizer.json. Raises BadInput without a single token."""
    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=_IN_FILE,
        show_progress=False,
    )
    counted = _Counted(token_texts)
    library.train_from_iterator(counted, trainer)
    if not counted.number:
        raise BadInput("tokenizer: the training split has no tokens to learn from")
    (out / "tokenizer.json").write_text(library.to_str(), encoding="utf-8")  # an OSError if the disk is full
    describe(out, "bpe", library.get_vocab_size())
    return {"vocab_size": library.get_vocab_size(), "training_tokens": counted.number}


def load(folder: Path) -> "Bpe":
    """The tokenizer in a folder that `train` filled."""
    return Bpe(Library.from_file(str(folder / "tokenizer.json")))


class Bpe:
    """A trained tokenizer; see preprocessing.tokenizers.Tokenizer."""

    def __init__(self, library: Library) -> None:
        library.encode_special_tokens = True  # `<newline>` inside a comment is text
        self._library = library
        self.vocab_size: int = library.get_vocab_size()
        spelled = sorted(library.get_vocab().items(), key=lambda item: item[1])
        self.pieces = [_bytes_of(text, number) for text, number in spelled]
        self.ends = np.array(
            [number < len(SPECIALS) or piece.endswith(b"\0") for number, piece in enumerate(self.pieces)]
        )
        self.unknown = np.zeros(self.vocab_size, dtype=bool)
        self._symbols = {symbol: [number] for number, symbol in enumerate(SPECIALS)}
        self._known = dict(self._symbols)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The subwords of each token."""
        known = self._known
        new = list({text for text in texts if text not in known})
        if new:
            if len(known) + len(new) > _KNOWN:
                self._known = known = self._symbols | {text: known[text] for text in texts if text in known}
            encodings = self._library.encode_batch_fast([text + END for text in new])
            known.update((text, encoding.ids) for text, encoding in zip(new, encodings, strict=True))
        return [known[text] for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of subwords, without the ends of tokens; what is no UTF-8 becomes a replacement
        character.
        """
        return b"".join(self.pieces[number] for number in ids).decode(errors="replace").replace(END, "")

    def is_canonical(self, ids: Sequence[int]) -> bool:
        """Whether these are the subwords that `encode` gives for some token, to its end."""
        if any(number < len(SPECIALS) for number in ids):
            return len(ids) == 1
        data = b"".join(self.pieces[number] for number in ids)
        if data.find(b"\0") != len(data) - 1 or len(data) < 2:
            return False
        try:
            text = data[:-1].decode()
        except UnicodeDecodeError:
            return False
        return self.encode([text])[0] == list(ids)


class _Counted:
    """Ends each token on its way to the trainer, and counts."""

    def __init__(self, token_texts: Iterator[str]) -> None:
        self.token_texts = token_texts
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for text in self.token_texts:
            self.number += 1
            yield text + END


def _byte_alphabet() -> dict[str, int]:
    """Character of the byte-level alphabet → byte: printable Latin-1 stands for itself, the rest from
    U+0100 on.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + n): byte for n, byte in enumerate(others)}


_BYTES = _byte_alphabet()


def _bytes_of(spelled: str, number: int) -> bytes:
    if number < len(SPECIALS):
        return SPECIALS[number].encode()
    return bytes(_BYTES[character] for character in spelled)
