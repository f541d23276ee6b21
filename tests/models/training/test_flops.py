"""FLOPs by hand."""

import pytest

from models.kinds.gpt import Config as GptConfig
from models.kinds.gpt.network import Gpt
from models.kinds.gru import Config as GruConfig
from models.kinds.gru.network import Gru
from models.training.flops import training_flops, utilisation


def test_gru_by_hand() -> None:
    layer = 3 * 8 * 8 * 2
    assert training_flops(Gru(GruConfig(d_model=8, layers=2), 20), span=64) == 6 * (2 * layer + 20 * 8)
    assert training_flops(Gru(GruConfig(d_model=8, tied=True), 20), span=64) == 6 * (layer + 20 * 8)


def test_gpt_by_hand() -> None:
    network = Gpt(GptConfig(d_model=8, layers=3, heads=2, context=16), 20)
    block = 3 * 8 * 8 + 8 * 8 + 2 * 4 * 8 * 8
    assert training_flops(network, span=16) == 6 * (3 * block + 20 * 8) + 12 * 3 * 8 * 16


def test_share_of_the_peak() -> None:
    assert utilisation(494.5e12, "NVIDIA H200") == pytest.approx(0.5)
    assert utilisation(378e12, "NVIDIA H100 PCIe") == pytest.approx(0.5)
    assert utilisation(156e12, "NVIDIA A100-SXM4-80GB") == pytest.approx(0.5)
    assert utilisation(1e12, "cpu") is None
