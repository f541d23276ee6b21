"""Tokenizers: lexical tokens become subwords. One module per kind, found by its name.

Each module has a pydantic `Config` with a literal `kind` and `train(config, token_texts, out)`, which writes
`tokenizer.json`. The end of a token is a NUL character, which can't stand in Python source: it is
appended to every token's text and becomes part of the spelling of its last subword. So a token is
complete exactly when a subword ends in NUL, no token is a prefix of another, and no subword spans two.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeGuard

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field

from preprocessing import parquet_files
from preprocessing.by_kind import Kinds
from preprocessing.frozen import Frozen, InKey
from preprocessing.lexer.tokens import SYMBOLS, TokensConfig, lex, texts

FILE = "<file>"
SPECIALS = (FILE, *SYMBOLS.values())  # ids 0, 1, 2, 3; each is a complete token of one subword
END = "\0"


class TokenizerConfig(Frozen):
    """What all tokenizers have in common. `vocab_size` counts everything: special symbols too."""

    kind: str

    def raw_digest(self) -> str | None:
        """Digest of the files that it names, which is part of keys; None for kinds that name none."""
        return None


class LearnedConfig(TokenizerConfig):
    """`train_bytes`: learn from about so many bytes of the training split, whole samples drawn by their
    names; null: from all of it. Training holds every distinct token in memory.
    """

    train_bytes: Annotated[int | None, InKey.UNLESS_DEFAULT] = Field(default=None, ge=1)


class Tokenizer(Protocol):
    """A trained tokenizer."""

    vocab_size: int
    ends: "np.ndarray[Any, np.dtype[np.bool_]]"
    """(V,) True for subwords that complete a token."""
    unknown: "np.ndarray[Any, np.dtype[np.bool_]]"
    """(V,) True for subwords that stand for anything outside of a closed vocabulary."""
    pieces: list[bytes]
    """The spelling of each subword, NUL included; special symbols as they are written."""

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The subwords of each token. The symbols in SPECIALS are spelled as they are there."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of subwords, without the ends of tokens."""

    def is_canonical(self, ids: Sequence[int]) -> bool:
        """Whether these are the subwords that `encode` gives for some token, to its end."""


class RunningTokenizer(Tokenizer, Protocol):
    """A tokenizer of whole texts, whose subwords don't stop where tokens do."""

    def encode_running(
        self, text: str, ends: Sequence[int]
    ) -> "tuple[list[int], np.ndarray[Any, np.dtype[np.float64]]]":
        """The subwords of a text, and where tokens that end before some characters end among them."""


def reads_running_text(tokenizer: Tokenizer) -> TypeGuard[RunningTokenizer]:
    """Whether this is a tokenizer of whole texts."""
    return hasattr(tokenizer, "encode_running")


class Kind(Protocol):
    """What a module below this package gives."""

    Config: type[TokenizerConfig]

    def train(self, config: Any, token_texts: Iterator[str], out: Path) -> dict[str, Any]: ...

    def load(self, folder: Path) -> Tokenizer: ...


TOKENIZERS = Kinds[Kind](__name__, "tokenizer.kind: no tokenizer")
lookup = TOKENIZERS.lookup

AnyTokenizer = Annotated[TokenizerConfig, TOKENIZERS]


def build(config: TokenizerConfig, shards: Sequence[Path], tokens: TokensConfig, out: Path) -> dict[str, Any]:
    """Train a tokenizer on the training split of a corpus, into the empty folder `out`.

    Returns facts: vocab_size, training tokens and distinct tokens. Deterministic.
    """
    limit = config.train_bytes if isinstance(config, LearnedConfig) else None
    return lookup(config.kind).train(config, training_tokens(shards, tokens, limit), out)


def training_tokens(
    shards: Sequence[Path], config: TokensConfig, train_bytes: int | None = None
) -> Iterator[str]:
    """The spelling of every token of the training split, or of about so many bytes of it, without the
    symbols of line structure.
    """
    symbols = frozenset(SYMBOLS.values())
    below = 2**64 if train_bytes is None else _share(shards, train_bytes)
    for shard in shards:
        for row in parquet_files.rows(shard, ["sample", "split", "text"]):
            if row["split"] == "train" and row["text"] is not None and int(row["sample"], 16) < below:
                spelled = texts(row["text"], lex(row["text"], config.comments), config)
                yield from (text for text in spelled if text not in symbols)


def _share(shards: Sequence[Path], train_bytes: int) -> int:
    """The names below this number, out of 2^64, are those of about so many bytes, or of one sample."""
    total, first = 0, 2**64
    for shard in shards:
        table = pq.read_table(shard, columns=["sample", "split", "n_bytes"])
        table = table.filter(pc.equal(table["split"], "train"))
        total += pc.sum(table["n_bytes"]).as_py() or 0
        first = min([first, *(int(name, 16) for name in table["sample"].to_pylist())])
    return 2**64 if total <= train_bytes else max(2**64 * train_bytes // total, first + 1)


def load(folder: Path) -> Tokenizer:
    """The tokenizer that was trained into this folder."""
    about = json.loads((folder / "format.json").read_text(encoding="utf-8"))
    return lookup(about["kind"]).load(folder)


def describe(out: Path, kind: str, vocab_size: int) -> None:
    """Write format.json, by which `load` knows what it finds."""
    about = {"version": 1, "kind": kind, "vocab_size": vocab_size}
    (out / "format.json").write_text(json.dumps(about) + "\n", encoding="utf-8")
