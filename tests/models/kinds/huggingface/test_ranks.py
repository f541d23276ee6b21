"""Ranks of tokens under a model of running text, against every spelling of two subwords and less."""

import itertools
import math
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.kinds.huggingface import Config, spelling_search
from models.kinds.huggingface.spelling_search import ReadWindow
from models.scoring.candidates import Context, complete
from models.scoring.search import TIE, WORST
from preprocessing import tokenizers
from preprocessing.errors import BadInput
from preprocessing.lexer.beginnings import OPEN, SETTLED, at_the_end, first_token, places
from preprocessing.lexer.tokens import TokensConfig, lex, texts

transformers = pytest.importorskip("transformers", reason="needs the extra huggingface")

LINES = """\
def f(x):
    if x:
        return "é"
    return g(x)
"""
OTHER = """\
def g(f):
    return x(f)
    if f(g):
        return "x"
"""


class Toy:
    """A byte-level tokenizer whose subwords cross the ends of tokens, and a sharp model of a few units."""

    def __init__(self, folder: Path, kind: str) -> None:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        from models.kinds.huggingface.network import HuggingFace

        library = Tokenizer(models.BPE())
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = decoders.ByteLevel()
        letters = [letter for letter, _ in pre_tokenizers.ByteLevel().pre_tokenize_str(LINES)]
        trainer = trainers.BpeTrainer(
            vocab_size=50,
            special_tokens=["<|endoftext|>"],
            initial_alphabet=sorted({c for word in letters for c in word} - set("<|endoftext|>")),
            show_progress=False,
        )
        library.train_from_iterator([LINES] * 4, trainer)
        library.save(str(folder / "tokenizer.json"))
        tokenizer = tokenizers.lookup("huggingface")
        (folder / "trained").mkdir()
        tokenizer.train(
            tokenizer.Config.model_validate({"kind": "huggingface", "path": str(folder)}),
            iter(()),
            folder / "trained",
        )
        self.tokenizer: Any = tokenizers.load(folder / "trained")
        torch.manual_seed(3)
        sizes = {"vocab_size": library.get_vocab_size() + 3, "bos_token_id": 0, "eos_token_id": 0}
        if kind == "gpt2":
            config = transformers.GPT2Config(n_positions=96, n_embd=32, n_layer=2, n_head=2, **sizes)
        else:
            config = transformers.LlamaConfig(
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=96,
                tie_word_embeddings=True,
                **sizes,
            )
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        self.network = HuggingFace(Config(path="x", context=96), model)

    def learn(self, steps: int) -> None:
        """Some steps on LINES, so that true tokens are among the probable ones."""
        ids, _ = self.tokenizer.offsets(LINES)
        row = torch.tensor([[0, *ids]])
        optimiser = torch.optim.AdamW(self.network.parameters(), lr=1e-2)
        for _ in range(steps):
            loss, _ = self.network.loss(row[:, :-1], row[:, 1:], None)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        self.network.eval().requires_grad_(False)

    def sample(self, text: str = LINES) -> Any:
        """A text as scoring sees it."""

        class Sample:
            subwords = np.array(self.tokenizer.offsets(text)[0])
            kinds = np.array(lex(text).kinds)

        return Sample()

    @torch.inference_mode()
    def log_probs(self, before: list[int], paths: list[tuple[int, ...]]) -> np.ndarray[Any, Any]:
        """Nats after each of some paths of equal length, read from the beginning."""
        ids = torch.tensor([[0, *(i - 4 for i in before), *path] for path in paths])
        return torch.log_softmax(self.network.model(input_ids=ids).logits[:, -1].double(), 1).numpy()


