"""Where source texts come from: one module per kind of source, found by its name.

Each module has a pydantic `Config` with a literal `kind`, `read(config)` that streams the files in a
fixed order, and `raw_digest(config)`: a digest of everything that `read` would give, which goes into the
corpus's key.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Protocol

from preprocessing.by_kind import Kinds
from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig


class SourceModule(Protocol):
    """What a module below this package gives."""

    Config: type[SourceConfig]

    def read(self, config: Any) -> Iterator[RawFile | Excluded]: ...

    def raw_digest(self, config: Any) -> str: ...


SOURCES = Kinds[SourceModule](__name__, "corpus.source.kind: no source")
lookup = SOURCES.lookup

AnySource = Annotated[SourceConfig, SOURCES]
