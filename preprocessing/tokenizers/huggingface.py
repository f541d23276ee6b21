"""The tokenizer of a pretrained model, which reads running text: its subwords don't stop where tokens do.

    text      return self.name          subwords   return| self|.name          (one spans two tokens)
    tokens    return self . name        ends              1     2  2.2  3

So where a token ends is a place between subwords, or a fraction inside of one. The cost of a subword that
spans several tokens is shared by their characters; the sum over all tokens is the sum over all subwords.
Ids are the model's own plus the number of SPECIALS, of which only `<file>` occurs.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field
from tokenizers import Tokenizer as Library
from tokenizers import processors

from preprocessing.errors import BadInput
from preprocessing.fetching.files import digest_whole
from preprocessing.tokenizers import SPECIALS, TokenizerConfig, describe

FIRST = len(SPECIALS)
FILE_NAME = "tokenizer.json"

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Config(TokenizerConfig):
    """`path` is a folder with a tokenizer.json, such a file, or the name of a model on the Hugging Face hub.

    What a folder holds is part of the key; what the hub holds is taken to stay as it is.
    """

    kind: Literal["huggingface"] = "huggingface"
    path: str = Field(min_length=1)

    def raw_digest(self) -> str:
        """SHA-256 of the file; "" for a name on the hub."""
        file = _file(self.path)
        return digest_whole([file]) if file.is_file() else ""


def train(config: Config, token_texts: Iterator[str], out: Path) -> dict[str, Any]:
    """Nothing is learnt: the tokenizer is copied. Raises BadInput if there is none."""
    library = _read(config.path)
    (out / FILE_NAME).write_text(library.to_str(), encoding="utf-8")
    describe(out, "huggingface", FIRST + _size(library))
    return {"vocab_size": FIRST + _size(library), "path": config.path}


def load(folder: Path) -> "RunningTextTokenizer":
    """The tokenizer in a folder that `train` filled."""
    return RunningTextTokenizer(Library.from_file(str(folder / FILE_NAME)))


def _read(path: str) -> Library:
    place, file = Path(path).expanduser(), _file(path)
    try:
        if file.is_file():
            return Library.from_file(str(file))
        if place.exists() or path.startswith((".", "/", "~")):
            raise BadInput(
                f"tokenizer.path: {file}: no such file; save a fast tokenizer there (tokenizer.json)"
            )
        return Library.from_pretrained(path)
    except BadInput:
        raise
    except Exception as error:  # the library raises bare Exceptions, for files and for the hub
        raise BadInput(
            f"tokenizer.path: {path}: neither a tokenizer nor a model on the hub: {error}"
        ) from None


def _file(path: str) -> Path:
    place = Path(path).expanduser()
    return place / FILE_NAME if place.is_dir() else place


def _size(library: Library) -> int:
    return 1 + max(library.get_vocab(with_added_tokens=True).values())


class RunningTextTokenizer:
    """See preprocessing.tokenizers.Tokenizer; `ends` are all True, since every subword is scored for itself.

    No sequence of subwords is a token, since none says by itself that it is complete.
    """

    def __init__(self, library: Library) -> None:
        library.encode_special_tokens = True  # "<|endoftext|>" in a string is text
        library.post_processor = processors.Sequence([])  # no special tokens, no blanks cut off from offsets
        library.no_truncation()
        library.no_padding()
        self._library = library
        self.vocab_size = FIRST + _size(library)
        self.ends = np.ones(self.vocab_size, dtype=bool)
        self.unknown = np.zeros(self.vocab_size, dtype=bool)
        self.pieces = [symbol.encode() for symbol in SPECIALS] + [
            (library.id_to_token(number) or "").encode() for number in range(self.vocab_size - FIRST)
        ]

    def encode_running(self, text: str, ends: Sequence[int]) -> tuple[list[int], Floats]:
        """The subwords of a text, and where among them each token ends, token k before character `ends[k]`.

        Byte-level subwords that are parts of one character count as if the first one were all of it.
        """
        ids, upto = self.offsets(text)
        characters = np.asarray(ends, dtype=np.int64)
        whole = np.searchsorted(upto, characters, side="right")  # subwords that end there or before
        before = np.r_[0, upto][whole]
        width = np.r_[upto, upto[-1:] + 1][whole] - before if len(upto) else np.ones_like(characters)
        return ids, whole + (characters - before) / np.maximum(width, 1)

    def offsets(self, text: str) -> tuple[list[int], np.ndarray[Any, np.dtype[np.int64]]]:
        """The subwords of a text, and before which character each ends, the last one at the text's end."""
        encoding = self._library.encode(text, add_special_tokens=False)
        ids = [FIRST + number for number in encoding.ids]
        upto = np.maximum.accumulate(np.array([end for _, end in encoding.offsets], dtype=np.int64))
        if len(upto):
            upto[upto == upto[-1]] = max(len(text), int(upto[-1]))
        return ids, upto

    def spelled(self) -> list[str | None]:
        """The text of each of the model's own subwords inside of a text; None for special ones."""
        special = {
            number for number, token in self._library.get_added_tokens_decoder().items() if token.special
        }
        return [
            None if number in special or self._library.id_to_token(number) is None else self.spell([number])
            for number in range(self.vocab_size - FIRST)
        ]

    def spell(self, own: Sequence[int]) -> str:
        """The text of some of the model's own subwords behind others, where no first blank is lost."""
        before = self._probe
        return self._plain([*before, *own])[len(self._plain(before)) :]

    @cached_property
    def _probe(self) -> list[int]:
        return list(self._library.encode("x", add_special_tokens=False).ids)

    def _plain(self, own: Sequence[int]) -> str:
        text: str = self._library.decode(list(own), skip_special_tokens=False)
        return text

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The subwords of each token as if it stood alone: for counting only."""
        alone = self._library.encode_batch_fast(list(texts), add_special_tokens=False)
        return [
            [SPECIALS.index(text)] if text in SPECIALS else [FIRST + number for number in encoding.ids]
            for text, encoding in zip(texts, alone, strict=True)
        ]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of subwords."""
        return self._plain([i - FIRST for i in ids if i >= FIRST])

    def is_canonical(self, ids: Sequence[int]) -> bool:
        """Never: see the class."""
        return False
