"""The classifier and its AUC against scikit-learn's, and the interval against plain resampling."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from models.naturalness import telling_apart
from models.naturalness.telling_apart import BUCKETS, COST, RESAMPLES, auc, scores, vector


def texts(n: int, seed: int, extra: str = "") -> list[list[str]]:
    rng = np.random.default_rng(seed)
    words = [f"w{i}" for i in range(30)]
    made = [[words[i] for i in rng.integers(len(words), size=60)] for _ in range(n)]
    return [[*text, *(extra.split() if k % 3 else [])] for k, text in enumerate(made)]


def test_a_vector_has_length_one_and_counts_one_to_three_tokens() -> None:
    one = vector(["a", "b", "a", "b"])
    assert len(one.buckets) == 2 + 2 + 2
    assert one.weights @ one.weights == pytest.approx(1)
    ratio = one.weights.max() / one.weights.min()
    assert ratio == pytest.approx(1 + np.log(2))


def test_vectors_are_the_same_in_every_process() -> None:
    assert vector(["def", "f", "("]).buckets.tolist() == [451, 4204, 36581, 43673, 45297, 125117]


@pytest.mark.parametrize("tokens", [[], ["a"], ["a", "b"]])
def test_short_texts_have_vectors(tokens: list[str]) -> None:
    assert len(vector(tokens).buckets) == len(tokens) * (len(tokens) + 1) // 2


def test_scores_are_those_of_logistic_regression_on_the_other_folds() -> None:
    originals = [vector(text) for text in texts(12, 1)]
    rewritten = [vector(text) for text in texts(12, 1, "if False : pass")]
    folds = np.arange(12) % 3
    got = scores(originals, rewritten, folds)
    whole = np.zeros((24, BUCKETS))
    for row, one in zip(whole, [*originals, *rewritten], strict=True):
        row[one.buckets] = one.weights
    x = whole[:, whole.any(axis=0)]
    labels, held_out = np.repeat([-1, 1], 12), np.tile(folds, 2)
    for fold in range(3):
        train, test = held_out != fold, held_out == fold
        model = LogisticRegression(C=COST / train.sum(), fit_intercept=False, tol=1e-8, max_iter=1000)
        model.fit(x[train], labels[train])
        want = model.decision_function(x[test])
        assert np.concatenate(got)[test] == pytest.approx(want, abs=2e-3)


def test_one_fold_is_not_enough() -> None:
    some = [vector(text) for text in texts(3, 1)]
    with pytest.raises(ValueError, match="two folds"):
        scores(some, some, np.zeros(3, dtype=np.int64))


def test_the_auc_is_that_of_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(3)
    originals, rewritten = rng.integers(8, size=40) / 4, rng.integers(3, 9, size=40) / 4
    found = auc(originals, rewritten, [str(i % 7) for i in range(40)])
    labels = np.repeat([0, 1], 40)
    assert found.value == pytest.approx(roc_auc_score(labels, np.r_[originals, rewritten]))
    assert found.low < found.value < found.high


def test_the_interval_is_that_of_whole_projects_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling_apart, "RESAMPLES", 200)
    rng = np.random.default_rng(4)
    projects = [str(p) for p in rng.integers(6, size=30)]
    originals, rewritten = rng.normal(size=30), rng.normal(0.7, size=30)
    names, of = np.unique(projects, return_inverse=True)
    shares = np.full(len(names), 1 / len(names))
    by_hand = []
    for times in np.random.default_rng(0).multinomial(len(names), shares, 200):
        again = np.repeat(np.arange(30), times[of])
        both = np.r_[originals[again], rewritten[again]]
        by_hand.append(roc_auc_score(np.repeat([0, 1], len(again)), both))
    found = auc(originals, rewritten, projects)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(by_hand, [0.025, 0.975])))
    assert RESAMPLES >= 1000
