"""Several sources, one after the other, as one corpus."""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator

from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig
from preprocessing.sources import SOURCES, lookup

OneSource = Annotated[SourceConfig, SOURCES.but("union")]


class Config(SourceConfig):
    """`sources` are read in their order. Projects of the same name are one project, whichever source gives
    them, so that a split by project never parts them. The standard library is one project beside others.
    """

    kind: Literal["union"] = "union"
    sources: tuple[OneSource, ...] = Field(min_length=1)

    @field_validator("sources")
    @classmethod
    def _beside_each_other(cls, sources: tuple[SourceConfig, ...]) -> tuple[SourceConfig, ...]:
        several = len({source.kind for source in sources}) > 1
        return tuple(source.beside_others() for source in sources) if several else sources


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """The files of all sources."""
    for source in config.sources:
        yield from lookup(source.kind).read(source)


def raw_digest(config: Config) -> str:
    """Digest of the sources' digests, in their order."""
    digests = [lookup(source.kind).raw_digest(source) for source in config.sources]
    return hashlib.sha256(":".join(digests).encode()).hexdigest()
