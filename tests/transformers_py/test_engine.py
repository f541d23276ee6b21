"""Choosing, splicing and proving: nested intensities, composition in any order, the same bytes everywhere."""

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transformers_py import Source, emit, names, rewrite
from transformers_py.source.edits import Edit, splice

TEXT = '''"""A module."""
import os


def scan(path, limit=10):
    """Doc."""
    found = []
    for name in sorted(os.listdir(path)):
        full = os.path.join(path, name)
        if os.path.isdir(full) and len(found) < limit:
            found += scan(full)
        else:
            found.append((name, full))
    total = sum(len(n) for n, _ in found)

    def show(item, width=total):
        text = f"{item:>{width}}"
        return text

    return [show(item) for item, _ in found]
'''
SOURCE = Source.analyse(TEXT)
NAMES = st.lists(st.sampled_from(names()), min_size=1, max_size=4, unique=True)
RATES = st.floats(0, 1)
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(NAMES, RATES, st.integers(0, 50))
def test_the_edits_make_the_text(rewrites: list[str], rate: float, seed: int) -> None:
    result = emit(SOURCE, rewrites, rate=rate, seed=seed)
    assert result.status in ("rewritten", "unchanged"), result.problem
    assert splice(TEXT, result.edits) == result.text


@SLOW
@given(NAMES, RATES, RATES, st.integers(0, 50))
def test_rates_nest(rewrites: list[str], rate: float, other: float, seed: int) -> None:
    low, high = sorted((rate, other))
    few, many = (emit(SOURCE, rewrites, rate=r, seed=seed) for r in (low, high))
    assert set(few.edits) <= set(many.edits)
    assert all(few.sites[name] <= many.sites[name] for name in rewrites)


@SLOW
@given(NAMES, st.integers(0, 30), st.integers(0, 50))
def test_counts_nest(rewrites: list[str], count: int, seed: int) -> None:
    few, many = (emit(SOURCE, rewrites, count=n, seed=seed) for n in (count, count + 1))
    assert set(few.edits) <= set(many.edits)
    assert sum(few.sites.values()) == min(count, sum(few.available.values()))


@SLOW
@given(NAMES, st.integers(0, 50))
def test_alignment_covers_every_original_token(rewrites: list[str], seed: int) -> None:
    from transformers_py.source.lexing import tokens

    result = emit(SOURCE, rewrites, rate=0.5, seed=seed)
    alignment = result.alignment()
    origins = [origin for origin, _ in alignment if origin >= 0]
    assert sorted(origins) == list(range(len(tokens(TEXT))))
    spans = list(zip(tokens(result.text), alignment, strict=True))
    for (start, end, _), (origin, change) in spans:
        if origin >= 0 and change == 0:
            first, last, _ = tokens(TEXT)[origin]
            assert result.text[start:end] == TEXT[first:last] or not TEXT[first:last].strip()


def test_full_rate_takes_every_site() -> None:
    result = emit(SOURCE, list(names()), rate=1.0, seed=1)
    assert result.status == "rewritten"
    assert result.sites == result.available


def test_nothing_chosen_is_unchanged() -> None:
    result = emit(SOURCE, ["parentheses"], rate=0.0, seed=1)
    assert (result.status, result.text, result.edits) == ("unchanged", TEXT, ())


def test_expected_share_of_sites() -> None:
    results = [emit(SOURCE, ["parentheses"], rate=0.3, seed=seed) for seed in range(50)]
    share = sum(r.sites["parentheses"] for r in results) / sum(r.available["parentheses"] for r in results)
    assert 0.28 < share < 0.32


def test_a_failed_proof_gives_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    from collections import Counter

    from transformers_py import Site
    from transformers_py.rewrites import parentheses

    wrong = Site(0, 0, (Edit(len(TEXT), len(TEXT), "x = 1\n"),))
    monkeypatch.setattr(parentheses, "sites", lambda source, options: ([wrong], Counter()))
    result = rewrite(TEXT, ["parentheses"], rate=1.0, seed=1)
    assert result.status == "disproved"
    assert result.text == TEXT
    assert result.problem
    assert result.sites == {"parentheses": 0}


def test_same_bytes_for_every_hash_seed() -> None:
    program = (
        "import sys, hashlib; from transformers_py import rewrite, names\n"
        "text = sys.stdin.read()\n"
        "print(hashlib.sha256(rewrite(text, list(names()), rate=0.5, seed=1).text.encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=TEXT,
            text=True,
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(digests) == 1


@pytest.mark.parametrize("bad", [{}, {"rate": 0.5, "count": 1}, {"rate": 1.5}, {"rate": -0.1}, {"count": -1}])
def test_bad_intensity(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"rate|count"):
        emit(SOURCE, ["parentheses"], seed=1, **bad)  # type: ignore[arg-type]


def test_sites_that_stand_alone_do_not_nest_and_rates_still_do() -> None:
    text = "def f(a, b):\n    return g(a + h(b[0]), [a, (b, 1)])\n"
    for name, closing in (("conditional_identity", " if True else None)"), ("lambda_identity", ")")):
        for seed in range(20):
            taken: list[set[Edit]] = []
            for rate in (0.3, 0.6, 1.0):
                edits = rewrite(text, [name], rate=rate, seed=seed).edits
                depth = 0
                for edit in edits:
                    depth += -1 if edit.text.startswith((closing, "))")) else 1
                    assert depth in (0, 1), (name, seed, edits)
                taken.append(set(edits))
            assert taken[0] <= taken[1] <= taken[2]
            assert taken[2]
        nested = rewrite(text, [{name: {"nested": True}}], rate=1.0, seed=1)
        plain = rewrite(text, [name], rate=1.0, seed=1)
        assert nested.sites[name] == plain.sites[name] + plain.refusals[f"{name}:nested"]
