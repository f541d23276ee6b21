"""Scores against a slow and plain computation, and their independence of batches."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from models.interface import LanguageModel
from models.kinds.gpt import Config as GptConfig
from models.kinds.gpt.network import Gpt
from models.kinds.gru import Config as GruConfig
from models.kinds.gru.network import Gru
from models.kinds.ngram import Config as NgramConfig
from models.kinds.ngram.counts import count, stream
from models.kinds.ngram.network import Ngram
from models.scoring.scorer import Scorer, bits_per_token
from models.scoring.search import TIE, WORST
from models.vocabulary import FILE, Vocabulary

LONGEST = 8  # letters of the tokens that the brute force looks at


def gru(vocab_size: int) -> Gru:
    torch.manual_seed(5)
    model = Gru(GruConfig(d_model=16, layers=2, dropout=0.3), vocab_size).eval().requires_grad_(False)
    model.output.weight *= 2.0  # sharper distributions
    return model


def gpt(vocab_size: int) -> Gpt:
    torch.manual_seed(5)
    config = GptConfig(d_model=16, layers=2, heads=2, context=24, min_context=9)
    model = Gpt(config, vocab_size).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.15)
    return model


def ngram(vocab_size: int, texts: list[Any], cache: Any = "none") -> Ngram:
    return Ngram(
        NgramConfig(order=3, cache=cache), vocab_size, count(stream(t.subwords for t in texts), 3, vocab_size)
    )


def models(vocab_size: int, texts: list[Any]) -> dict[str, LanguageModel]:
    return {
        "gru": gru(vocab_size),
        "gpt": gpt(vocab_size),
        "ngram": ngram(vocab_size, texts),
        "cache": ngram(vocab_size, texts, "file"),
    }


def log_ps(model: LanguageModel, before: list[int], sequences: list[list[int]]) -> np.ndarray[Any, Any]:
    """log p(sequence | before) of each sequence, read as a whole."""
    width = max(len(ids) for ids in sequences)
    padded = torch.tensor([ids + [0] * (width - len(ids)) for ids in sequences])
    context = model.read(model.start(1), torch.tensor([before]))
    last = context[torch.full((len(sequences),), len(before) - 1)]
    rest = model.read(last, padded[:, :-1])
    first = torch.log_softmax(model.logits(last), 1)[:, None]
    log_probs = first
    if width > 1:
        others = torch.log_softmax(model.logits(rest), 1).view(len(sequences), width - 1, -1)
        log_probs = torch.cat([first, others], 1)
    each = log_probs.gather(2, padded[:, :, None])[:, :, 0].double().numpy()
    return np.array([row[: len(ids)].sum() for row, ids in zip(each, sequences, strict=True)])


def visible(model: LanguageModel, text: Any, k: int) -> list[int]:
    """What a prediction of token k sees: all, or what a context with its stated minimum leaves."""
    inputs, starts = [FILE, *text.subwords.tolist()], text.token_starts
    seen_from = 0
    for i in range(k + 1):
        seen = int(starts[i]) - seen_from
        if model.context is not None and seen > model.kept and int(starts[i + 1]) - seen_from > model.context:
            seen_from = int(starts[i]) - model.kept
    return inputs[seen_from : int(starts[k]) + 1]


@pytest.mark.parametrize("kind", ["gru", "gpt", "ngram"])
def test_ranks_equal_brute_force(kind: str, tokenizer: Any, vocabulary: Vocabulary, texts: list[Any]) -> None:
    model = models(tokenizer.vocab_size, texts)[kind]
    words = ["".join(w) for n in range(LONGEST + 1) for w in itertools.product("ab", repeat=n)]
    tokens = tokenizer.encode([*words, "<newline>", "<indent>", "<dedent>"])
    unfinished = [list(t) for t in {tuple(ids[:-1]) for ids in tokenizer.encode(words[-(2**LONGEST) :])}]
    checked = deep = ten = tops = others = 0
    for text in texts[3:4]:
        [(_, nll, rank, best)] = Scorer(model=model, vocabulary=vocabulary, best=True).score([text])
        assert best is not None
        for k in range(len(nll)):
            a, b = text.token_starts[k], text.token_starts[k + 1]
            before = visible(model, text, k)
            [p_true] = log_ps(model, before, [text.subwords[a:b].tolist()])
            assert nll[k] == pytest.approx(-p_true, abs=1e-5)
            everything, longer = log_ps(model, before, tokens), log_ps(model, before, unfinished).max()
            if longer < everything.max():
                assert best.nats[k] == pytest.approx(-everything.max(), abs=2 * TIE)
                top: list[Any] = text.subwords[a:b].tolist() if rank[k] == 1 else list(best.tokens[k])
                [p_top] = log_ps(model, before, [top])
                assert p_top == pytest.approx(everything.max(), abs=2 * TIE)
                tops += 1
                others += rank[k] != 1
            if longer > p_true:
                continue  # a token longer than those looked at might be better
            better = int((everything > p_true + TIE).sum())
            assert rank[k] == (better + 1 if better < WORST else 0)
            checked += 1
            deep += b - a > 1
            ten += better >= WORST
    assert checked > 20
    assert tops > 20
    assert others > 5
    assert deep > 1
    assert ten > 2 or kind != "gru"


@pytest.mark.parametrize("kind", ["gru", "gpt", "ngram", "cache"])
def test_scores_do_not_depend_on_the_batch(kind: str, vocabulary: Vocabulary, texts: list[Any]) -> None:
    model = models(vocabulary.size, texts)[kind]
    results = [
        list(Scorer(model=model, vocabulary=vocabulary, rows=rows, window=window).score(texts))
        for rows, window in ((1, 64), (8, 16), (32, 5), (32, 1))
    ]
    for other in results[1:]:
        for text, (one, nll, rank, _), (two, other_nll, other_rank, _) in zip(
            texts, results[0], other, strict=True
        ):
            assert one is text
            assert two is text
            np.testing.assert_allclose(nll, other_nll, atol=1e-5)
            np.testing.assert_array_equal(rank, other_rank)


def test_looking_for_the_best_token_changes_no_score(vocabulary: Vocabulary, texts: list[Any]) -> None:
    for model in models(vocabulary.size, texts).values():
        plain, looked = (
            list(Scorer(model=model, vocabulary=vocabulary, best=best).score(texts)) for best in (False, True)
        )
        for one, two in zip(plain, looked, strict=True):
            assert one.best is None
            np.testing.assert_allclose(one.nll, two.nll, atol=1e-5)
            np.testing.assert_array_equal(one.rank, two.rank)
            assert two.best is not None
            assert np.all(two.best.nats <= two.nll + 1e-9)
            assert all(one.rank[k] != 1 for k in two.best.tokens)


def test_scores_do_not_depend_on_the_neighbours(vocabulary: Vocabulary, texts: list[Any]) -> None:
    model = gru(vocabulary.size)
    alone = [next(Scorer(model=model, vocabulary=vocabulary).score([text])) for text in texts]
    together = list(Scorer(model=model, vocabulary=vocabulary, rows=4).score(texts))
    for (_, nll, *_), (_, other, *_) in zip(alone, together, strict=True):
        np.testing.assert_allclose(nll, other, atol=1e-5)


def test_a_text_without_tokens_has_no_scores(vocabulary: Vocabulary, texts: list[Any]) -> None:
    [(_, nll, rank, _)] = Scorer(model=gru(vocabulary.size), vocabulary=vocabulary).score([texts[2]])
    assert len(nll) == len(rank) == 0


def test_a_search_that_is_cut_off_counts_as_beyond_ten(vocabulary: Vocabulary, texts: list[Any]) -> None:
    scorer = Scorer(model=gru(vocabulary.size), vocabulary=vocabulary, max_expansions=1)
    exact = Scorer(model=gru(vocabulary.size), vocabulary=vocabulary)
    cut_ranks = np.concatenate([rank for _, _, rank, _ in scorer.score(texts)])
    ranks = np.concatenate([rank for _, _, rank, _ in exact.score(texts)])
    assert scorer.counts.cut_off > 0
    assert exact.counts.cut_off == 0
    assert np.all((cut_ranks == ranks) | (cut_ranks == 0))
    assert scorer.counts.tokens == len(ranks)


def test_validation_is_the_mean_of_the_scores(vocabulary: Vocabulary, texts: list[Any]) -> None:
    model = gru(vocabulary.size)
    scored = Scorer(model=model, vocabulary=vocabulary, ranks=False).score(texts)
    nats = np.concatenate([nll for _, nll, *_ in scored])
    samples = [text.subwords for text in texts]
    assert bits_per_token(model, samples, vocabulary) == pytest.approx(nats.mean() / math.log(2), abs=1e-6)
    assert bits_per_token(model, samples, vocabulary, max_tokens=20) > 0
