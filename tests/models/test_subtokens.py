"""Sub-tokens by hand, and F1 against scikit-learn."""

from collections import Counter

import pytest

from models.subtokens import overlap, subtokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("parseHTTPResponse_v2", ["parse", "http", "response", "v", "2"]),
        ("__init__", ["init"]),
        ("get_get", ["get", "get"]),
        ("MAX_SIZE", ["max", "size"]),
        ("größe", ["gr", "öß", "e"]),
        ("_", ["_"]),
        ("(", ["("]),
        ("'a b'", ["'a b'"]),
    ],
)
def test_subtokens(text: str, words: list[str]) -> None:
    assert subtokens(text) == Counter(words)


def test_overlap_counts_repetitions() -> None:
    assert overlap(subtokens("get_get_name"), subtokens("getGet_x")) == (2, 6)
    assert overlap(subtokens("name"), subtokens("(")) == (0, 2)


def test_f1_equals_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    pairs = [("read_file", "readLine"), ("x", "x"), ("max_size", "(")]
    sets = [[set(subtokens(text)) for text in side] for side in zip(*pairs, strict=True)]
    coder = preprocessing.MultiLabelBinarizer().fit(sets[0] + sets[1])
    expected = metrics.f1_score(*map(coder.transform, sets), average="micro")
    counts = [overlap(subtokens(true), subtokens(predicted)) for true, predicted in pairs]
    shared, both = map(sum, zip(*counts, strict=True))
    assert 2 * shared / both == pytest.approx(expected)
