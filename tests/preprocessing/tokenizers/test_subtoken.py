from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing import tokenizers
from preprocessing.errors import BadInput
from preprocessing.tokenizers import SPECIALS, subtoken

WORDS = ["self", "getValue", "get_value", "value", "Value", "=", "(", ")", "'some text'"] * 5 + ["rare"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tokenizers.Tokenizer:
    out = tmp_path_factory.mktemp("tokenizer")
    facts = subtoken.train(subtoken.Config(), iter(WORDS), out)
    assert facts["training_tokens"] == len(WORDS)
    return tokenizers.load(out)


@pytest.mark.parametrize(
    "text, pieces",
    [
        ("parseHTTPResponse_v2", ["parse", "HTTP", "Response", "_", "v", "2\0"]),
        ("__init__", ["_", "_", "init", "_", "_\0"]),
        ("'a  b'", ["'", "a", "  ", "b", "'\0"]),
        ("naïveÜber", ["na", "ï", "ve", "Ü", "ber\0"]),
        ("", ["\0"]),
    ],
)
def test_split(text: str, pieces: list[str]) -> None:
    assert subtoken.split(text) == pieces


@given(text=st.text())
def test_split_loses_nothing(text: str) -> None:
    assert "".join(subtoken.split(text)) == text + "\0"


@given(text=st.text().filter(lambda text: "\0" not in text) | st.sampled_from([*WORDS, *SPECIALS]))
def test_last_subword_alone_ends_the_token(trained: tokenizers.Tokenizer, text: str) -> None:
    (ids,) = trained.encode([text])
    assert [bool(trained.ends[i]) for i in ids] == [False] * (len(ids) - 1) + [True]
    if not trained.unknown[ids].any():
        assert trained.decode(ids) == text
        assert trained.is_canonical(ids) or not text


def test_rare_is_unknown(trained: tokenizers.Tokenizer) -> None:
    assert [trained.decode(ids) for ids in trained.encode(["rare", "getRare", "setValue"])] == [
        "<unk>", "get<unk>", "<unk>Value",
    ]  # fmt: skip
    assert not trained.is_canonical(trained.encode(["rare"])[0])


def test_what_is_not_canonical(trained: tokenizers.Tokenizer) -> None:
    (whole,) = trained.encode(["getValue"])
    assert trained.is_canonical(whole)
    assert not trained.is_canonical(whole[:-1])
    assert not trained.is_canonical([*whole, *whole])
    assert not trained.is_canonical([])


def test_most_frequent_first_and_deterministic(tmp_path: Path) -> None:
    files = []
    for name, words in (("a", WORDS), ("b", WORDS[::-1])):
        (tmp_path / name).mkdir()
        facts = subtoken.train(subtoken.Config(vocab_size=10), iter(words), tmp_path / name)
        assert facts["vocab_size"] == 10
        assert 0 < facts["unknown_subtokens"] < 1
        files.append((tmp_path / name / "tokenizer.json").read_bytes())
    assert files[0] == files[1]
    with pytest.raises(BadInput, match="no tokens"):
        subtoken.train(subtoken.Config(), iter(()), tmp_path)
