"""From a folder of .py files to encoded shards and one-line-per-file text, in one go and without a spec."""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from pydantic import Field

from preprocessing import encoding, tokenizers
from preprocessing.corpus import building, description
from preprocessing.corpus.building import CorpusConfig
from preprocessing.errors import BadInput
from preprocessing.exports import openvocab
from preprocessing.frozen import Frozen
from preprocessing.lexer.tokens import TokensConfig
from preprocessing.tokenizers import AnyTokenizer
from preprocessing.tokenizers.bpe import Config as Bpe

FOLDERS = ("corpus", "tokenizer", "encoded", "lines")
FACTS = "facts.json"


class PrepareConfig(Frozen):
    """The parts of a spec that matter here; the corpus's source is replaced by the folder that is given."""

    corpus: dict[str, Any] = Field(default={})
    tokens: TokensConfig = TokensConfig()
    tokenizer: AnyTokenizer = Bpe()


def prepare(source: Path, out: Path, config: PrepareConfig, *, workers: int = 1) -> dict[str, Any]:
    """Prepare all .py files below `source` into the folder `out`, which must be empty or absent.

    Writes corpus/ (Parquet, excluded.parquet), tokenizer/, encoded/00000 … (preprocessing.shards),
    lines/train.txt … (preprocessing.exports.openvocab) and, last, facts.json, which is what is
    returned. `workers` processes clean and encode; the result does not depend on their number. Raises
    BadInput, also when the disk is full. After an error `out` is empty again.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out} is not an empty folder")
    folders = [out / name for name in FOLDERS]
    try:
        for folder in folders:
            folder.mkdir(parents=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise BadInput(f"can't write to {out}: {error.strerror}") from error
    try:
        return _prepare(source, out, config, workers)
    except BaseException as error:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        (out / FACTS).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            raise BadInput(f"{error.filename or out}: {os.strerror(error.errno)}") from error
        raise


def _prepare(source: Path, out: Path, config: PrepareConfig, workers: int) -> dict[str, Any]:
    in_corpus, in_tokenizer, in_encoded, in_lines = (out / name for name in FOLDERS)
    fields = {**config.corpus, "source": {"kind": "directory", "path": str(source)}}
    built = building.build(CorpusConfig.model_validate(fields), in_corpus, workers=workers)
    shards = list(building.shard_paths(in_corpus))
    trained = tokenizers.build(config.tokenizer, shards, config.tokens, in_tokenizer)
    encode_all(shards, in_tokenizer, config.tokens, in_encoded, in_lines, workers=workers)
    facts = {"corpus": built, "tokenizer": trained, "description": description.describe(in_corpus)}
    (out / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return facts


def encode_all(
    shards: Sequence[Path], tokenizer: Path, tokens: TokensConfig, encoded: Path, lines: Path, *, workers: int
) -> None:
    """Encode all shards into `encoded`/00000 …, and write them as lines into `lines`."""
    parts = [shards[first::workers] for first in range(workers)]
    Parallel(n_jobs=workers)(delayed(_encode)(part, tokenizer, tokens, encoded, lines) for part in parts)
    openvocab.join([lines / _number(shard) for shard in shards], lines)


def _encode(
    shards: Sequence[Path], tokenizer: Path, tokens: TokensConfig, encoded: Path, lines: Path
) -> None:
    """Some of the shards; one process has one tokenizer, which remembers tokens."""
    trained = tokenizers.load(tokenizer)
    for shard in shards:
        for folder in (encoded / _number(shard), lines / _number(shard)):
            folder.mkdir()
        encoding.build(shard, trained, tokens, encoded / _number(shard))
        openvocab.write_lines([shard], lines / _number(shard), tokens, trained)


def _number(shard: Path) -> str:
    return shard.stem.removeprefix("shard-")
