"""Simulated truth: intervals hold it 95 % of the time, tests are wrong as often as they say."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from analysis.statistics import jackknife, significance
from analysis.statistics.bootstrap import bootstrap
from analysis.statistics.effects import cliffs_delta, cliffs_delta_interval
from analysis.statistics.metrics import Metric, MostConfident
from analysis.statistics.strata import STRATA, Ordered

pytestmark = pytest.mark.slow
Floats = npt.NDArray[np.float64]
TRUE = 0.2
RUNS = 1000


def studies(
    projects: int, runs: int, seed: int
) -> Iterator[tuple[npt.NDArray[np.int64], Floats, Floats, Floats]]:
    """Project, tokens, and bits per token before and after of each sample; projects shift the difference."""
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        project = np.repeat(np.arange(projects), rng.integers(1, 12, size=projects))
        n = len(project)
        tokens = rng.integers(50, 400, size=n).astype(float)
        before = rng.gamma(4, 0.5, size=projects)[project] + rng.gamma(3, 0.3, size=n)
        difference = TRUE + rng.normal(0, 0.1, size=projects)[project] + rng.normal(0, 0.3, size=n)
        yield project, tokens, before, before + difference


def difference(sums: Floats) -> Floats:
    return (sums[:, :1] - sums[:, 1:2]) / sums[:, 2:]


def project_sums(project: npt.NDArray[np.int64], tokens: Floats, before: Floats, after: Floats) -> Floats:
    return np.stack(
        [np.bincount(project, weights=w) for w in (after * tokens, before * tokens, tokens)], axis=1
    )


@pytest.mark.parametrize("projects", [8, 12, 20, 40])
def test_intervals_of_the_ratio_cover_the_truth(projects: int) -> None:
    covered = 0
    for i, study in enumerate(studies(projects, RUNS, seed=projects)):
        _, (interval,) = bootstrap(project_sums(*study), difference, resamples=2000, seed=i % 4)
        covered += interval.low <= TRUE <= interval.high
    print(f"coverage with {projects} projects: {covered / RUNS:.3f}")
    assert 0.93 <= covered / RUNS <= 0.97


def test_intervals_of_cliffs_delta_cover_the_truth() -> None:
    _, _, before, after = next(studies(20_000, 1, seed=99))
    true = cliffs_delta(after, before)
    covered = 0
    for i, (project, _, before, after) in enumerate(studies(20, RUNS, seed=5)):
        found = cliffs_delta_interval(after, before, project, resamples=2000, seed=i % 4)
        covered += found.interval.low <= true <= found.interval.high
    print(f"coverage of δ with 20 projects: {covered / RUNS:.3f}")
    assert 0.93 <= covered / RUNS <= 0.97


@pytest.mark.parametrize("projects", [8, 20])
def test_the_clustered_test_is_wrong_as_often_as_it_says_and_the_plain_one_more_often(projects: int) -> None:
    clustered = plain = 0
    for project, _, before, after in studies(projects, RUNS, seed=projects + 1):
        nothing = after - before - TRUE
        clustered += significance.wilcoxon_clustered(nothing, project) < 0.05
        plain += significance.wilcoxon(nothing) < 0.05
    print(f"false positives, {projects} projects: clustered {clustered / RUNS:.3f}, plain {plain / RUNS:.3f}")
    assert 0.025 <= clustered / RUNS <= 0.065
    assert plain / RUNS > 0.08


def test_equivalence_at_the_margin_is_claimed_at_the_nominal_rate() -> None:
    claimed = 0
    for study in studies(20, RUNS, seed=8):
        sums = project_sums(*study)
        total = sums.sum(axis=0)
        error = jackknife.standard_error(difference(total - sums)[:, 0])
        claimed += significance.tost(float(difference(total[None])[0, 0]), error, TRUE, 19) < 0.05
    print(f"equivalence claimed at the margin: {claimed / RUNS:.3f}")
    assert 0.03 <= claimed / RUNS <= 0.075


def test_flips_without_direction_are_false_positives_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(RUNS):
        share = np.clip(rng.normal(0.5, 0.15, size=12), 0, 1)
        flips = rng.integers(5, 60, size=12)
        lost = rng.binomial(flips, share)
        wrong += significance.mcnemar_clustered(lost, flips - lost) < 0.05
    print(f"false positives of the clustered McNemar test: {wrong / RUNS:.3f}")
    assert 0.03 <= wrong / RUNS <= 0.07


def test_no_trend_is_called_a_trend_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(6)
    wrong = sum(significance.page_trend(rng.normal(size=(15, 4))).p < 0.05 for _ in range(RUNS))
    print(f"false positives of the trend test: {wrong / RUNS:.3f}")
    assert 0.03 <= wrong / RUNS <= 0.07


@pytest.mark.parametrize("projects", [8, 12, 20])
def test_jackknife_of_strata_covers_the_truth(projects: int) -> None:
    """Accuracy of the most confident half, rewritten − original text; each side has strata of its own."""
    form = MostConfident(numerator="right", count="n", by="confidence", coverage=0.5)
    metric, runs = Metric(name="top", label="", unit="", form=form), 400

    def study(rng: np.random.Generator, sizes: npt.NDArray[np.int64]) -> dict[str, Floats]:
        project = np.repeat(np.arange(len(sizes)), sizes)
        shift = rng.normal(0.0, 0.05, size=len(sizes))[project]
        sums = {name: np.zeros((len(sizes), 2, STRATA)) for name in ("n", "confidence", "right")}
        fall = 0.1 + rng.normal(0.0, 0.03, size=len(sizes))
        for side, lost in enumerate((fall[project], np.zeros(len(project)))):
            confidence = rng.beta(0.8, 0.8, size=len(project))
            right = rng.random(len(project)) < np.clip(confidence + shift - lost, 0, 1)
            ordered = Ordered(("n", "confidence", "right"))
            ordered.add(confidence, {"confidence": confidence, "right": right.astype(float)}, project)
            for code, rows in ordered.strata():
                for name, row in zip(sums, rows, strict=True):
                    sums[name][code, side] = row
        return sums

    def told(sums: dict[str, Floats]) -> float:
        a, b = metric.of({name: values.sum(axis=0) for name, values in sums.items()})
        return float(a - b)

    rng = np.random.default_rng(projects)
    true = told(study(rng, np.full(4000, 250)))
    covered = 0
    for _ in range(runs):
        sums = study(rng, rng.integers(50, 600, size=projects))
        without = jackknife.leave_one_out(metric, sums)
        interval = jackknife.interval(told(sums), without[:, 0] - without[:, 1])
        covered += interval.low <= true <= interval.high
    print(f"coverage of the most confident half with {projects} projects: {covered / runs:.3f}")
    assert 0.92 <= covered / runs <= 0.98
