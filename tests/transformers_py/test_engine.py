"""Choosing, splicing and proving: nested intensities, composition in any order, the same bytes everywhere."""

import re
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transformers_py import Rewritten, Source, emit, lookup, names, rewrite
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
RENAMING = {name for name in names() if lookup(name).PRESERVES == "names"}
NAMES = st.lists(st.sampled_from(names()), min_size=1, max_size=4, unique=True)
RATES = st.floats(0, 1)
LIMITS = st.floats(1, 6)
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(NAMES, RATES, st.integers(0, 50))
def test_the_edits_make_the_text(rewrites: list[str], rate: float, seed: int) -> None:
    result = emit(SOURCE, rewrites, rate=rate, seed=seed)
    assert result.status in ("rewritten", "unchanged"), result.problem
    assert splice(TEXT, result.edits) == result.text


def nested(few: Rewritten, many: Rewritten, rewrites: list[str]) -> bool:
    """Whether all edits of one text are edits of the other; names in them follow renamings."""
    if RENAMING.isdisjoint(rewrites):
        return set(few.edits) <= set(many.edits)
    sides = [
        Counter((edit.start, edit.end, len(edit.text.split("\n"))) for edit in one.edits)
        for one in (few, many)
    ]
    return sides[0] <= sides[1]


@SLOW
@given(NAMES, RATES, RATES, st.integers(0, 50))
def test_rates_nest(rewrites: list[str], rate: float, other: float, seed: int) -> None:
    low, high = sorted((rate, other))
    few, many = (emit(SOURCE, rewrites, rate=r, seed=seed) for r in (low, high))
    assert nested(few, many, rewrites)
    assert all(few.sites[name] <= many.sites[name] for name in rewrites)


@SLOW
@given(NAMES, st.integers(0, 30), st.integers(0, 50))
def test_counts_nest(rewrites: list[str], count: int, seed: int) -> None:
    few, many = (emit(SOURCE, rewrites, count=n, seed=seed) for n in (count, count + 1))
    assert nested(few, many, rewrites)
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


@SLOW
@given(NAMES, st.tuples(RATES, RATES), st.tuples(LIMITS, LIMITS), st.integers(0, 50))
def test_rates_and_limits_of_growth_nest(
    rewrites: list[str], rates: tuple[float, float], limits: tuple[float, float], seed: int
) -> None:
    (low, high), (tight, wide) = sorted(rates), sorted(limits)
    few = emit(SOURCE, rewrites, rate=low, seed=seed, growth_limit=tight)
    for rate, limit in ((high, tight), (low, wide), (high, wide)):
        many = emit(SOURCE, rewrites, rate=rate, seed=seed, growth_limit=limit)
        assert nested(few, many, rewrites)
        assert all(few.sites[name] <= many.sites[name] for name in rewrites)


@SLOW
@given(NAMES, st.one_of(RATES, st.integers(0, 60)), LIMITS, st.integers(0, 50))
def test_the_longest_prefix_that_fits_is_taken(
    rewrites: list[str], intensity: float, limit: float, seed: int
) -> None:
    how = {"rate": intensity} if isinstance(intensity, float) else {"count": intensity}
    free = emit(SOURCE, rewrites, seed=seed, **how)  # type: ignore[arg-type]
    limited = emit(SOURCE, rewrites, seed=seed, growth_limit=limit, **how)  # type: ignore[arg-type]
    assert all(size(limited.text)[k] <= limit * size(TEXT)[k] for k in (0, 1))
    left_out = sum(n for reason, n in limited.refusals.items() if reason.endswith(":growth_limit"))
    assert sum(free.sites.values()) == sum(limited.sites.values()) + left_out
    if all(size(free.text)[k] <= limit * size(TEXT)[k] for k in (0, 1)):
        assert limited.text == free.text
    else:
        assert left_out


def test_one_site_more_would_not_fit() -> None:
    for seed in range(20):
        limited = emit(SOURCE, ["dead_branch", "parentheses"], count=1000, seed=seed, growth_limit=1.5)
        taken = sum(limited.sites.values())
        assert limited.text == emit(SOURCE, ["dead_branch", "parentheses"], count=taken, seed=seed).text
        more = emit(SOURCE, ["dead_branch", "parentheses"], count=taken + 1, seed=seed)
        assert size(limited.text)[0] <= 1.5 * size(TEXT)[0] < size(more.text)[0]


def size(text: str) -> tuple[int, int]:
    """How many tokens a text has, without its comments and with them."""
    from transformers_py.source.lexing import comment_count, tokens

    return len(tokens(text)), len(tokens(text)) + comment_count(text)


@pytest.mark.parametrize("name", names())
def test_the_size_of_what_is_inserted_is_known(name: str) -> None:
    from transformers_py.source.lexing import inserted_size

    for seed in range(5):
        done = emit(SOURCE, [name], rate=0.7, seed=seed)
        added = [inserted_size(edit.text) for edit in done.edits if edit.start == edit.end]
        before, after = size(TEXT), size(done.text)
        assert sum(code for code, _ in added) == after[0] - before[0]
        assert sum(code + comments for code, comments in added) == after[1] - before[1]


@pytest.mark.parametrize("bad", [0.99, -1, True, "1.5", float("inf"), float("nan")])
def test_bad_limits_of_growth(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"growth_limit must be 1 or more .*, got"):
        emit(SOURCE, ["no_op"], rate=1.0, seed=1, growth_limit=bad)


FOLLOWING = """
def _scale(width, height):
    area = width * height
    return _limit(area)


def _limit(value):
    largest = max(value, 1)
    return largest


print(_scale(3, 4), _limit(5))
"""


@pytest.mark.parametrize("style", ["pseudo", "random", "generic", "swap"])
def test_names_in_inserted_code_follow_renamings(style: str) -> None:
    renaming = ["rename_variable"] if style == "swap" else ["rename_variable", "rename_function"]
    options = {"rename_variable": {"style": style}, "rename_function": {"style": style, "private": True}}
    rewrites: list[Any] = [*({name: options[name]} for name in renaming), "dead_branch", "unreachable_code"]
    for seed in range(8):
        done = emit(Source.analyse(FOLLOWING), rewrites, rate=1.0, seed=seed)
        assert done.status == "rewritten", done.problem
        assert "\1" not in done.text
        if style != "swap":
            old = {"area", "largest", "_scale", "_limit"} & set(re.findall(r"\w+", done.text))
            assert not old, done.text


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
