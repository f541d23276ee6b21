"""What completion says of its results agrees with what is written, and its metrics with hand computation."""

import json

import numpy as np
import pytest

from analysis.statistics.descriptions import Description
from analysis.statistics.strata import STRATA
from preprocessing.encoding import INSERTED
from tasks.completion import CHANGES, DESCRIPTION
from tasks.completion.scored_tokens import RENAMED, UNCHANGED, scopes

TOTALS = {
    "n_tokens": 4,
    "nll_bits": 13.5,
    "accuracy_1": 2,
    "accuracy_5": 3,
    "accuracy_10": 3,
    "reciprocal_rank_10": 2.5,
    "n_bytes": 12,
    "confidence": 2.25,
    "f1_shared": 1,
    "f1_both": 7,
}


def values(**other: float) -> dict[str, float]:
    totals = {name: np.array(value) for name, value in (TOTALS | other).items()}
    made_of = {
        one.name: one for one in DESCRIPTION.metrics if set(one.sums) <= set(totals) and one.by is None
    }
    return {name: float(one.of(totals)) for name, one in made_of.items()}


def test_metrics_by_hand() -> None:
    expected = {
        "entropy": 3.375,
        "bits_per_byte": 1.125,
        "perplexity": 2**3.375,
        "accuracy_1": 0.5,
        "accuracy_5": 0.75,
        "accuracy_10": 0.75,
        "mrr_10": 0.625,
        "confidence": 0.5625,
        "f1_subtokens": 2 / 7,
        "overconfidence": 0.0625,
    }
    found = values()
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_what_has_no_value_is_not_finite() -> None:
    assert not np.isfinite(values(n_tokens=0)["entropy"])
    assert not np.isfinite(values(n_bytes=0)["bits_per_byte"])
    assert not np.isfinite(values(f1_shared=0, f1_both=0)["f1_subtokens"])
    assert not np.isfinite(values(nll_bits=1e6)["perplexity"])
    assert np.isfinite(values(nll_bits=1e3)["perplexity"])


def test_it_reads_back_what_it_writes() -> None:
    assert Description.from_plain(json.loads(json.dumps(DESCRIPTION.plain()))) == DESCRIPTION


def test_scopes_and_codes_are_those_of_the_tables() -> None:
    nothing = np.zeros(0, dtype=np.uint8)
    written = [name for name, _ in scopes(nothing, nothing.astype(np.int32), nothing)]
    assert [scope.name for scope in DESCRIPTION.scopes if not scope.by_variant] == written
    codes = {"unchanged": UNCHANGED, "renamed": RENAMED, "inserted": INSERTED}
    assert {name: code for code, name in enumerate(CHANGES)} == codes


def test_strata_begin_and_end_where_its_metrics_need_it() -> None:
    for metric in DESCRIPTION.metrics:
        plain = vars(metric.form)
        assert STRATA % plain.get("bins", 1) == 0
        assert STRATA * plain.get("coverage", 1.0) == pytest.approx(
            round(STRATA * plain.get("coverage", 1.0))
        )
