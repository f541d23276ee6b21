"""Differences over the intensities of a rewrite, on the samples that all of its intensities kept.

    Δ at rates 0.25, 0.5, 1 on the same samples   ->   slope of Δ over the rate, with interval; Page's trend

What grows is thrown out, so the samples of a high intensity are others than those of a low one: a curve over
each intensity's own samples can bend for no other reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.comparing.pairing import pairs, scope_of
from analysis.results import SEEDS, BadResults, Results
from analysis.statistics import significance
from analysis.statistics.estimates import estimate
from analysis.statistics.metrics import Floats, Metric


@dataclass(frozen=True, kw_only=True)
class DoseResponse:
    """Lines over at least two intensities; what no two intensities share is in neither table.

    `lines`: one row per rewrites × training mix × model (and further axes): the axes, intensities, n_samples,
    n_projects, slope (of Δ, per unit of rate, or per site), low, high, covers, why, p, p_holm; from three
    intensities on `statistic`, p_page and p_page_holm of Page's L over projects (one-sided, for differences
    that get worse; of a rise, where neither direction is better). `points`: one row per line and intensity:
    the axes, n_samples, n_projects, difference, low, high, covers, why.
    """

    lines: pd.DataFrame
    points: pd.DataFrame


def dose_response(
    results: Results, kind: str, metric_name: str | None = None, *, scope: str | None = None
) -> DoseResponse:
    """Of one kind of comparison in one metric, without a name the first that leads.

    Raises `BadResults` for a metric that isn't made of sums by sample.
    """
    one = results.metric(metric_name or results.task.leads[0])
    if one.by is not None or one.of_draws:
        raise BadResults(f"{one.name} is not made of sums by sample")
    axes = [axis for axis in results.groups if axis != "intensity"]
    lines, points = [], []
    for head, line in _lines(results, kind, one, axes, scope_of(results, scope)):
        about = {"n_samples": line.samples, "n_projects": len(line.units)}
        lines.append(head | {"intensities": " ".join(line.names)} | about | _slope(line, one))
        for level, name in enumerate(line.names):
            weights = np.eye(len(line.names))[level]
            points.append(head | {"intensity": name} | about | _told("difference", line, one, weights))
    of_lines = [*axes, "intensities", "n_samples", "n_projects", "slope", "low", "high", "covers", "why", "p"]
    table = pd.DataFrame(lines, columns=[*of_lines, "statistic", "p_page"])
    of_points = [*results.groups, "n_samples", "n_projects", "difference", "low", "high", "covers", "why"]
    return DoseResponse(
        lines=table.assign(
            p_holm=significance.holm(table["p"].to_numpy(float)),
            p_page_holm=significance.holm(table["p_page"].to_numpy(float)),
        ),
        points=pd.DataFrame(points, columns=of_points),
    )


@dataclass(frozen=True, kw_only=True)
class _Line:
    """Sums of P projects, C seeds and draws, L intensities and both sides: (P, C, L, 2) each."""

    names: list[str]  # (L,) of the intensities
    values: Floats  # (L,)
    sums: dict[str, Floats]
    units: Floats  # (P,)
    cells: list[str]  # (C,) at the first intensity
    samples: int
    results: Results


def _lines(
    results: Results, kind: str, one: Metric, axes: list[str], scope: str
) -> Iterator[tuple[dict[str, Any], _Line]]:
    paired = pairs(results, kind, scope=scope)
    sides = [f"{name}_{side}" for side in "ab" for name in one.sums]
    paired = paired[paired[sides].notna().all(axis=1)]
    seeds = [name for name in SEEDS if name in results.axes]
    about = ["cell", *axes, *seeds, "intensity", "intensity_value", "intensity_unit"]
    rows = paired.merge(results.cells[about], on="cell")
    for key, line in rows.groupby([*axes, "intensity_unit"], dropna=False, sort=False):
        levels = line.drop_duplicates("intensity").sort_values("intensity_value")
        names = levels["intensity"].astype(str).tolist()
        whole = line.groupby([*seeds, "sample"], dropna=False)["cell"].transform("nunique") == len(names)
        line = line[whole]
        if len(names) < 2 or line.empty:
            continue
        yield dict(zip(axes, key, strict=False)), _summed(results, line, one, names, levels, seeds)


def _summed(
    results: Results,
    line: pd.DataFrame,
    one: Metric,
    names: list[str],
    levels: pd.DataFrame,
    seeds: list[str],
) -> _Line:
    count = results.task.unit.count
    projects = pd.factorize(line["project"])[0]
    repetitions = line.groupby(seeds, dropna=False, sort=False).ngroup().to_numpy()
    level = pd.Index(names).get_indexer(pd.Index(line["intensity"].astype(str)))
    shape = (projects.max() + 1, repetitions.max() + 1, len(names))
    place = np.ravel_multi_index((projects, repetitions, level), shape)

    def summed(column: str) -> Floats:
        weights = line[column].to_numpy(float)
        flat = np.bincount(place, weights=weights, minlength=int(np.prod(shape)))
        return flat.reshape(shape).astype(np.float64)

    sums = {name: np.stack([summed(f"{name}_{side}") for side in "ab"], axis=-1) for name in one.sums}
    first = line[level == 0].assign(repetition=repetitions[level == 0]).drop_duplicates("repetition")
    return _Line(
        names=names,
        values=levels["intensity_value"].to_numpy(float),
        sums=sums,
        units=summed(f"{count}_b").sum(axis=(1, 2)),
        cells=first.sort_values("repetition")["cell"].tolist(),
        samples=line["sample"].nunique(),
        results=results,
    )


def _slope(line: _Line, one: Metric) -> dict[str, Any]:
    """Least squares over the intensities, which is a weighted sum of their differences; and Page's trend."""
    centred = line.values - line.values.mean()
    told = _told("slope", line, one, centred / np.sum(centred**2))
    gaps = _gaps(one.of(line.sums)).mean(axis=1)  # (P, L)
    gaps = gaps[np.isfinite(gaps).all(axis=1)]
    if len(line.names) < 3 or len(gaps) < 2:
        return told
    trend = significance.page_trend((-1 if one.higher_is_better else 1) * gaps)
    return told | {"statistic": trend.statistic, "p_page": trend.p}


def _told(name: str, line: _Line, one: Metric, weights: npt.NDArray[np.float64]) -> dict[str, Any]:
    """A weighted sum over the intensities, with its interval."""
    whole = {name: sums.sum(axis=0) for name, sums in line.sums.items()}
    theta, without = (_gaps(values) @ weights for values in (one.of(whole), one.without_each(line.sums)))
    found = estimate(theta, without, line.results.layout(line.cells), line.units)
    claim = found.everything
    told = {name: found.mean, "low": claim.low, "high": claim.high, "covers": claim.covers, "why": claim.why}
    return told | {"p": claim.p} if name == "slope" else told


def _gaps(values: Floats) -> Floats:
    gaps: Floats = values[..., 0] - values[..., 1]
    return gaps
