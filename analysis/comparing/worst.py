"""Each unit at its worst over several draws: under all rewrites of one intensity, or all draws of one
rewrite.

    right under rename, dead_code, parens:   1 1 1   1 0 1   0 0 0   ->   at its worst:   1   0   0
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.comparing.pairing import scope_of
from analysis.results import BadResults, Results
from analysis.statistics.crossed import Layout
from analysis.statistics.estimates import estimate
from analysis.statistics.metrics import Floats, Metric, Ratio

FAMILIES = {"test_rewriting_seed": "draws", "test_rewrites": "sets"}
"""Test sets of one trained model that agree in all but one are variants of the same units: s draws of one
rewriting, which are ReCode's s, or s sets of rewrites. Whether they are a cell's own or named by `test_on`
doesn't matter."""
REWRITING = ("rewrites", "intensity", "rewriting_seed", "train_on", "test_on", "seed")
"""Axes of which the trained model and the test set say all that matters here."""
COLUMNS = ("original", "worst", "low", "high", "robust_drop", "robust_relative")


@dataclass(frozen=True, kw_only=True)
class Draws:
    """n units of one trained model, on the original text and under s draws of the rewritten one."""

    count: Floats  # (n,) how much a unit counts
    original: Floats  # (n,) what a unit scores
    rewritten: Floats  # (s, n)
    project: npt.NDArray[Any]  # (n,)


def measure(draws: Draws, metric: Metric) -> dict[str, float]:
    """The columns COLUMNS: values on the original text and at the worst, and their difference.

    `low`, `high`: 95 % interval of worst − original under this one model. `robust_drop`: (original −
    worst)/original, ReCode's RD. `robust_relative`: the share of units that change under any draw, its RR
    (Wang et al. 2023); `worst` is its RP.
    """
    worst = metric.worst(draws.rewritten)
    flipped = (draws.rewritten != draws.original).any(axis=0)
    columns = {"n": draws.count, "original": draws.original, "worst": worst}
    _, project = np.unique(draws.project, return_inverse=True)
    sums: dict[str, Floats] = {
        name: np.bincount(project, weights=values).astype(np.float64) for name, values in columns.items()
    }
    shares = {name: Ratio(numerator=name, denominator="n") for name in ("original", "worst")}
    total = {name: values.sum() for name, values in sums.items()}
    original, lowest = (float(share.of(total)) for share in shares.values())
    without = {name: values.sum() - values for name, values in sums.items()}
    gaps = shares["worst"].of(without) - shares["original"].of(without)
    layout = Layout.of([0])
    interval = estimate(np.array([lowest - original]), gaps[:, None], layout, sums["n"]).models
    return {
        "original": original,
        "worst": lowest,
        "low": interval.low,
        "high": interval.high,
        "robust_drop": (original - lowest) / original if original else np.nan,
        "robust_relative": float(flipped.mean()),
    }


def over_draws(results: Results, metric: Metric, *, scope: str | None = None) -> pd.DataFrame:
    """Of each trained model with several variants of the test set: the axes, over ("draws" of one set of
    rewrites, or "sets"), s, how many units, and COLUMNS.

    A row of samples.parquet is a unit; those are taken that all s variants have. Raises `BadResults` where a
    unit doesn't count alike under all of them.
    """
    scope, count = scope_of(results, scope), results.task.unit.count
    numerator, denominator = metric.sums
    samples = results.samples((scope, results.task.comparable[scope]))
    tests = {
        test: samples[(samples["test"] == test) & (samples["scope"] == wanted)]
        for test, wanted in (("original", scope), ("augmented", results.task.comparable[scope]))
    }
    records = []
    for over, cells in families(results, results.done):
        original = tests["original"][tests["original"]["cell"] == cells["cell"].iloc[0]].set_index("sample")
        rewritten = tests["augmented"][tests["augmented"]["cell"].isin(cells["cell"])]
        wide = {name: rewritten.pivot(index="sample", columns="cell", values=name) for name in metric.sums}
        units = wide[numerator].dropna().index.intersection(original[numerator].dropna().index)
        if not len(units):
            continue
        counts = wide[denominator].loc[units].sub(original.loc[units, denominator], axis=0)
        uneven = counts.ne(0).any(axis=1)
        if uneven.any():
            raise BadResults(
                f"{results.folder / 'samples.parquet'}: {denominator} of sample {units[uneven][0]} differs "
                f"between {', '.join(wide[denominator].columns)} and the original text"
            )
        draws = Draws(
            count=original.loc[units, denominator].to_numpy(float),
            original=original.loc[units, numerator].to_numpy(float),
            rewritten=wide[numerator].loc[units].to_numpy(float).T,
            project=original.loc[units, "project"].to_numpy(),
        )
        n = {"over": over, "s": len(cells), count: int(original.loc[units, count].sum())}
        records.append({"cell": cells["cell"].iloc[0], **n, **measure(draws, metric)})
    table = pd.DataFrame(records, columns=["cell", "over", "s", count, *COLUMNS])
    return results.cells[["cell", *results.axes]].merge(table, on="cell", how="right")


def families(results: Results, cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Of these cells those that are variants of the same test set under the same trained model."""
    cells = cells[cells["test_rewrites"].notna() & ~cells["baseline"].astype(bool)]
    rest = ["train_key", "test_intensity", *(axis for axis in results.axes if axis not in REWRITING)]
    for axis, name in FAMILIES.items():
        alike = [*rest, *(other for other in FAMILIES if other != axis)]
        for _, family in cells.groupby(alike, sort=False, dropna=False):
            variants = family.drop_duplicates(axis)
            if len(variants) > 1:
                yield name, variants
