"""Descriptions read from JSON: what is wrong in them has a place and a name."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from analysis.statistics.descriptions import BadDescription, Description, Scope, SumColumn, Unit
from analysis.statistics.metrics import Metric, Ratio

DESCRIPTION = Description(
    name="naming",
    version=2,
    unit=Unit(singular="function", plural="functions", count="n_functions"),
    sums=(SumColumn(name="exact"), SumColumn(name="shared", optional=True)),
    metrics=tuple(
        Metric(name=name, label=name, unit="share", form=Ratio(numerator=name, denominator="n_functions"))
        for name in ("exact", "shared")
    ),
    scopes=(Scope(name="all", label="functions", rewritten="all"), Scope(name="short", label="short ones")),
    leads=("shared",),
    validation="bits per function",
    pairing="Functions are compared with themselves.",
)


def test_what_is_written_is_read_back() -> None:
    assert Description.from_plain(json.loads(json.dumps(DESCRIPTION.plain()))) == DESCRIPTION


def test_the_metrics_that_lead_come_first_and_scopes_without_a_counterpart_are_not_comparable() -> None:
    assert list(DESCRIPTION.by_name) == ["shared", "exact"]
    assert DESCRIPTION.comparable == {"all": "all"}
    assert DESCRIPTION.label_of("short") == "short ones"


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda p: p.pop("leads"), "^leads: Field required$"),
        (lambda p: p["unit"].update(count=3), "^unit.count: Input should be a valid string$"),
        (
            lambda p: p["metrics"][1]["form"].pop("denominator"),
            r"^metrics.1.form.Ratio.denominator: Field req",
        ),
        (lambda p: p["metrics"][0]["form"].update(kind="median"), "kind: Input should be 'by_bin'"),
        (lambda p: p["metrics"][0].update(name="../exact"), "'../exact' has more than letters, digits and"),
        (
            lambda p: p["metrics"][0]["form"].update(numerator="x"),
            "no sum 'x'; there are n_functions, exact, sh",
        ),
        (lambda p: p["metrics"][0].update(name="shared"), "metrics: shared stands there twice"),
        (lambda p: p["sums"].append({"name": "n_functions"}), "sums: n_functions stands there twice"),
        (lambda p: p["scopes"][1].update(rewritten="far"), "scopes: no scope 'far'; there are all, short"),
        (lambda p: p.update(leads=["bleu"]), "leads: no metric 'bleu'; there are exact, shared"),
        (lambda p: p.update(leads=[]), "leads: no metric"),
    ],
)
def test_what_is_wrong_is_named(spoil: Callable[[Any], Any], message: str) -> None:
    plain = json.loads(json.dumps(DESCRIPTION.plain()))
    spoil(plain)
    with pytest.raises(BadDescription, match=message):
        Description.from_plain(plain)
