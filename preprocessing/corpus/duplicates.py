"""Samples that say the same thing: exact duplicates, and near ones by MinHash over shingles of tokens."""

import hashlib
import zlib
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from preprocessing.frozen import Frozen
from preprocessing.lexer.tokens import Tokens

if TYPE_CHECKING:
    from datasketch import MinHash

PERMUTATIONS = 128  # standard error of the estimated similarity: at most 1 / (2 √128) = 0.044
_SCHEME = "affine32"


class NearConfig(Frozen):
    """Which samples are near duplicates, and what becomes of them.

    Two samples are near duplicates if the estimated Jaccard similarity of their sets of shingles
    (`shingle` successive tokens, comments left out) is at least `threshold` (Broder 1997). `reduce`
    keeps the first and leaves out what is similar to one that stays; `together` keeps all, and puts a
    whole cluster into one split.
    """

    threshold: float = Field(default=0.8, gt=0, le=1)
    shingle: int = Field(default=5, ge=1, le=50)
    clusters: Literal["reduce", "together"] = "reduce"


def fingerprint(text: str) -> int:
    """64 bits of the SHA-256 of a text in which every run of whitespace is one space."""
    return int.from_bytes(hashlib.sha256(" ".join(text.split()).encode()).digest()[:8])


def signature(text: str, tokens: Tokens, config: NearConfig) -> bytes:
    """MinHash signature of a text, PERMUTATIONS 32-bit numbers."""
    words = np.fromiter(
        (zlib.crc32(text[start:end].encode()) for start, end in zip(tokens.starts, tokens.ends, strict=True)),
        dtype=np.uint64,
        count=len(tokens),
    )
    size = min(config.shingle, len(words))
    shingles = np.zeros(len(words) - size + 1, dtype=np.uint64)
    for offset in range(size):  # a polynomial modulo 2^64, whose upper half is well mixed
        shingles = shingles * np.uint64(0x9E3779B97F4A7C15) + words[offset : offset + len(shingles)]
    from datasketch import MinHash  # it imports scipy, which takes more than a second

    minhash = MinHash(num_perm=PERMUTATIONS, hashfunc=int, scheme=_SCHEME)
    minhash.update_batch(np.unique(_mixed(shingles)))
    return bytes(minhash.hashvalues.astype("<u4").tobytes())


def _mixed(
    numbers: "np.ndarray[tuple[int], np.dtype[np.uint64]]",
) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return numbers >> np.uint64(32)


class NearIndex:
    """Finds near duplicates among all that was added before; docs/formats.md says what memory it takes."""

    def __init__(self, config: NearConfig) -> None:
        from datasketch import MinHash, MinHashLSH

        self._minhash = MinHash
        self._config = config
        self._lsh = MinHashLSH(threshold=config.threshold, num_perm=PERMUTATIONS, hashfunc=_short)
        self._signatures: dict[int, bytes] = {}
        self.parents: dict[int, int] = {}
        """Union-find over positions: who stands in here is similar to an earlier sample."""

    def add(self, position: int, signed: bytes) -> int | None:
        """The first sample to which this one is similar, if any; with `reduce` this one is then forgotten."""
        similar = self.similar(signed)
        if similar and self._config.clusters == "reduce":
            return similar[0]
        self._lsh.insert(position, self._minhash_of(signed), check_duplication=False)
        self._signatures[position] = signed
        for other in similar:
            self._join(position, other)
        return similar[0] if similar else None

    def similar(self, signed: bytes) -> list[int]:
        """All remembered samples to which this one is similar, in their order."""
        values = np.frombuffer(signed, dtype="<u4")
        found: list[int] = self._lsh.query(self._minhash_of(signed))
        return sorted(other for other in found if self._is_near(values, other))

    def _minhash_of(self, signed: bytes) -> "MinHash":
        return self._minhash(
            num_perm=PERMUTATIONS, hashvalues=np.frombuffer(signed, dtype="<u4"), scheme=_SCHEME
        )

    def cluster(self, position: int) -> int:
        """The first member of a sample's cluster."""
        while (parent := self.parents.get(position)) is not None:
            position = parent
        return position

    def _is_near(self, values: "np.ndarray[tuple[int], np.dtype[np.uint32]]", other: int) -> bool:
        others = np.frombuffer(self._signatures[other], dtype="<u4")
        return float(np.mean(values == others)) >= self._config.threshold

    def _join(self, one: int, other: int) -> None:
        first, second = sorted((self.cluster(one), self.cluster(other)))
        if first != second:
            self.parents[second] = first


def _short(band: bytes) -> bytes:
    return hashlib.blake2b(band, digest_size=8).digest()
