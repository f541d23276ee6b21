"""Which two scorings are compared, on which tokens: from per-sample sums to paired differences with
intervals.

    robustness   the same trained model: rewritten test text − original test text
    baseline     a cell on rewritten text − its unaugmented baseline on original text
    clean        a cell on original text − its unaugmented baseline on original text
    training     a cell on rewritten text − the model trained on original text, on the same rewritten text

Both sides hold the same tokens of the same samples: those that no size rule threw out of the cell's variant,
and of the rewritten text the aligned tokens alone (inserted ones are left out).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.results import BadResults, Results

KINDS = {
    "robustness": "the same model, rewritten − original text",
    "baseline": "rewritten text − the unaugmented baseline on original text",
    "clean": "original text − the unaugmented baseline on original text",
    "training": "rewritten text − the model trained on original text, on the same rewritten text",
}
ALIGNED = {"all": "aligned", "identifier": "aligned_identifier"}
"""The scope of an original text, and the scope of a rewritten text that holds the same tokens."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A ratio of sums over tokens (micro average)."""

    name: str
    label: str
    unit: str
    numerator: str
    denominator: str = "n_tokens"
    higher_is_better: bool = True


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            name="entropy",
            label="Entropy",
            unit="bits per token",
            numerator="nll_bits",
            higher_is_better=False,
        ),
        Metric(
            name="bits_per_byte",
            label="Entropy",
            unit="bits per byte",
            numerator="nll_bits",
            denominator="n_bytes",
            higher_is_better=False,
        ),
        Metric(name="accuracy_1", label="Accuracy@1", unit="share of tokens", numerator="accuracy_1"),
        Metric(name="accuracy_5", label="Accuracy@5", unit="share of tokens", numerator="accuracy_5"),
        Metric(name="accuracy_10", label="Accuracy@10", unit="share of tokens", numerator="accuracy_10"),
        Metric(name="mrr_10", label="MRR@10", unit="mean reciprocal rank", numerator="reciprocal_rank_10"),
    )
}
SUMS = ("n_tokens", "n_bytes", "nll_bits", "accuracy_1", "accuracy_5", "accuracy_10", "reciprocal_rank_10")


def metric(name: str) -> Metric:
    """The metric of this name; raises `BadResults` with the valid names."""
    if name not in METRICS:
        raise BadResults(f"no metric {name!r}; there are {', '.join(METRICS)}")
    return METRICS[name]


def pairs(results: Results, kind: str, *, scope: str = "all") -> pd.DataFrame:
    """One row per cell × sample: group (number), cell, sample, project, and the sums of both sides, `…_a` −
    `…_b`.
    """
    if scope not in ALIGNED:
        raise BadResults(f"no scope {scope!r} to compare on; there are {', '.join(ALIGNED)}")
    sides = _sides(results, kind)
    samples = results.samples((scope, ALIGNED[scope]))
    a_test, b_test = (
        ("original" if kind == "clean" else "augmented"),
        ("augmented" if kind == "training" else "original"),
    )
    left = _side(samples, a_test, scope).merge(sides, left_on="cell", right_on="a_cell", suffixes=("", "_"))
    if a_test == "original":
        left = left[left["common"]]
    right = _side(samples, b_test, scope)[["cell", "sample", *SUMS]].rename(columns={"cell": "b_cell"})
    left = left[left["b_cell"].isin(right["b_cell"])]  # the grid may test on one of the two texts alone
    both = left.merge(right, on=["b_cell", "sample"], how="left", suffixes=("_a", "_b"))
    _check(both, results, kind)
    return both[["group", "cell", "sample", "project", *(f"{s}_{side}" for side in "ab" for s in SUMS)]]


def baselines(results: Results, *, scope: str = "all", metrics: Iterable[str] = ("entropy",)) -> pd.DataFrame:
    """The unaugmented models on all original test samples: the axes of each baseline cell, metric, value."""
    cells = results.done[results.done["baseline"].astype(bool)]
    samples = _side(results.samples((scope, ALIGNED[scope])), "original", scope)
    by_cell = samples[samples["cell"].isin(cells["cell"])].groupby("cell", observed=True)
    sums = by_cell[list(SUMS)].sum(min_count=1)
    frames = [
        cells[["cell", *results.axes]].assign(
            metric=one.name,
            value=cells["cell"].map((sums[one.numerator] / sums[one.denominator]).to_dict()).astype(float),
        )
        for one in map(metric, metrics)
    ]
    return pd.concat(frames, ignore_index=True).dropna(subset="value")


def _sides(results: Results, kind: str) -> pd.DataFrame:
    """Which cell stands on either side: columns group, a_cell, b_cell."""
    cells = results.cells.assign(
        group=results.cells.groupby(list(results.groups), dropna=False, sort=False).ngroup()
    )
    cells = cells[~cells["baseline"].astype(bool) & cells["cell"].isin(results.done["cell"])]
    if kind == "robustness":
        other = cells["cell"]
    elif kind in ("baseline", "clean"):
        other = cells["baseline_cell"]
    elif kind == "training":
        other = _untrained(cells, results.axes)
    else:
        raise BadResults(f"no comparison {kind!r}; there are {', '.join(KINDS)}")
    sides = pd.DataFrame({"group": cells["group"], "a_cell": cells["cell"], "b_cell": other})
    sides = sides[sides["b_cell"].isin(results.done["cell"])]
    if kind == "clean":  # the same trained model on the same text is no comparison
        key = results.cells.set_index("cell")["train_key"]
        sides = sides[key.loc[sides["a_cell"]].to_numpy() != key.loc[sides["b_cell"]].to_numpy()]
    return sides


def _untrained(cells: pd.DataFrame, axes: Sequence[str]) -> pd.Series:
    """The cell that differs in `train_on: original` alone, or null."""
    rest = [axis for axis in axes if axis != "train_on"]
    key = pd.Series(
        ["\x1f".join(map(str, row)) for row in cells[rest].to_numpy()], index=cells.index, dtype=str
    )
    original = cells["train_on"].eq("original")
    other = dict(zip(key[original], cells.loc[original, "cell"], strict=True))
    return key.map(other).where(~original).astype(cells["cell"].dtype)


def _side(samples: pd.DataFrame, test: str, scope: str) -> pd.DataFrame:
    wanted = scope if test == "original" else ALIGNED[scope]
    return samples[(samples["test"] == test) & (samples["scope"] == wanted)]


def _check(both: pd.DataFrame, results: Results, kind: str) -> None:
    file = results.folder / "samples.parquet"
    lonely = both[both["n_tokens_b"].isna()]
    if len(lonely):
        row = lonely.iloc[0]
        raise BadResults(
            f"{file}: {len(lonely)} samples of the comparison {kind!r} have no partner, the first is sample "
            f"{row['sample']} of cell {row['cell']}, looked for in cell {row['b_cell']}"
        )
    uneven = both[both["n_tokens_a"] != both["n_tokens_b"]]
    if len(uneven):
        row = uneven.iloc[0]
        raise BadResults(
            f"{file}: {len(uneven)} pairs of the comparison {kind!r} don't hold the same tokens, the first "
            "is sample "
            f"{row['sample']} of cell {row['cell']}: {row['n_tokens_a']:.0f} and {row['n_tokens_b']:.0f} "
            "tokens"
        )
