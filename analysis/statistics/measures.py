"""One group of paired cells, measured: differences with intervals, effect sizes, tests and their power."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.comparing.pairing import SUMS, Metric
from analysis.statistics import effects, significance
from analysis.statistics.bootstrap import Floats, bootstrap

EFFECT_RESAMPLES = 2000
MARGIN = 0.05
"""The margin of equivalence, as a share of the reference: smaller differences are called robust."""

Codes = npt.NDArray[np.int64]

COLUMNS = [
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
    "p",
    "p_samples",
    "p_holm",
    "p_fdr",
    "delta",
    "delta_low",
    "delta_high",
    "a12",
    "a12_low",
    "a12_high",
    "share_worse",
    "standard_error",
    "detectable",
    "margin",
    "p_equivalence",
    "variance_seed",
    "variance_project",
    "variance_residual",
]


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """n paired samples of one group of cells, as numbers: cell, project and sample are codes."""

    cell: Codes  # (n,)
    project: Codes  # (n,)
    sample: Codes  # (n,)
    sums: dict[str, Floats]  # (n,) each: nll_bits_a, nll_bits_b, …

    def of(self, rows: npt.NDArray[Any]) -> "Pairs":
        """Some of the rows."""
        sums = {name: values[rows] for name, values in self.sums.items()}
        return Pairs(cell=self.cell[rows], project=self.project[rows], sample=self.sample[rows], sums=sums)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is said of one group in one metric: a row of the table, and the parts that it is made of."""

    row: dict[str, Any]
    seeds: list[tuple[int, dict[str, Any]]]  # code of the cell, its values
    projects: Codes  # (P,) codes
    by_project: Floats  # (P,) difference, mean over seeds


def groups(paired: pd.DataFrame) -> tuple[dict[str, pd.Index], list[Pairs]]:
    """Paired samples cut into groups, in the order of their numbers; names of cells and projects by code."""
    codes, names = {}, {}
    for column in ("cell", "project", "sample"):
        codes[column], names[column] = pd.factorize(paired[column])
    sums = {f"{name}_{side}": paired[f"{name}_{side}"].to_numpy(float) for side in "ab" for name in SUMS}
    whole = Pairs(cell=codes["cell"], project=codes["project"], sample=codes["sample"], sums=sums)
    group = paired["group"].to_numpy()
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    return names, [whole.of(rows) for rows in np.split(order, cuts) if len(rows)]


def measure(
    pairs: Pairs, metrics: Sequence[Metric], *, resamples: int, seed: int, level: float
) -> Iterator[Measured]:
    """Each metric of one group; none where no sample has a token of the scope, or no ranks."""
    for one in metrics:
        columns = [f"{one.numerator}_a", f"{one.denominator}_a", f"{one.numerator}_b", f"{one.denominator}_b"]
        parts = np.column_stack([pairs.sums[name] for name in columns])  # (n, 4)
        there = (parts[:, 1] > 0) & (parts[:, 3] > 0) & np.isfinite(parts).all(axis=1)
        if not there.any():
            continue
        rows, parts = (pairs, parts) if there.all() else (pairs.of(there), parts[there])
        cells, cell = np.unique(rows.cell, return_inverse=True)
        projects, project = np.unique(rows.project, return_inverse=True)
        sums = _summed(project * len(cells) + cell, parts, len(projects), len(cells))
        estimates, (difference,) = bootstrap(
            sums.reshape(len(sums), -1), _differences, resamples=resamples, seed=seed, level=level
        )
        totals = sums.sum(axis=0)  # (seeds, 4)
        value, reference = totals[:, 0] / totals[:, 1], totals[:, 2] / totals[:, 3]
        leave_one_out = _differences((totals - sums).reshape(len(sums), -1))[:, 0]
        by_project = _by_project(sums)
        a, b, of = _by_sample(rows.sample, project, parts)
        yield Measured(
            row={
                "metric": one.name,
                "n_seeds": len(cells),
                "n_samples": len(a),
                "n_projects": len(sums),
                "n_tokens": round(rows.sums["n_tokens_b"].sum() / len(cells)),
                "value": value.mean(),
                "reference": reference.mean(),
                "difference": estimates[0],
                "low": difference.low,
                "high": difference.high,
                "interval": difference.method,
                "relative": estimates[0] / reference.mean() if reference.any() else np.nan,
                **_effects(a, b, of, one, resamples=resamples, seed=seed, level=level),
                **_certainty(estimates[0], reference.mean(), leave_one_out, by_project),
            },
            seeds=[
                (int(cells[i]), {"value": value[i], "reference": reference[i]}) for i in range(len(cells))
            ],
            projects=projects,
            by_project=np.nanmean(by_project, axis=0),
        )


