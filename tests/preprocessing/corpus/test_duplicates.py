import random

import pytest

from preprocessing.corpus.duplicates import NearConfig, NearIndex, fingerprint, signature
from preprocessing.lexer.tokens import lex

WORDS = random.Random(1).sample([f"word{n}" for n in range(5000)], 5000)


def text(words: list[str]) -> str:
    return "\n".join(f"{word} = {word}" for word in words) + "\n"


def sign(source: str, config: NearConfig) -> bytes:
    return signature(source, lex(source), config)


def similarity(one: str, other: str, size: int) -> float:
    """The exact Jaccard similarity of the sets of shingles."""
    sets = []
    for source in (one, other):
        tokens = lex(source)
        words = [source[s:e] for s, e in zip(tokens.starts, tokens.ends, strict=True)]
        sets.append({tuple(words[i : i + size]) for i in range(len(words) - size + 1)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@pytest.mark.parametrize("changed", [0, 5, 20, 60, 100])
def test_signature_estimates_the_similarity(changed: int) -> None:
    config = NearConfig()
    one, other = text(WORDS[:200]), text(WORDS[: 200 - changed] + WORDS[1000 : 1000 + changed])
    agreeing = sum(
        a == b
        for a, b in zip(
            memoryview(sign(one, config)).cast("I"), memoryview(sign(other, config)).cast("I"), strict=True
        )
    )
    assert agreeing / 128 == pytest.approx(similarity(one, other, config.shingle), abs=0.15)


def test_layout_and_comments_do_not_matter() -> None:
    config = NearConfig()
    assert sign("x = f(1)  # why\n", config) == sign("# what\nx=f(1)\n", config)
    assert sign("x", config) != sign("y", config)


def test_the_first_of_near_duplicates_stays() -> None:
    index = NearIndex(NearConfig(threshold=0.8))
    copies = [text(WORDS[n : n + 300]) for n in (0, 2, 1000, 1001)]
    assert [index.add(n, sign(copy, NearConfig())) for n, copy in enumerate(copies)] == [None, 0, None, 2]


def test_clusters_are_joined_through_their_members() -> None:
    config = NearConfig(threshold=0.7, clusters="together")
    index = NearIndex(config)
    for number, start in enumerate((0, 80, 40, 1000)):  # the third is near to both of the first two
        index.add(number, sign(text(WORDS[start : start + 400]), config))
    assert [index.cluster(n) for n in range(4)] == [0, 0, 0, 3]


def test_exact_means_equal_but_for_whitespace() -> None:
    assert fingerprint("x = 1\n") == fingerprint("x  =  1\r\n\r\n") != fingerprint("x = 2\n")
