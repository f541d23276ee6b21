"""Where source texts come from: one module per kind of source, found by its name.

Each module has a pydantic `Config` with a literal `kind`, `read(config)` that streams the files in a
fixed order, and `raw_digest(config)`: a digest of everything that `read` would give, which goes into the
corpus's key.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Protocol, cast

from pydantic import Field

from preprocessing.errors import BadInput
from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig


class Source(Protocol):
    """What a module below this package gives."""

    Config: type[SourceConfig]

    def read(self, config: Any) -> Iterator[RawFile | Excluded]: ...

    def raw_digest(self, config: Any) -> str: ...


def kinds() -> list[str]:
    """The kinds of source that there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def lookup(kind: str) -> Source:
    """The module of one kind of source. Raises BadInput, naming the kinds there are."""
    if kind not in kinds():
        raise BadInput(f"corpus.source.kind: no source {kind!r}; must be one of {', '.join(kinds())}")
    return cast(Source, importlib.import_module(f"{__name__}.{kind}"))


if TYPE_CHECKING:
    AnySource = SourceConfig
else:
    AnySource = Annotated[reduce(or_, [lookup(kind).Config for kind in kinds()]), Field(discriminator="kind")]
