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
from typing import Any

import numpy as np
import pandas as pd

from analysis import statistics
from analysis.bootstrap import RESAMPLES, Floats, Interval, bootstrap
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


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Paired differences of every group of cells (the axes without the seed).

    `table`: one row per group × metric: the group's axes, n_seeds, n_samples, n_projects, n_tokens (per
    seed), value and reference (means over seeds), difference with low and high, how the interval was made,
    the same for the relative difference, p (clustered signed-rank), p_samples (samples as independent),
    p_holm over the rows of one metric, Cliff's δ and A₁₂ with interval, share_worse (of samples).
    `seeds`: one row per cell × metric: the axes, cell, value, reference, difference.
    """

    kind: str
    scope: str
    table: pd.DataFrame
    seeds: pd.DataFrame


def compare(
    results: Results,
    kind: str,
    *,
    scope: str = "all",
    metrics: Sequence[str] = ("entropy", "accuracy_1", "mrr_10"),
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Comparison:
    """Paired differences of one kind (see the module's head), on all tokens or on identifiers.

    A group's difference is the mean over its seeds of the differences of ratios; the interval resamples
    projects, the same for all seeds. Samples without a token of the scope are left out. Raises `BadResults`
    for an unknown kind, scope or metric, and where two sides don't hold the same tokens.
    """
    chosen = [metric(name) for name in metrics]
    paired = pairs(results, kind, scope=scope)
    rows: list[dict[str, Any]] = []
    seeds: list[dict[str, Any]] = []
    axes = results.cells.set_index("cell")[list(results.axes)]
    for _, group in paired.groupby("group", sort=True):
        cells = group["cell"].unique().tolist()
        head = axes.loc[cells[0], list(results.groups)].to_dict()
        for row in _measure(group, cells, chosen, resamples=resamples, seed=seed, level=level):
            by_seed = row.pop("by_seed")
            rows.append(head | row)
            seeds += [axes.loc[cell].to_dict() | {"cell": cell} | values for cell, values in by_seed]
    table = pd.DataFrame(rows, columns=[*results.groups, *_COLUMNS])
    for name in metrics:
        family = table["metric"] == name
        table.loc[family, "p_holm"] = statistics.holm(table.loc[family, "p"].to_numpy(float))
    columns = [*results.axes, "cell", "metric", "value", "reference", "difference"]
    return Comparison(kind=kind, scope=scope, table=table, seeds=pd.DataFrame(seeds, columns=columns))


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
    both = left.merge(right, on=["b_cell", "sample"], how="left", suffixes=("_a", "_b"))
    _check(both, results, kind)
    return both[["group", "cell", "sample", "project", *(f"{s}_{side}" for side in "ab" for s in SUMS)]]


def baselines(results: Results, *, scope: str = "all", metrics: Iterable[str] = ("entropy",)) -> pd.DataFrame:
    """The unaugmented models on all original test samples: the axes of each baseline cell, metric, value."""
    cells = results.done[results.done["baseline"].astype(bool)]
    samples = _side(results.samples((scope, ALIGNED[scope])), "original", scope)
    sums = samples[samples["cell"].isin(cells["cell"])].groupby("cell", observed=True)[list(SUMS)].sum()
    frames = [
        cells[["cell", *results.axes]].assign(
            metric=one.name,
            value=cells["cell"].map((sums[one.numerator] / sums[one.denominator]).to_dict()).astype(float),
        )
        for one in map(metric, metrics)
    ]
    return pd.concat(frames, ignore_index=True)


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
    return key.map(other).where(~original)


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


_COLUMNS = [
    "metric",
    "n_seeds",
    "n_samples",
    "n_projects",
    "n_tokens",
    "value",
    "reference",
    "difference",
    "low",
    "high",
    "interval",
    "relative",
    "relative_low",
    "relative_high",
    "p",
    "p_samples",
    "p_holm",
    "delta",
    "delta_low",
    "delta_high",
    "a12",
    "a12_low",
    "a12_high",
    "share_worse",
]


def _measure(
    group: pd.DataFrame,
    cells: list[str],
    metrics: Sequence[Metric],
    *,
    resamples: int,
    seed: int,
    level: float,
) -> Iterable[dict[str, Any]]:
    for one in metrics:
        columns = [f"{one.numerator}_a", f"{one.denominator}_a", f"{one.numerator}_b", f"{one.denominator}_b"]
        rows = group[(group[columns[1]] > 0) & (group[columns[3]] > 0)]
        if rows.empty:
            continue
        parts = rows[columns].to_numpy(float)
        project, _ = pd.factorize(rows["project"])
        cell = pd.Index(cells).get_indexer(pd.Index(rows["cell"].astype(str)))
        sums = np.zeros((project.max() + 1, len(cells), 4))
        np.add.at(sums, (project, cell), parts)
        present = [int(c) for c in np.unique(cell)]
        sums = sums[:, present]
        estimates, (difference, relative) = bootstrap(
            sums.reshape(len(sums), -1), _differences, resamples=resamples, seed=seed, level=level
        )
        totals = sums.sum(axis=0)  # (seeds, 4)
        value, reference = totals[:, 0] / totals[:, 1], totals[:, 2] / totals[:, 3]
        by_sample = _by_sample(rows, parts)
        yield {
            "metric": one.name,
            "n_seeds": len(present),
            "n_samples": len(by_sample),
            "n_projects": len(sums),
            "n_tokens": round(rows["n_tokens_b"].sum() / len(present)),
            "value": value.mean(),
            "reference": reference.mean(),
            "difference": estimates[0],
            "low": difference.low,
            "high": difference.high,
            "interval": difference.method,
            "relative": estimates[1],
            "relative_low": relative.low,
            "relative_high": relative.high,
            **_effects(by_sample, one, resamples=resamples, seed=seed, level=level),
            "by_seed": [
                (
                    cells[c],
                    {
                        "metric": one.name,
                        "value": value[i],
                        "reference": reference[i],
                        "difference": value[i] - reference[i],
                    },
                )
                for i, c in enumerate(present)
            ],
        }


def _differences(sums: Floats) -> Floats:
    """(N, seeds·4) sums → (N, 2): mean over seeds of the difference of ratios, and this over the mean
    reference.
    """
    parts = sums.reshape(len(sums), -1, 4)
    reference = (parts[..., 2] / parts[..., 3]).mean(axis=1)
    difference = (parts[..., 0] / parts[..., 1]).mean(axis=1) - reference
    return np.stack([difference, difference / reference], axis=1)


def _by_sample(rows: pd.DataFrame, parts: Floats) -> pd.DataFrame:
    """One row per sample: project, and both sides' ratios as means over the seeds."""
    codes, samples = pd.factorize(rows["sample"])
    n = np.bincount(codes)
    return pd.DataFrame(
        {
            "project": rows["project"].to_numpy()[np.unique(codes, return_index=True)[1]],
            "a": np.bincount(codes, weights=parts[:, 0] / parts[:, 1]) / n,
            "b": np.bincount(codes, weights=parts[:, 2] / parts[:, 3]) / n,
        },
        index=pd.Index(samples, name="sample"),
    )


def _effects(
    by_sample: pd.DataFrame, one: Metric, *, resamples: int, seed: int, level: float
) -> dict[str, float]:
    a, b, project = by_sample["a"].to_numpy(), by_sample["b"].to_numpy(), by_sample["project"].to_numpy()
    dominance = statistics.cliffs_delta_interval(a, b, project, resamples=resamples, seed=seed, level=level)
    bounds: Interval = dominance.interval
    return {
        "p": statistics.wilcoxon_clustered(a - b, project),
        "p_samples": statistics.wilcoxon(a - b),
        "delta": dominance.delta,
        "delta_low": bounds.low,
        "delta_high": bounds.high,
        "a12": (dominance.delta + 1) / 2,
        "a12_low": (bounds.low + 1) / 2,
        "a12_high": (bounds.high + 1) / 2,
        "share_worse": float(np.mean(a < b) if one.higher_is_better else np.mean(a > b)),
    }
