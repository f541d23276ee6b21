"""Encoded shards as models see them: which samples of which folders, one at a time, never all in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from preprocessing import shards
from preprocessing.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Part:
    """An encoded shard to train on, or some of its samples.

    only_rewritten: those that didn't keep their text. repeats: they stand in another part already, and only
    those count again that were rewritten in the encoded variant `as_rewritten`, without one all. draw: its
    number among draws of a variant that take turns, epoch by epoch; None for what is read in every epoch.
    """

    folder: Path
    only_rewritten: bool = False
    repeats: bool = False
    as_rewritten: Path | None = None
    draw: int | None = None

    @property
    def is_added(self) -> bool:
        """Whether its texts are further versions of those of another part."""
        return self.only_rewritten or self.repeats


@dataclass(frozen=True, kw_only=True)
class TextSample:
    """One encoded sample. token_starts: (T + 1) into subwords, from 0; kinds, origins, changes: (T).

    Of running text (preprocessing.tokenizers.huggingface) each subword is scored for itself: token_starts are
    those of the subwords, and `ends` and `sizes` (T) say where the tokens end among them, and their bytes.
    """

    sample: str
    project: str
    subwords: NDArray[np.int64]
    token_starts: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    origins: NDArray[np.int32]
    changes: NDArray[np.uint8]
    ends: NDArray[np.float64] | None = None
    sizes: NDArray[np.int32] | None = None

    def of_tokens(self, nll: NDArray[np.float64]) -> NDArray[np.float64]:
        """nll of tokens (T) from that of what was scored; a subword of several is shared by characters."""
        if self.ends is None:
            return nll
        total = np.r_[0.0, np.cumsum(nll)]
        shares: NDArray[np.float64] = np.diff(np.interp(np.r_[0.0, self.ends], np.arange(len(total)), total))
        return shares

    def holds(self, subwords: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(K) whether what is scored (a token; of running text a subword) has one of some subwords (V)."""
        count = np.r_[0, np.cumsum(subwords[self.subwords])][self.token_starts]
        return np.asarray(np.diff(count) > 0)

    def subword_counts(self) -> NDArray[np.int32]:
        """(T) subwords of each token, also those that it shares."""
        if self.ends is None:
            return np.asarray(np.diff(self.token_starts), np.int32)
        return np.asarray(np.ceil(self.ends) - np.floor(np.r_[0.0, self.ends[:-1]]), np.int32)

    def byte_counts(self, bytes_of: NDArray[np.int64]) -> NDArray[np.int32]:
        """(T) bytes of each token, from those of each subword of the vocabulary (V)."""
        if self.sizes is not None:
            return self.sizes
        sizes = np.r_[0, np.cumsum(bytes_of[self.subwords])]
        return np.asarray(sizes[self.token_starts[1:]] - sizes[self.token_starts[:-1]], np.int32)


class Samples(Sequence[NDArray[np.int64]]):
    """The subwords of each sample of one split that has any, by number, read from memory-mapped files."""

    def __init__(self, parts: Sequence[Part], split: str, vocab_size: int) -> None:
        self._parts = parts
        self._shards = [_open(part.folder, vocab_size) for part in parts]
        self._places = [
            (number, row)
            for number, (part, shard) in enumerate(zip(parts, self._shards, strict=True))
            for row in _rows(shard, split, part)
            if shard.sample_starts[row] < shard.sample_starts[row + 1]
        ]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> NDArray[np.int64]:  # type: ignore[override]
        number, row = self._places[index]
        return np.asarray(self._shards[number][row].subwords, dtype=np.int64)

    @property
    def originals(self) -> list[int]:
        """The numbers of those samples that are no further version of others."""
        return [index for index, (number, _) in enumerate(self._places) if not self._parts[number].is_added]

    @property
    def weights(self) -> NDArray[np.float64]:
        """(N) the share of each in its text, of which there may be several versions; draws are one."""
        draws = len(self.turns)
        own = np.array([1.0 if self._parts[n].draw is None else 1.0 / draws for n, _ in self._places])
        _, which = np.unique(self._column("sample"), return_inverse=True)
        return np.asarray(own / np.bincount(which, own)[which])

    @property
    def turns(self) -> list[NDArray[np.int64]]:
        """Of each draw, the numbers of the samples that are read in its epoch."""
        draws = np.array([-1 if (d := self._parts[n].draw) is None else d for n, _ in self._places])
        return [np.flatnonzero((draws < 0) | (draws == draw)) for draw in range(max(0, *draws) + 1)]

    @property
    def are_original(self) -> NDArray[np.bool_]:
        """(N) whether nothing was rewritten in it."""
        return np.asarray(self._column("outcome") != "rewritten")

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(N) subwords."""
        return np.array([len(self._shards[number][row].subwords) for number, row in self._places])

    @property
    def text_count(self) -> int:
        """Texts of the corpus of which there is a version."""
        return len(np.unique(self._column("sample")))

    def _column(self, name: str) -> NDArray[np.str_]:
        columns = [shard.samples[name].to_numpy(object) for shard in self._shards]
        return np.array([columns[number][row] for number, row in self._places], dtype=str)

    @property
    def subword_count(self) -> int:
        """Subwords of all samples."""
        return sum(len(self._shards[number][row].subwords) for number, row in self._places)


def scored_samples(
    folders: Sequence[Path], vocab_size: int, *, by_project: bool = False
) -> Iterator[TextSample]:
    """All samples of the "test" split, also those without a token: shard by shard, or project by project."""
    opened = [_open(folder, vocab_size) for folder in folders]
    places = [(number, row) for number, shard in enumerate(opened) for row in _rows(shard, "test")]
    if by_project:
        places.sort(key=lambda place: _columns(opened[place[0]], place[1], ("project", "path", "sample")))
    for number, row in places:
        encoded = opened[number][row]
        sample, project = _columns(opened[number], row, ("sample", "project"))
        yield TextSample(
            sample=sample,
            project=project,
            subwords=np.asarray(encoded.subwords, dtype=np.int64),
            token_starts=encoded.token_starts
            if encoded.ends is None
            else np.arange(len(encoded.subwords) + 1),
            kinds=np.asarray(encoded.kinds),
            origins=np.asarray(encoded.origins),
            changes=np.asarray(encoded.changes),
            ends=encoded.ends,
            sizes=encoded.sizes,
        )


def _columns(shard: shards.EncodedShard, row: int, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(shard.samples[name].iloc[row]) for name in names)


def need(samples: Samples, what: str) -> None:
    """Raises BadInput if there is nothing in a split."""
    if not len(samples):
        raise BadInput(f"no {what} samples: every one was left out or none was in the {what} split")


def _open(folder: Path, vocab_size: int) -> shards.EncodedShard:
    shard = shards.open(folder)
    if shard.vocab_size != vocab_size:
        raise BadInput(f"{folder}: encoded with {shard.vocab_size} subwords, the tokenizer has {vocab_size}")
    return shard


def _rows(shard: shards.EncodedShard, split: str, part: Part | None = None) -> list[int]:
    table = shard.samples
    wanted = table["split"] == split
    if part is not None and part.only_rewritten:
        wanted &= table["outcome"] == "rewritten"
    if part is not None and part.as_rewritten is not None:
        variant = shards.open(part.as_rewritten).samples
        wanted &= table["sample"].isin(variant["sample"][variant["outcome"] == "rewritten"])
    return np.flatnonzero(wanted).tolist()
