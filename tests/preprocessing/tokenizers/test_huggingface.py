"""Where tokens end among the subwords of running text, and what is no tokenizer."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE

from preprocessing import tokenizers
from preprocessing.errors import BadInput
from preprocessing.lexer.running import n_bytes, running
from preprocessing.lexer.tokens import TokensConfig, lex, texts
from preprocessing.tokenizers import huggingface


def saved(folder: Path) -> huggingface.RunningTextTokenizer:
    """Byte-level BPE with the merges ") :", "Ġ Ġ" and "Ġ x"."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*alphabet, "):", "ĠĠ", "Ġx", "<|endoftext|>"]
    library = Tokenizer(BPE({word: i for i, word in enumerate(words)}, [(")", ":"), ("Ġ", "Ġ"), ("Ġ", "x")]))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    library.post_processor = processors.ByteLevel(trim_offsets=True)
    library.decoder = decoders.ByteLevel()
    library.add_special_tokens(["<|endoftext|>"])
    library.save(str(folder / "tokenizer.json"))
    out = folder / "out"
    out.mkdir()
    huggingface.train(huggingface.Config(path=str(folder)), iter(()), out)
    tokenizer = tokenizers.load(out)
    assert isinstance(tokenizer, huggingface.RunningTextTokenizer)
    return tokenizer


def test_ends_are_places_among_subwords(tmp_path: Path) -> None:
    tokenizer = saved(tmp_path)
    text = "f(): x"  # f ( ): Ġx
    ids, ends = tokenizer.encode_running(text, [1, 2, 3, 4, 6])
    assert [tokenizer.pieces[i].decode() for i in ids] == ["f", "(", "):", "Ġx"]
    np.testing.assert_allclose(ends, [1, 2, 2.5, 3, 4])
    assert tokenizer.decode(ids) == text


def test_characters_of_several_subwords_belong_to_one_token(tmp_path: Path) -> None:
    tokenizer = saved(tmp_path)
    ids, ends = tokenizer.encode_running("ä€x", [1, 2, 3])
    assert len(ids) == 2 + 3 + 1
    np.testing.assert_allclose(ends, [2, 5, 6])


def test_special_tokens_in_a_text_are_text_and_nothing_is_nothing(tmp_path: Path) -> None:
    tokenizer = saved(tmp_path)
    ids, _ = tokenizer.encode_running("<|endoftext|>", [13])
    assert len(ids) == 13
    ids, ends = tokenizer.encode_running("", [])
    assert (ids, len(ends)) == ([], 0)


CASES = [
    ("x = 1  # why\n", "x = 1\n", ["x", " =", " 1", "\n"]),
    ("# only\n\nx = 1\n", "\nx = 1\n", ["\nx", " =", " 1", "\n"]),
    (
        "if x:\n    # why\n    y\nz\n",
        "if x:\n    y\nz\n",
        ["if", " x", ":", "\n", "    ", "y", "\n", "", "z", "\n"],
    ),
    ("f(1,  # one\n  2)\n", "f(1,\n  2)\n", ["f", "(", "1", ",", "\n  2", ")", "\n"]),
    ("x = 'a literal too long to show'\r\n", "x = ''\r\n", ["x", " =", " ''", "\r\n"]),
    ("x = '#'", "x = '#'", ["x", " =", " '#'", ""]),
]


@pytest.mark.parametrize(("text", "seen", "pieces"), CASES)
def test_running_text_has_what_models_are_shown(text: str, seen: str, pieces: list[str]) -> None:
    config = TokensConfig()
    cut = lex(text, config.comments)
    spelled = texts(text, cut, config)
    shown, ends = running(text, cut, spelled, config)
    assert shown == seen
    assert [shown[a:b] for a, b in zip([0, *ends], ends, strict=False)] == pieces
    assert sum(n_bytes(cut.kinds, spelled)) == sum(
        len(s) if not s.startswith("<") else s == "<newline>" for s in spelled
    )


def test_comments_that_are_kept_stay() -> None:
    config = TokensConfig(comments="keep")
    text = "x  # why\n"
    cut = lex(text, config.comments)
    assert running(text, cut, texts(text, cut, config), config)[0] == text


def test_what_is_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"tokenizer\.json: no such file"):
        huggingface.train(huggingface.Config(path=str(tmp_path)), iter(()), tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(BadInput, match="neither a tokenizer nor a model on the hub"):
        huggingface.train(huggingface.Config(path=str(tmp_path)), iter(()), tmp_path)
