from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing import parquet_files, tokenizers
from preprocessing.corpus import building
from preprocessing.errors import BadInput
from preprocessing.lexer.tokens import TokensConfig
from preprocessing.tokenizers import SPECIALS, bpe

WORDS = ["self", "return", "self", "result", "_result", "=", "(", ")", "naïve", "'text'"] * 20


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tokenizers.Tokenizer:
    out = tmp_path_factory.mktemp("tokenizer")
    bpe.train(bpe.Config(vocab_size=300), iter(WORDS), out)
    return tokenizers.load(out)


TEXTS = st.text(min_size=1).filter(lambda text: "\0" not in text)


@given(texts=st.lists(TEXTS | st.sampled_from(SPECIALS)))
def test_round_trip(trained: tokenizers.Tokenizer, texts: list[str]) -> None:
    for text, ids in zip(texts, trained.encode(texts), strict=True):
        assert trained.decode(ids) == text
        assert [bool(trained.ends[i]) for i in ids] == [False] * (len(ids) - 1) + [True]
        assert trained.is_canonical(ids)


def test_symbols_are_single_subwords_and_only_alone(trained: tokenizers.Tokenizer) -> None:
    assert trained.encode(SPECIALS) == [[0], [1], [2], [3]]
    assert 1 not in trained.encode(["# <newline> here"])[0]
    assert 1 not in trained.encode([" <newline>"])[0]


def test_what_is_not_canonical(trained: tokenizers.Tokenizer) -> None:
    (whole,) = trained.encode(["self"])
    by_bytes = [trained.pieces.index(bytes([byte])) for byte in b"self\0"]
    assert trained.pieces[whole[0]] == b"self\0"
    assert trained.is_canonical(whole)
    assert not trained.is_canonical(by_bytes)
    assert not trained.is_canonical(by_bytes[:-1])
    assert not trained.is_canonical([1, *whole])
    assert not trained.is_canonical([*whole, *whole])
    assert not trained.is_canonical([by_bytes[-1]])
    assert not trained.is_canonical([])
    assert not trained.is_canonical([trained.pieces.index(b"\xff"), by_bytes[-1]])


def test_same_words_same_file(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        bpe.train(bpe.Config(vocab_size=290), iter(WORDS), tmp_path / name)
    files = [(tmp_path / name / "tokenizer.json").read_bytes() for name in "ab"]
    assert files[0] == files[1]


def test_forgetting_words_changes_nothing(
    trained: tokenizers.Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = trained.encode(WORDS)
    monkeypatch.setattr(bpe, "_KNOWN", 3)
    assert [trained.encode([word])[0] for word in WORDS] == expected
    assert trained.encode(WORDS) == expected


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no tokens"):
        bpe.train(bpe.Config(vocab_size=300), iter(()), tmp_path)


def test_lookup_names_the_kinds() -> None:
    assert tokenizers.lookup("bpe").Config is bpe.Config
    with pytest.raises(BadInput, match=r"tokenizer.kind: no tokenizer 'bpp'; did you mean 'bpe'\?"):
        tokenizers.lookup("bpp")


def test_a_part_of_the_training_split_is_enough(small_corpus: Path) -> None:
    shards, tokens = list(building.shard_paths(small_corpus)), TokensConfig()
    every = Counter(tokenizers.training_tokens(shards, tokens))
    n_bytes = sum(
        row["n_bytes"] for shard in shards for row in parquet_files.rows(shard) if row["split"] == "train"
    )
    some = Counter(tokenizers.training_tokens(shards, tokens, n_bytes // 2))
    assert some < every
    assert 0.2 < some.total() / every.total() < 0.8
    assert Counter(tokenizers.training_tokens(shards, tokens, n_bytes // 2)) == some
    assert Counter(tokenizers.training_tokens(shards, tokens, n_bytes)) == every
    one = Counter(tokenizers.training_tokens(shards, tokens, 1))
    assert one.total()  # of one sample
    assert one < some


def test_learning_from_a_part_is_another_tokenizer(small_corpus: Path, tmp_path: Path) -> None:
    shards = list(building.shard_paths(small_corpus))
    facts = []
    for number, train_bytes in enumerate((None, 500)):
        (tmp_path / str(number)).mkdir()
        config = bpe.Config(vocab_size=300, train_bytes=train_bytes)
        facts.append(tokenizers.build(config, shards, TokensConfig(), tmp_path / str(number)))
    assert 0 < facts[1]["training_tokens"] < facts[0]["training_tokens"]
