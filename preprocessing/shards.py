"""Encoded data, its one writer and its one reader: a folder of arrays, mapped into memory and never parsed.

    subwords.npy       uint16 or uint32 [S]   ids
    token_starts.npy   int64 [T + 1]          where each token starts in subwords
    kinds.npy          uint8 [T]              index of preprocessing.lexer.tokens.KINDS
    origins.npy        int32 [T]              index of the token in the original sample, or -1: inserted
    changes.npy        uint8 [T]              0 unchanged, 1 renamed, 2 inserted
    sample_starts.npy  int64 [N + 1]          where each sample starts in the tokens
    token_ends.npy     float64 [T]            tokenizers of running text only: where each token ends among its
                                              sample's subwords, a fraction inside of one that spans two
    token_bytes.npy    int32 [T]              the same: bytes of each token
    samples.parquet    N rows                 sample, project, path, split, outcome, n_bytes
    format.json                               version, vocab_size, samples, tokens, subwords

`<file>` is not stored; models put it before each sample.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing import parquet_files

if TYPE_CHECKING:
    import pandas as pd  # the container does without

VERSION = 1
SAMPLES_SCHEMA = pa.schema(
    [
        ("sample", pa.string()),
        ("project", pa.string()),
        ("path", pa.string()),
        ("split", pa.string()),
        ("outcome", pa.string()),
        ("n_bytes", pa.int32()),
    ]
)
_DTYPES = {
    "token_starts": np.int64,
    "kinds": np.uint8,
    "origins": np.int32,
    "changes": np.uint8,
    "sample_starts": np.int64,
}

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, kw_only=True)
class EncodedSample:
    """One sample of a shard: t tokens, s subwords."""

    subwords: Array
    """(s,) ids"""
    token_starts: Array
    """(t + 1,) into `subwords`"""
    kinds: Array
    """(t,)"""
    origins: Array
    """(t,)"""
    changes: Array
    """(t,)"""
    ends: Array | None = None
    """(t,) where each token ends in `subwords`, in fractions; None where no subword spans two tokens"""
    sizes: Array | None = None
    """(t,) bytes of each token, where there are `ends`"""


class EncodedShard:
    """A folder of encoded samples. Arrays have the names of their files, and are mapped, not loaded."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / "format.json").read_text(encoding="utf-8"))
        if about["version"] != VERSION:
            raise ValueError(f"{folder}: encoded in format {about['version']}, this program reads {VERSION}")
        self.folder = folder
        self.vocab_size: int = about["vocab_size"]
        self.subwords = _mapped(folder / "subwords.npy")
        self.token_starts = _mapped(folder / "token_starts.npy")
        self.kinds = _mapped(folder / "kinds.npy")
        self.origins = _mapped(folder / "origins.npy")
        self.changes = _mapped(folder / "changes.npy")
        self.sample_starts = _mapped(folder / "sample_starts.npy")
        self.is_running = (folder / "token_ends.npy").exists()
        self._ends = _mapped(folder / "token_ends.npy") if self.is_running else None
        self._sizes = _mapped(folder / "token_bytes.npy") if self.is_running else None

    @cached_property
    def samples(self) -> "pd.DataFrame":
        """One row for each sample: sample, project, path, split, outcome, n_bytes."""
        table: pd.DataFrame = pq.read_table(self.folder / "samples.parquet").to_pandas()
        return table

    def __len__(self) -> int:
        return len(self.sample_starts) - 1

    def __getitem__(self, index: int) -> EncodedSample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        first, last = int(self.sample_starts[index]), int(self.sample_starts[index + 1])
        starts = np.asarray(self.token_starts[first : last + 1])
        return EncodedSample(
            subwords=self.subwords[starts[0] : starts[-1]],
            token_starts=starts - starts[0],
            kinds=self.kinds[first:last],
            origins=self.origins[first:last],
            changes=self.changes[first:last],
            ends=None if self._ends is None else self._ends[first:last],
            sizes=None if self._sizes is None else self._sizes[first:last],
        )


def open(folder: Path) -> EncodedShard:
    """Open a folder that Writer filled. Raises ValueError if it has another format version."""
    return EncodedShard(folder)


class ShardWriter:
    """Writes samples one after the other; the folder is whole once the `with` is left without an error."""

    def __init__(self, folder: Path, vocab_size: int) -> None:
        self._folder = folder
        self._vocab_size = vocab_size
        wide = np.uint16 if vocab_size <= 2**16 else np.uint32
        self._arrays = {"subwords": _Appended(folder / "subwords.npy", wide)} | {
            name: _Appended(folder / f"{name}.npy", dtype) for name, dtype in _DTYPES.items()
        }
        self._samples = parquet_files.RowWriter(folder / "samples.parquet", SAMPLES_SCHEMA)
        self._arrays["token_starts"].append([0])
        self._arrays["sample_starts"].append([0])

    def add(
        self,
        *,
        sample: dict[str, Any],
        subwords: Sequence[Sequence[int]],
        kinds: Sequence[int],
        origins: Sequence[int] | Array,
        changes: Sequence[int] | Array,
        ends: Array | None = None,
        sizes: Sequence[int] | None = None,
    ) -> None:
        """Add one sample: its columns of samples.parquet, and for each token its subwords, kind, origin
        and change; for running text (all samples or none) also its end and its bytes.
        """
        assert len(subwords) == len(kinds) == len(origins) == len(changes)
        arrays = self._arrays
        lengths = np.fromiter(map(len, subwords), np.int64, len(subwords))
        arrays["token_starts"].append(arrays["subwords"].length + np.cumsum(lengths))
        arrays["subwords"].append([number for token in subwords for number in token])
        arrays["kinds"].append(kinds)
        arrays["origins"].append(origins)
        arrays["changes"].append(changes)
        arrays["sample_starts"].append([arrays["kinds"].length])
        if ends is not None and sizes is not None:
            for name, dtype, values in (("token_ends", np.float64, ends), ("token_bytes", np.int32, sizes)):
                if name not in arrays:
                    arrays[name] = _Appended(self._folder / f"{name}.npy", dtype)
                arrays[name].append(values)
        self._samples.add(sample)

    def __enter__(self) -> Self:
        self._samples.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._samples.__exit__(kind, error, trace)
        for array in self._arrays.values():
            array.close()
        if kind is None:
            about = {
                "version": VERSION,
                "vocab_size": self._vocab_size,
                "samples": self._arrays["sample_starts"].length - 1,
                "tokens": self._arrays["kinds"].length,
                "subwords": self._arrays["subwords"].length,
            }
            (self._folder / "format.json").write_text(json.dumps(about) + "\n", encoding="utf-8")


class _Appended:
    """A one-dimensional .npy file that grows. numpy leaves room in the header for the final length."""

    def __init__(self, path: Path, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.length = 0
        self._file: BinaryIO = path.open("wb")
        self._write_header()
        self._header_bytes = self._file.tell()

    def append(self, values: Sequence[int] | Array) -> None:
        array = np.asarray(values, dtype=self.dtype)
        self.length += len(array)
        self._file.write(array.tobytes())

    def close(self) -> None:
        self._file.seek(0)
        self._write_header()
        assert self._file.tell() == self._header_bytes
        self._file.close()

    def _write_header(self) -> None:
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.length,)}
        np.lib.format.write_array_header_1_0(self._file, header)


def _mapped(path: Path) -> Array:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    assert isinstance(array, np.ndarray)
    return array
