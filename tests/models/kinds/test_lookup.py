"""Models are found by their package's name."""

import subprocess
import sys

import pytest

from models.lookup import MODELS, lookup
from preprocessing.errors import BadInput


def test_every_kind_has_a_config_of_that_kind() -> None:
    assert {"gru", "ngram"} <= set(MODELS.names())
    for kind in MODELS.names():
        assert lookup(kind).Config.model_fields["kind"].default == kind


def test_an_unknown_kind_answers_with_the_right_ones() -> None:
    with pytest.raises(BadInput, match=r"no model kind 'gur'; did you mean 'gru'\?"):
        lookup("gur")
    with pytest.raises(BadInput, match=r"no model kind 'lstm'; valid: .*gru, .*ngram"):
        lookup("lstm")


def test_configs_and_metrics_need_no_torch() -> None:
    code = (
        "import sys, models.lookup, models.config, tasks.completion\n"
        "[models.lookup.lookup(kind) for kind in models.lookup.MODELS.names()]\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
