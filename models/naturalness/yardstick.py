"""Some originals of a corpus, learnt once, and the variants that are measured against them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.naturalness import telling_apart
from models.naturalness.pairs import Pair, Text, tokens_of
from models.naturalness.surprise import Reader
from models.naturalness.telling_apart import Vector, vector
from preprocessing.encoding import INSERTED, RENAMED

HALVES, FOLDS = 2, 5
SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Naturalness:
    """What was found of the rewritten texts of one variant; None where there is nothing to measure.

    Means over tokens: `inserted_bits`; `renamed_bits`, and `replaced_bits` of the tokens in their places
    before; `original_bits` of all tokens of the originals of these texts.
    """

    n_texts: int
    n_projects: int
    n_inserted: int
    n_renamed: int
    inserted_bits: float | None
    renamed_bits: float | None
    replaced_bits: float | None
    original_bits: float | None
    auc: float | None
    auc_low: float | None
    auc_high: float | None


class Yardstick:
    """Texts that variants are measured on, with the models of the two halves of their projects.

    Raises:
        ValueError: texts of fewer than two projects, which can't be halved.
    """

    def __init__(self, originals: Sequence[Text]) -> None:
        sizes: dict[str, int] = {}
        for text in originals:
            sizes[text.project] = sizes.get(text.project, 0) + len(text.text)
        if len(sizes) < HALVES:
            raise ValueError(f"the texts of {len(sizes)} project can't be halved by project")
        self.project = {text.sample: text.project for text in originals}
        self._half = parts(sizes, HALVES)
        self._fold = parts(sizes, FOLDS)
        tokens = {text.sample: tokens_of(text.text) for text in originals}
        learnt = [
            [tokens[text.sample] for text in originals if self._half[text.project] != half]
            for half in range(HALVES)
        ]
        self._readers = [Reader(texts) for texts in learnt]
        self._vector = cache(lambda sample: vector(tokens[sample]))
        self._bits = cache(lambda sample: self._reader(sample).bits(tokens[sample]))

    def measure(self, pairs: Iterable[Pair]) -> Naturalness:
        """The naturalness of a variant, given those of its samples that were rewritten."""
        inserted: list[NDArray[np.float64]] = []
        renamed: list[NDArray[np.float64]] = []
        replaced: list[NDArray[np.float64]] = []
        originals: list[NDArray[np.float64]] = []
        samples: list[str] = []
        rewritten: list[Vector] = []
        for pair in pairs:
            before, after = self._bits(pair.sample), self._reader(pair.sample).bits(pair.rewritten)
            changes, origins = np.asarray(pair.changes), np.asarray(pair.origins)
            inserted.append(after[changes == INSERTED])
            renamed.append(after[changes == RENAMED])
            replaced.append(before[origins[changes == RENAMED]])
            originals.append(before)
            samples.append(pair.sample)
            rewritten.append(vector(pair.rewritten))
        projects = [self.project[sample] for sample in samples]
        found = self._told_apart(samples, projects, rewritten)
        return Naturalness(
            n_texts=len(samples),
            n_projects=len(set(projects)),
            n_inserted=sum(map(len, inserted)),
            n_renamed=sum(map(len, renamed)),
            inserted_bits=_mean(inserted),
            renamed_bits=_mean(renamed),
            replaced_bits=_mean(replaced),
            original_bits=_mean(originals),
            auc=found.value if found else None,
            auc_low=found.low if found else None,
            auc_high=found.high if found else None,
        )

    def _told_apart(
        self, samples: Sequence[str], projects: Sequence[str], rewritten: Sequence[Vector]
    ) -> telling_apart.Auc | None:
        folds = np.array([self._fold[project] for project in projects], dtype=np.int64)
        if len(np.unique(folds)) < 2:
            return None
        originals = [self._vector(sample) for sample in samples]
        return telling_apart.auc(*telling_apart.scores(originals, rewritten, folds), projects)

    def _reader(self, sample: str) -> Reader:
        return self._readers[self._half[self.project[sample]]]


def parts(sizes: dict[str, int], number: int) -> dict[str, int]:
    """Deal projects to so many parts of about equal size, in an order that names and the seed decide."""
    order = sorted(sizes, key=lambda project: hashlib.sha256(f"{SEED}:{project}".encode()).digest())
    full = [0] * number
    dealt = {}
    for project in order:
        dealt[project] = full.index(min(full))
        full[dealt[project]] += sizes[project]
    return dealt


def _mean(parts: Sequence[NDArray[np.float64]]) -> float | None:
    whole = np.concatenate([*parts, np.empty(0)])
    return float(whole.mean()) if len(whole) else None
