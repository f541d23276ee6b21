"""Data sets for Hugging Face `datasets`: a folder that was saved to disk, or a name on the hub where
there is a network.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator

from preprocessing.errors import BadInput
from preprocessing.fetching import files, records
from preprocessing.fetching.raw import Excluded, RawFile
from preprocessing.fetching.records import RecordsConfig


class Config(RecordsConfig):
    """`path` is a folder written by `save_to_disk`, `name` a data set on the hub: one of the two.

    A data set on the hub needs a `revision` (a commit), so that tomorrow's run reads the same; `subset`
    and `data_dir` are handed to `load_dataset`. `splits` are the data set's own names; all of them are
    read if none is named, and each sample remembers its own, for `split: {by: given}`.
    """

    kind: Literal["huggingface"] = "huggingface"
    path: str | None = None
    name: str | None = None
    revision: str | None = None
    subset: str | None = None
    data_dir: str | None = None
    splits: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.path is None) == (self.name is None):
            raise ValueError("exactly one of path and name must be given")
        if self.name is not None and self.revision is None:
            raise ValueError("a data set on the hub needs a revision: the commit to read")
        return self


def read(config: Config) -> Iterator[RawFile | Excluded]:
    """One raw file for each row."""
    where = config.name or Path(config.path or "").name
    for split, rows in _loaded(config).items():
        for number, row in enumerate(rows):
            raw = records.raw_file(row, config, where, number)
            if isinstance(raw, RawFile) and not raw.split:
                raw = records.with_split(raw, split)
            yield raw


def raw_digest(config: Config) -> str:
    """Digest of the files on disk, or of name and revision on the hub."""
    if config.path is None:
        parts = (config.name, config.revision, config.subset, config.data_dir, config.splits)
        return hashlib.sha256(repr(parts).encode()).hexdigest()
    folder = _folder(config)
    return files.digest_whole(sorted(path for path in folder.rglob("*") if path.is_file()))


def _folder(config: Config) -> Path:
    folder = Path(config.path or "").expanduser()
    if not folder.is_dir():
        raise BadInput(f"corpus.source.path: no folder {str(folder)!r}")
    return folder


def _loaded(config: Config) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    try:
        import datasets
    except ImportError as error:
        raise BadInput(
            "corpus.source.kind: huggingface needs the package datasets: pip install datasets"
        ) from error
    try:
        if config.path is not None:
            loaded = datasets.load_from_disk(str(_folder(config)))
        else:
            loaded = datasets.load_dataset(
                config.name, config.subset, data_dir=config.data_dir, revision=config.revision, streaming=True
            )
    except (OSError, ValueError) as error:
        raise BadInput(f"corpus.source: can't load {config.path or config.name}: {error}") from error
    splits = dict(loaded) if isinstance(loaded, Mapping) else {str(loaded.split or ""): loaded}
    unknown = [name for name in config.splits if name not in splits]
    if unknown:
        raise BadInput(
            f"corpus.source.splits: no split {', '.join(unknown)} in {config.path or config.name}; "
            f"it has {', '.join(splits)}"
        )
    return {name: splits[name] for name in config.splits or splits}
