"""One line per file, sub-words of a token joined by `@@`, as OpenVocabCodeNLM reads them (Karampatsis
et al. 2020).

    class getValue → class get@@ Value

A line is a sample. Its tokens are separated by spaces, and a sub-word that does not end its token has
the suffix @@. Whitespace inside a token (a string, a comment) becomes U+2420, and line structure
<newline>, <indent>, <dedent>. Sub-words are those of a byte-pair encoding with 10,000 symbols that is
trained on the training split.
"""

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from preprocessing import exports, tokenizers
from preprocessing.corpus.split import SPLITS
from preprocessing.lexer.tokens import TokensConfig, lex, texts
from preprocessing.tokenizers import Tokenizer
from preprocessing.tokenizers.bpe import Config

_SPACE = "\u2420"
_KNOWN = 100_000  # so many distinct tokens are remembered


def write(shards: Sequence[Path], out: Path, tokens: TokensConfig) -> None:
    """Write train.txt, valid.txt and test.txt."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizers.build(Config(), shards, tokens, Path(folder))
        trained = tokenizers.load(Path(folder))
    write_lines(shards, out, tokens, trained)


def write_lines(shards: Sequence[Path], out: Path, tokens: TokensConfig, tokenizer: Tokenizer) -> None:
    """The same with a tokenizer that was trained before."""
    with ExitStack() as stack:
        files = {
            name: stack.enter_context((out / f"{name}.txt").open("w", encoding="utf-8", newline="\n"))
            for name in SPLITS
        }
        known: dict[str, str] = {}  # code repeats itself
        for row in exports.rows(shards):
            spelled = texts(row["text"], lex(row["text"], tokens.comments), tokens)
            if len(known) > _KNOWN:
                known.clear()
            new = list({text for text in spelled if text not in known})
            words = (_word(tokenizer, ids) for ids in tokenizer.encode(new))
            known.update(zip(new, words, strict=True))
            files[row["split"]].write(" ".join([known[text] for text in spelled]) + "\n")


def join(folders: Sequence[Path], out: Path) -> None:
    """Make one folder of lines of several that were written apart, which go."""
    for name in SPLITS:
        with (out / f"{name}.txt").open("wb") as whole:
            for folder in folders:
                with (folder / f"{name}.txt").open("rb") as part:
                    shutil.copyfileobj(part, whole)
    for folder in folders:
        shutil.rmtree(folder)


def _word(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    """Sub-words as text; where one ends inside a character, its neighbours are joined to it."""
    pieces: list[str] = []
    pending = b""
    for number in ids:
        pending += tokenizer.pieces[number].removesuffix(b"\0")
        try:
            pieces.append(pending.decode())
        except UnicodeDecodeError:
            continue
        pending = b""
    visible = ["".join(_SPACE if c.isspace() else c for c in piece) for piece in pieces if piece]
    return "@@ ".join(visible)