def _summed(place: Codes, parts: Floats, projects: int, cells: int) -> Floats:
    """(n, 4) parts → (P, cells, 4) sums."""
    size = projects * cells
    columns = [np.bincount(place, weights=column, minlength=size) for column in parts.T]
    sums: Floats = np.stack(columns, axis=-1).astype(np.float64).reshape(projects, cells, 4)
    return sums


def _by_project(sums: Floats) -> Floats:
    """(P, seeds, 4) sums → (seeds, P) differences, NaN where a project has no token."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (sums[..., 0] / sums[..., 1] - sums[..., 2] / sums[..., 3]).T


def _certainty(
    difference: float, reference: float, leave_one_out: Floats, by_project: Floats
) -> dict[str, float]:
    """Standard error, detectable difference, equivalence within the margin, where variance is from."""
    df = len(leave_one_out) - 1
    error = significance.jackknife_error(leave_one_out) if df > 0 else np.nan
    margin = MARGIN * abs(reference)
    complete = by_project[:, np.isfinite(by_project).all(axis=0)]
    shares = (np.nan, np.nan, np.nan)
    if min(complete.shape) > 1:
        shares = significance.variance_split(complete).shares
    return {
        "standard_error": error,
        "detectable": significance.minimum_detectable_effect(error, df),
        "margin": margin,
        "p_equivalence": significance.tost(difference, error, margin, df) if margin > 0 else np.nan,
        **dict(zip(("variance_seed", "variance_project", "variance_residual"), shares, strict=True)),
    }


def _differences(sums: Floats) -> Floats:
    """(N, seeds·4) sums → (N, 1): the mean over seeds of the difference of ratios; NaN: no tokens."""
    parts = sums.reshape(len(sums), -1, 4)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = parts[..., 0] / parts[..., 1] - parts[..., 2] / parts[..., 3]
    means: Floats = ratios.mean(axis=1, keepdims=True)
    return means


def _by_sample(sample: Codes, project: Codes, parts: Floats) -> tuple[Floats, Floats, Codes]:
    """Both sides' ratios of each sample as means over the seeds, and its project: (N,), (N,), (N,)."""
    _, first, codes = np.unique(sample, return_index=True, return_inverse=True)
    n = np.bincount(codes)
    a = np.bincount(codes, weights=parts[:, 0] / parts[:, 1]) / n
    b = np.bincount(codes, weights=parts[:, 2] / parts[:, 3]) / n
    return a, b, project[first]


def _effects(
    a: Floats, b: Floats, project: Codes, one: Metric, *, resamples: int, seed: int, level: float
) -> dict[str, float]:
    dominance = effects.cliffs_delta_interval(
        a, b, project, resamples=min(resamples, EFFECT_RESAMPLES), seed=seed, level=level
    )
    bounds = dominance.interval
    return {
        "p": significance.wilcoxon_clustered(a - b, project),
        "p_samples": significance.wilcoxon(a - b),
        "delta": dominance.delta,
        "delta_low": bounds.low,
        "delta_high": bounds.high,
        "a12": (dominance.delta + 1) / 2,
        "a12_low": (bounds.low + 1) / 2,
        "a12_high": (bounds.high + 1) / 2,
        "share_worse": float(np.mean(a < b) if one.higher_is_better else np.mean(a > b)),
    }