def brute_force(toy: Toy, text: str) -> Any:
    """For each token: nats of all tokens by spellings of up to two subwords, its own spelling, and nats of
    the best spelling of three that doesn't settle it.
    """
    tokens, tokenizer = lex(text), toy.tokenizer
    ids, upto = tokenizer.offsets(text)
    spelled = tokenizer.spelled()
    usable = [i for i, own in enumerate(spelled) if own]
    spell, first_of = cache(lambda path: tokenizer.spell(path)), cache(first_token)
    start = 0
    for place, end in zip(places(text, tokens, False), tokens.ends, strict=True):
        whole = int(np.searchsorted(upto, start, side="right"))
        healed = text[([0, *upto])[whole] : start]
        best: dict[str, float] = defaultdict(lambda: -math.inf)
        opened: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
        for _ in range(3):
            after = toy.log_probs(ids[:whole], [path for path, _ in opened])
            grown: list[tuple[tuple[int, ...], float]] = []
            for (path, nats), log_p in zip(opened, after, strict=True):
                masses: dict[str, float] = defaultdict(float)
                so_far = spell(path) if path else ""
                only_blanks = so_far.startswith(healed) and not so_far[len(healed) :].strip()
                if only_blanks and (last := at_the_end(place)).status == SETTLED:
                    masses[last.key] += math.exp(log_p[0])
                for piece in usable:
                    written = spell((*path, piece))
                    if healed.startswith(written) and written != healed:
                        grown.append(((*path, piece), nats + log_p[piece]))
                        continue
                    if not written.startswith(healed):
                        continue
                    first = first_of(written[len(healed) :], place)
                    if first.status == OPEN:
                        grown.append(((*path, piece), nats + log_p[piece]))
                    elif first.status == SETTLED:
                        masses[first.key] += math.exp(log_p[piece])
                for key, mass in masses.items():
                    best[key] = max(best[key], nats + math.log(mass))
            opened = grown
        first = first_token(text[start:], place)
        yield best, (first if first.status == SETTLED else at_the_end(place)).key, max(n for _, n in opened)
        start = end


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_ranks_equal_brute_force(kind: str, tmp_path: Path) -> None:
    toy = Toy(tmp_path, kind)
    toy.learn(12)
    result = toy.network.rank_tokens(toy.tokenizer, toy.sample(OTHER))
    assert result.cut_off == 0
    assert result.searched > 5
    checked: list[int] = []
    for k, (best, key, longer) in enumerate(brute_force(toy, OTHER)):
        if longer > best[key]:
            continue  # a longer spelling might be better
        better = sum(nats > best[key] + TIE for other, nats in best.items() if other != key)
        assert result.rank[k] == (better + 1 if better < WORST else 0), (k, key)
        assert sum(math.exp(nats) for nats in best.values()) < 1 + 1e-6
        checked.append(int(result.rank[k]))
    assert len(checked) > 12
    assert len(set(checked)) > 3


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_best_tokens_equal_brute_force(kind: str, tmp_path: Path) -> None:
    toy = Toy(tmp_path, kind)
    toy.learn(12)
    plain = toy.network.rank_tokens(toy.tokenizer, toy.sample(OTHER))
    result = toy.network.rank_tokens(toy.tokenizer, toy.sample(OTHER), best=True)
    np.testing.assert_array_equal(result.rank, plain.rank)
    assert result.best is not None
    assert result.best.spelled is not None
    assert result.best_cut_off == 0
    others = 0
    for k, (known, key, longer) in enumerate(brute_force(toy, OTHER)):
        top = max(known, key=known.__getitem__)
        if longer > known[top]:
            continue  # a longer spelling might be better
        assert result.best.nats[k] == pytest.approx(-known[top], abs=1e-4), (k, top)
        assert result.best.tokens.get(k, result.best.spelled[k]) == top, (k, key)
        assert (k in result.best.tokens) == (result.rank[k] != 1)
        others += top != key
    assert others > 3


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_completions_equal_brute_force(kind: str, tmp_path: Path) -> None:
    toy = Toy(tmp_path, kind)
    toy.learn(12)
    spelled = texts(OTHER, lex(OTHER), TokensConfig())
    checked = 0
    for k, (known, key, longer) in enumerate(brute_force(toy, OTHER)):
        context = Context(text=OTHER, spelled=spelled, at=k)
        found = complete(model=toy.network, tokenizer=toy.tokenizer, context=context, k=3)
        assert found.true is not None
        assert found.true.text == key
        top = sorted(known.values(), reverse=True)[:3]
        if longer > top[-1]:
            continue
        assert found.exact
        assert [math.log(c.probability) for c in found.candidates] == pytest.approx(top, abs=1e-4)
        assert all(
            math.log(c.probability) == pytest.approx(known[c.text], abs=1e-4) for c in found.candidates
        )
        rank = 1 + sum(nats > known[key] + TIE for other, nats in known.items() if other != key)
        assert found.rank == (rank if rank <= 3 else None)
        checked += 1
    assert checked > 8


