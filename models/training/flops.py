"""How much of a GPU a training uses: model FLOPs utilisation.

    FLOPs per subword = 6 · (weights that are multiplied) + 12 · layers · d_model · span       (training)

Forward and backward pass take 2 and 4 per weight; attention takes 12 · layers · d_model for each of the
`span` subwords of a row (Chowdhery et al. 2022, PaLM, appendix B). An embedding is looked up, not multiplied,
unless it is the output layer too. MFU = FLOPs per subword · subwords per second / the device's peak.
"""

from typing import Any

from models.interface import Network

PEAK_FLOPS = {  # dense bfloat16, from the data sheets; the first name that fits counts
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
}


def training_flops(network: Network, span: int) -> float:
    """FLOPs per subword of one training step; span: subwords of a row."""
    sizes = {name: p.numel() for name, p in network.named_parameters() if p.ndim > 1}
    if "output.weight" in sizes:
        sizes.pop("embedding.weight", None)
    config: Any = getattr(network, "config", None)
    attention = 12 * config.layers * config.d_model * span if hasattr(config, "heads") else 0
    return float(6 * sum(sizes.values()) + attention)


def utilisation(flops_per_s: float, device_name: str) -> float | None:
    """MFU in [0, 1]; None for a device whose peak isn't known."""
    peak = next((peak for name, peak in PEAK_FLOPS.items() if name in device_name), None)
    return None if peak is None else flops_per_s / peak
