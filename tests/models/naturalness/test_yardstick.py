"""What is planted is found: unnatural texts are told apart and cost bits, unchanged ones neither."""

import keyword
import sysconfig
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from random import Random

import pytest

from models.naturalness.pairs import Pair, Text, tokens_of
from models.naturalness.yardstick import FOLDS, Naturalness, Yardstick, parts
from preprocessing.encoding import INSERTED, RENAMED, UNCHANGED

NONSENSE = ["brindle", "quoxter", "vamplish", "zorbic", "flunder", "grelp", "yintaw", "mospule"]
Plant = Callable[[str, list[str], Random], Pair]


@cache
def originals() -> tuple[Text, ...]:
    """Small modules of the standard library, two to a project."""
    root = Path(sysconfig.get_paths()["stdlib"])
    files = [file for file in sorted(root.glob("*.py")) if 2000 < file.stat().st_size < 8000][:36]
    return tuple(Text(file.stem, f"p{n // 2}", file.read_text("utf-8")) for n, file in enumerate(files))


@pytest.fixture(scope="module")
def yardstick() -> Yardstick:
    return Yardstick(originals())


def planted(plant: Plant) -> Iterable[Pair]:
    for text in originals():
        yield plant(text.sample, tokens_of(text.text), Random(text.sample))


def unchanged(sample: str, tokens: list[str], rng: Random) -> Pair:
    return Pair(sample, tokens, tokens, range(len(tokens)), [UNCHANGED] * len(tokens))


def renamed(sample: str, tokens: list[str], rng: Random, words: list[str]) -> Pair:
    """A tenth of the names of a file become other words, wherever they stand."""
    names = sorted({token for token in tokens if token.isidentifier() and not keyword.iskeyword(token)})
    chosen = rng.sample(names, max(1, len(names) // 10))
    new = {name: rng.choice([word for word in words or names if word != name]) for name in chosen}
    after = [new.get(token, token) for token in tokens]
    changes = [RENAMED if token in new else UNCHANGED for token in tokens]
    return Pair(sample, tokens, after, range(len(tokens)), changes)


def by_random_words(sample: str, tokens: list[str], rng: Random) -> Pair:
    return renamed(sample, tokens, rng, NONSENSE)


def by_names_of_the_file(sample: str, tokens: list[str], rng: Random) -> Pair:
    return renamed(sample, tokens, rng, [])


def with_words_at_the_end(sample: str, tokens: list[str], words: list[str]) -> Pair:
    origins = [*range(len(tokens)), *[-1] * len(words)]
    changes = [*[UNCHANGED] * len(tokens), *[INSERTED] * len(words)]
    return Pair(sample, tokens, [*tokens, *words], origins, changes)


def test_unchanged_texts_cannot_be_told_apart(yardstick: Yardstick) -> None:
    found = yardstick.measure(planted(unchanged))
    assert found.auc == 0.5
    assert found.auc_low is not None
    assert found.auc_high is not None
    assert found.auc_low <= 0.5 <= found.auc_high
    assert (found.n_inserted, found.inserted_bits, found.n_renamed, found.renamed_bits) == (0, None, 0, None)


def test_random_words_are_told_apart_and_cost_more_bits_than_names_of_the_file(yardstick: Yardstick) -> None:
    random = yardstick.measure(planted(by_random_words))
    own = yardstick.measure(planted(by_names_of_the_file))
    assert random.auc is not None
    assert own.auc is not None
    assert random.auc > 0.95 > own.auc
    assert random.renamed_bits is not None
    assert own.renamed_bits is not None
    assert random.renamed_bits > own.renamed_bits
    assert random.replaced_bits == own.replaced_bits  # the same names were drawn
    assert random.original_bits == own.original_bits


def test_inserted_nonsense_costs_more_than_what_is_often_written(yardstick: Yardstick) -> None:
    def often(sample: str, tokens: list[str], rng: Random) -> Pair:
        return with_words_at_the_end(sample, tokens, ["return", "None", "<newline>"])

    def never(sample: str, tokens: list[str], rng: Random) -> Pair:
        return with_words_at_the_end(sample, tokens, rng.sample(NONSENSE, 3))

    one, other = yardstick.measure(planted(often)), yardstick.measure(planted(never))
    assert one.inserted_bits is not None
    assert other.inserted_bits is not None
    assert one.inserted_bits < 0.5 * other.inserted_bits
    assert one.n_inserted == other.n_inserted == 3 * len(originals())


def test_the_same_numbers_again(yardstick: Yardstick) -> None:
    assert Yardstick(originals()).measure(planted(by_random_words)) == yardstick.measure(
        planted(by_random_words)
    )


def test_what_betrays_a_project_is_not_learnt_from_its_own_texts(yardstick: Yardstick) -> None:
    """A word of each project alone tells its rewritten texts apart to whoever saw one of them."""

    def own_word(sample: str, tokens: list[str], rng: Random) -> Pair:
        return with_words_at_the_end(sample, tokens, [f"mark_{yardstick.project[sample]}"] * 9)

    def same_word(sample: str, tokens: list[str], rng: Random) -> Pair:
        return with_words_at_the_end(sample, tokens, ["mark"] * 9)

    own, same = yardstick.measure(planted(own_word)), yardstick.measure(planted(same_word))
    assert own.auc is not None
    assert same.auc is not None
    assert own.auc < 0.7
    assert same.auc > 0.99


def test_projects_are_dealt_whole_to_parts_of_like_size() -> None:
    sizes = {f"project {n}": 10 + n for n in range(100)}
    dealt = parts(sizes, FOLDS)
    assert dealt.keys() == sizes.keys()
    full = [sum(sizes[name] for name, part in dealt.items() if part == n) for n in range(FOLDS)]
    assert max(full) - min(full) <= max(sizes.values())
    assert parts(dict(reversed(sizes.items())), FOLDS) == dealt


def test_no_rewritten_text_and_texts_of_one_project_have_no_auc(yardstick: Yardstick) -> None:
    nothing = yardstick.measure([])
    assert nothing == Naturalness(
        n_texts=0,
        n_projects=0,
        n_inserted=0,
        n_renamed=0,
        inserted_bits=None,
        renamed_bits=None,
        replaced_bits=None,
        original_bits=None,
        auc=None,
        auc_low=None,
        auc_high=None,
    )
    of_one = [one for one in planted(unchanged) if yardstick.project[one.sample] == "p0"]
    found = yardstick.measure(of_one)
    assert (found.n_texts, found.n_projects, found.auc) == (2, 1, None)


def test_one_project_cannot_be_halved() -> None:
    with pytest.raises(ValueError, match="1 project"):
        Yardstick([text for text in originals() if text.project == "p0"])
