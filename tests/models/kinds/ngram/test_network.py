"""Kneser–Ney against a plain computation with dictionaries."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from models.encoded import TextSample
from models.kinds.ngram import Config
from models.kinds.ngram.counts import count, stream
from models.kinds.ngram.network import Ngram
from models.kinds.ngram.smoothing import discounts
from models.scoring.scorer import Scorer
from models.vocabulary import FILE, Vocabulary
from tasks.completion.adapting import score_dynamic

V = 9  # words 1 to 9


def files() -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(2)
    return [np.minimum(rng.geometric(0.3, size=n), V) for n in (30, 1, 55, 12)]


def brute_force(texts: list[list[int]], order: int, modified: bool) -> Any:
    """p(word | context) by the textbook: dictionaries of n-grams, recursion over their lengths."""
    grams = [Counter[tuple[int, ...]]() for _ in range(order + 1)]
    for text in texts:
        for n in range(1, order + 1):
            grams[n].update(tuple(text[i : i + n]) for i in range(len(text) - n + 1))
    counts = [Counter[tuple[int, ...]]() for _ in range(order + 1)]
    counts[order] = grams[order]
    for n in range(1, order):
        counts[n] = Counter(g[1:] for g in grams[n + 1])
        for gram, times in grams[n].items():
            if gram[0] == FILE:
                counts[n][gram] = times
    del counts[1][(FILE,)]
    taken = [discounts(np.array(list(c.values()) or [0]), modified) for c in counts]

    def p(word: int, context: tuple[int, ...]) -> float:
        n = len(context) + 1
        lower = (0.0 if word == FILE else 1 / V) if n == 1 else p(word, context[1:])
        here = {g: c for g, c in counts[n].items() if g[:-1] == context}
        total = sum(here.values())
        if not total:
            return lower
        own = here.get((*context, word), 0)
        rest = sum(taken[n][min(c, 3) - 1] for c in here.values()) / total
        return float((own - (taken[n][min(own, 3) - 1] if own else 0)) / total + rest * lower)

    return p


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("smoothing", ["kneser_ney", "modified_kneser_ney"])
def test_probabilities_equal_brute_force(order: int, smoothing: Any) -> None:
    data = files()
    texts = [[FILE, *ids.tolist()] for ids in data]
    p = brute_force(texts, order, smoothing == "modified_kneser_ney")
    model = Ngram(Config(order=order, smoothing=smoothing), V + 1, count(stream(data), order, V + 1))
    heldout = [FILE, 3, 3, 1, 8, 2, 2, 5, 1, 1, 3, 4]
    states = model.read(model.start(1), torch.tensor([heldout]))
    got = model.probabilities(states.nodes)
    np.testing.assert_allclose(got.sum(1), 1.0, atol=1e-12)
    assert np.all(got[:, FILE] == 0)
    for i in range(len(heldout)):
        context = tuple(heldout[max(0, i + 2 - order) : i + 1]) if order > 1 else ()
        expected = [p(word, context) for word in range(V + 1)]
        np.testing.assert_allclose(got[i], expected, atol=1e-12)


def test_repeated_texts_that_share_their_weight_change_nothing() -> None:
    """Also where the size rule left some out: p is that of the originals to the last bit."""
    data = files()
    repeated = [data[0], *data, data[2]]
    ids = stream(repeated)
    weights = np.repeat([0.5, 0.5, 1, 0.5, 1, 0.5], [len(text) + 1 for text in repeated])
    config = Config(order=3)
    before = count(stream(data), 3, V + 1)
    after = count(ids, 3, V + 1, weights)
    discounted = [discounts(level.counts, True) for level in before]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a.keys, b.keys)
        np.testing.assert_array_equal(a.counts, b.counts)
    alone, placebo = Ngram(config, V + 1, before), Ngram(config, V + 1, after, discounted)
    np.testing.assert_array_equal(alone.unigram, placebo.unigram)
    for one, other in zip(alone.orders, placebo.orders, strict=True):
        np.testing.assert_array_equal(one.share, other.share)
        np.testing.assert_array_equal(one.backoff, other.backoff)


def test_versions_of_a_text_sum_to_one() -> None:
    data = files()
    other = np.minimum(data[0] + 1, V)
    texts = [*data, other]
    weights = np.repeat([0.5, 1, 1, 1, 0.5], [len(text) + 1 for text in texts])
    discounted = [discounts(level.counts, True) for level in count(stream(data), 3, V + 1)]
    model = Ngram(Config(order=3), V + 1, count(stream(texts), 3, V + 1, weights), discounted)
    p = model.probabilities(model.read(model.start(1), torch.tensor([[FILE, *other.tolist()]])).nodes)
    np.testing.assert_allclose(p.sum(1), 1.0, atol=1e-12)
    assert np.all(p >= 0)


def test_logits_are_log_probabilities() -> None:
    model = Ngram(Config(order=3), V + 1, count(stream(files()), 3, V + 1))
    states = model.read(model.start(2), torch.tensor([[FILE, 2, 3], [FILE, 8, 8]]))
    sums = model.logits(states).double().exp().sum(1)
    np.testing.assert_allclose(sums.numpy(), 1.0, atol=1e-6)


def test_an_order_beyond_every_file_is_harmless() -> None:
    data = [np.array([1, 2]), np.array([3])]
    model = Ngram(Config(order=6), V + 1, count(stream(data), 6, V + 1))
    states = model.read(model.start(1), torch.tensor([[FILE, 1, 2, 3, 4, 5, 6, 7]]))
    np.testing.assert_allclose(model.probabilities(states.nodes).sum(1), 1.0)


def cached(**options: Any) -> Ngram:
    return Ngram(Config(order=3, cache="file", **options), V + 1, count(stream(files()), 3, V + 1))


def test_the_cache_folds_the_file_in_order_by_order() -> None:
    model, plain = cached(cache_strength=2.0), Ngram(Config(order=3), V + 1, count(stream(files()), 3, V + 1))
    text = [FILE, 1, 2, 5, 1, 2, 7, 1, 2]
    got = np.exp(model.logits(model.read(model.start(1), torch.tensor([text]))).double().numpy())[-1]
    p = plain.probabilities(plain.read(plain.start(1), torch.tensor([text])).nodes)[-1]
    for counts in ({1: 3, 2: 3, 5: 1, 7: 1}, {5: 1, 7: 1}, {5: 1, 7: 1}):  # nothing, 2, and 1 2 before
        c = np.array([counts.get(word, 0) for word in range(V + 1)])
        p = (c + 2.0 * p) / (c.sum() + 2.0)
    np.testing.assert_allclose(got, p, atol=1e-6)


def test_the_cache_sums_to_one_and_knows_only_the_past() -> None:
    model = cached()
    one = model.read(model.start(1), torch.tensor([[FILE, 1, 2, 3, 1, 2, 4]]))
    two = model.read(model.start(1), torch.tensor([[FILE, 1, 2, 3]]))
    p = model.logits(one).double().exp()
    np.testing.assert_allclose(p.sum(1).numpy(), 1.0, atol=1e-6)
    torch.testing.assert_close(model.logits(one)[:4], model.logits(two))
    again = model.read(one[torch.tensor([3, 3])], torch.tensor([[1, 2, 4], [9, 9, 9]]))
    torch.testing.assert_close(model.logits(again)[:3], model.logits(one)[4:])
    searched = model.extend(one[torch.tensor([3])], torch.tensor([1]))
    assert searched.lengths.tolist() == [4]


@pytest.mark.parametrize("cache", ["none", "file"])
def test_a_project_is_folded_in_before_the_file_and_forgotten(cache: Any) -> None:
    model = Ngram(Config(order=3, cache=cache, cache_strength=2.0), V + 1, count(stream(files()), 3, V + 1))
    text, before = [FILE, 1, 2, 5, 1, 2], np.array([7, 1, 2, 7, 2])
    fresh = model.logits(model.read(model.start(1), torch.tensor([text])))
    plain = Ngram(Config(order=3), V + 1, count(stream(files()), 3, V + 1))
    p = plain.probabilities(plain.read(plain.start(1), torch.tensor([text])).nodes)[-1]
    model.remember(before)
    got = model.logits(model.read(model.start(1), torch.tensor([text]))).double().exp()
    np.testing.assert_allclose(got.sum(1).numpy(), 1.0, atol=1e-6)
    project = [{1: 1, 2: 2, 7: 2}, {7: 1}, {7: 1}]  # at all, after 2, after 1 2
    own = [{1: 2, 2: 2, 5: 1}, {5: 1}, {5: 1}] if cache == "file" else []
    for counts in [*project, *own]:
        c = np.array([counts.get(word, 0) for word in range(V + 1)])
        p = (c + 2.0 * p) / (c.sum() + 2.0)
    np.testing.assert_allclose(got[-1].numpy(), p, atol=1e-6)
    model.forget()
    torch.testing.assert_close(model.logits(model.read(model.start(1), torch.tensor([text]))), fresh)


def test_dynamic_evaluation_remembers_a_project(tokenizer: Any, vocabulary: Vocabulary) -> None:
    model = Ngram(Config(order=3), vocabulary.size, count(stream([np.array([4, 6])]), 3, vocabulary.size))
    ids = np.array([i for word in tokenizer.encode(["a", "ab", "b"] * 10) for i in word])
    starts = np.r_[0, np.flatnonzero(vocabulary.ends[ids]) + 1]
    blank = np.zeros(len(starts) - 1, dtype=np.uint8)
    rows = {
        "subwords": ids,
        "token_starts": starts,
        "kinds": blank,
        "origins": blank.astype(np.int32),
        "changes": blank,
    }
    samples = [TextSample(sample=f"s{i}", project=p, **rows) for i, p in enumerate("ppq")]
    first, second, other = score_dynamic(Scorer(model=model, vocabulary=vocabulary), samples, 0.1, 8)
    assert second.nll.sum() < first.nll.sum() - 10
    np.testing.assert_allclose(other.nll, first.nll)
    assert not model.project.ids


def test_bits_are_those_of_the_whole_distributions() -> None:
    samples = files()
    model = Ngram(Config(order=4), V + 1, count(stream(samples), 4, V + 1))
    for file in (*samples, np.array([9, 9, 8, 1, 7, 9, 9])):
        before = np.r_[FILE, file[:-1]]
        states = model.read(model.start(1), torch.from_numpy(before)[None])
        whole = model.logits(states).double().numpy() / np.log(2)
        assert model.bits(file) == pytest.approx(-whole[np.arange(len(file)), file], abs=1e-5)
