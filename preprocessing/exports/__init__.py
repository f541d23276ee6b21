"""A corpus, or a variant of one, in formats that others read: one module per format, found by its name.

Each module has `write(shards, out, tokens)`: shards of a corpus or of a variant, and an empty folder.
Samples that were thrown out of a variant are left out.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from preprocessing import parquet
from preprocessing.errors import BadInput
from preprocessing.lexer.tokens import TokensConfig


class Export(Protocol):
    """What a module below this package gives."""

    def write(self, shards: Sequence[Path], out: Path, tokens: TokensConfig) -> None: ...


def kinds() -> list[str]:
    """The formats that there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def lookup(kind: str) -> Export:
    """The module of one format. Raises BadInput, naming the formats there are."""
    if kind not in kinds():
        raise BadInput(f"no export format {kind!r}; must be one of {', '.join(kinds())}")
    return cast(Export, importlib.import_module(f"{__name__}.{kind}"))


def rows(shards: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The samples that have a text, shard by shard."""
    for shard in shards:
        yield from (row for row in parquet.rows(shard) if row["text"] is not None)