def test_the_end_of_a_file_and_what_is_not_spelt_as_it_is_are_not_completed(tmp_path: Path) -> None:
    toy = Toy(tmp_path, "gpt2")
    spelled = texts(OTHER, lex(OTHER), TokensConfig())
    with pytest.raises(BadInput, match="the file ends here"):
        complete(
            model=toy.network,
            tokenizer=toy.tokenizer,
            context=Context(text=OTHER, spelled=spelled, at=len(spelled)),
        )
    other = OTHER.replace("g(f)", "z(f)")  # a letter that the tokenizer doesn't know
    with pytest.raises(BadInput, match="doesn't spell this text"):
        complete(
            model=toy.network, tokenizer=toy.tokenizer, context=Context(text=other, spelled=spelled, at=1)
        )


def test_without_a_cache_of_keys_the_ranks_are_the_same(tmp_path: Path, monkeypatch: Any) -> None:
    toy = Toy(tmp_path, "gpt2")
    toy.learn(12)
    cached = toy.network.rank_tokens(toy.tokenizer, toy.sample())
    before = ReadWindow.__init__

    def uncached(self: Any, *arguments: Any) -> None:
        before(self, *arguments)
        assert self.cached
        self.cached = False

    monkeypatch.setattr(ReadWindow, "__init__", uncached)
    np.testing.assert_array_equal(cached.rank, toy.network.rank_tokens(toy.tokenizer, toy.sample()).rank)


def test_long_texts_are_ranked_in_windows(tmp_path: Path) -> None:
    toy = Toy(tmp_path, "gpt2")
    toy.learn(30)
    text = LINES * 15
    sample = toy.sample(text)
    result = toy.network.rank_tokens(toy.tokenizer, sample)
    assert len(sample.subwords) > 3 * 96
    assert len(result.rank) == len(lex(text))
    first = toy.network.rank_tokens(toy.tokenizer, toy.sample(LINES))
    np.testing.assert_array_equal(first.rank[:-1], result.rank[: len(first.rank) - 1])
    assert result.cut_off < 0.05 * len(result.rank)


def test_a_search_that_is_cut_off_is_beyond_ten_and_counted(tmp_path: Path, monkeypatch: Any) -> None:
    toy = Toy(tmp_path, "gpt2")
    toy.learn(5)
    exact = toy.network.rank_tokens(toy.tokenizer, toy.sample())
    toy.network.config = Config(path="x", context=96, max_expansions=1)
    monkeypatch.setattr(spelling_search, "WIDTH", 1)
    cut = toy.network.rank_tokens(toy.tokenizer, toy.sample())
    assert cut.cut_off > exact.cut_off == 0
    assert all(a in (0, b) for a, b in itertools.zip_longest(cut.rank, exact.rank))


def test_a_text_that_can_not_be_spelt_back_is_given_up(tmp_path: Path) -> None:
    toy = Toy(tmp_path, "gpt2")
    toy.learn(1)
    sample = toy.sample()
    sample.kinds = sample.kinds[:-1]
    result = toy.network.rank_tokens(toy.tokenizer, sample)
    assert result.cut_off == len(sample.kinds)
    assert not result.rank.any()
