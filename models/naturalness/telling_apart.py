"""How well a classifier tells rewritten texts from originals: the AUC, with an interval over projects.

The classifier is logistic regression on hashed n-grams of one to three tokens. Its settings were fixed before
anything was measured with it, and aren't options: a number must mean the same everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, special, stats

Floats = NDArray[np.float64]

BUCKETS = 2**18
COST = 100.0
"""Weight of the mean loss against ½ |w|²: as texts are vectors of length 1, weights must be able to grow."""
RESAMPLES = 2000
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Vector:
    """A text to the classifier: its buckets, ascending, and the weight of each; weights have length 1."""

    buckets: NDArray[np.int64]
    weights: Floats


def vector(tokens: Sequence[str]) -> Vector:
    """1 + ln(occurrences) of each n-gram of one to three tokens, hashed."""
    known = {token: crc32(token.encode("utf-8", "surrogatepass")) + 1 for token in set(tokens)}
    last = np.array([known[token] for token in tokens], dtype=np.uint64)
    grams, hashes = last, []
    for size in (1, 2, 3):
        if size > 1:
            grams = (grams[:-1] ^ (grams[:-1] >> np.uint64(29))) * _ODD + last[size - 1 :]
        hashes.append(_mixed(grams + np.uint64(size)) % np.uint64(BUCKETS))
    buckets, counts = np.unique(np.concatenate(hashes).astype(np.int64), return_counts=True)
    weights = 1 + np.log(counts)
    return Vector(buckets, weights / np.sqrt(weights @ weights) if len(weights) else weights)


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(32))) * _ODD
    return (x ^ (x >> np.uint64(29))) * _ODD >> np.uint64(32)


def scores(
    originals: Sequence[Vector], rewritten: Sequence[Vector], folds: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """How rewritten each of N originals and of N rewritten texts looks to a classifier that saw neither.

    `folds` (N): texts of one fold are scored by what was learnt from all others. Raises ValueError for a
    single fold: then there are no others.
    """
    if len(set(folds.tolist())) < 2:
        raise ValueError("texts of at least two folds are needed")
    rows = [*originals, *rewritten]
    x = sparse.csr_array(
        (
            np.concatenate([row.weights for row in rows]),
            np.concatenate([row.buckets for row in rows]),
            np.r_[0, np.cumsum([len(row.buckets) for row in rows])],
        ),
        shape=(len(rows), BUCKETS),
    )
    squares, axes = np.linalg.eigh((x @ x.T).toarray())
    x_turned = axes * np.sqrt(np.maximum(squares, 0))  # (2N, 2N), with the same inner products
    labels = np.repeat([-1.0, 1.0], len(originals))
    held_out = np.tile(folds, 2)
    found = np.empty(len(rows))
    for fold in np.unique(folds):
        test = held_out == fold
        found[test] = x_turned[test] @ _weights(x_turned[~test], labels[~test])
    found = np.round(found, 6)  # equal texts have equal scores
    return found[: len(originals)], found[len(originals) :]


def _weights(x: Floats, labels: Floats) -> Floats:
    """Logistic regression: w that minimises COST · mean ln(1 + exp(−y x·w)) + ½ |w|²."""
    scale = COST / len(labels)

    def loss(w: Floats) -> tuple[float, Floats]:
        margins = labels * (x @ w)
        slope = x.T @ (-scale * labels * special.expit(-margins))
        return scale * float(-special.log_expit(margins).sum()) + 0.5 * float(w @ w), slope + w

    found: Floats = optimize.minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Auc:
    """The share of pairs (an original, a rewritten text) in which the latter looks more rewritten."""

    value: float
    low: float
    high: float


def auc(originals: Floats, rewritten: Floats, projects: Sequence[str]) -> Auc:
    """AUC with a 95 % interval: percentiles of a bootstrap over projects, the classifiers held fixed.

    N scores each, of texts and of what became of them, whose projects (N) are given.
    """
    ranks = stats.rankdata(np.r_[originals, rewritten])
    n = len(originals)
    value = (ranks[n:].sum() - n * (n + 1) / 2) / n**2
    names, of = np.unique(np.asarray(projects), return_inverse=True)
    wins = (rewritten[:, None] > originals) + 0.5 * (rewritten[:, None] == originals)  # (N, N)
    member = sparse.csr_array((np.ones(n), (of, np.arange(n))), shape=(len(names), n))
    by_project = member @ (member @ wins).T  # (P, P)
    sizes = np.bincount(of)
    draws = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    resampled = np.einsum("bp,pq,bq->b", draws, by_project, draws, optimize=True) / (draws @ sizes) ** 2
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Auc(value=float(value), low=float(low), high=float(high))
