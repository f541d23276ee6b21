"""Crossed variances and estimates: by hand, against mixed models' moments, and at the edges."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from analysis.statistics.crossed import Layout, Variances, variances
from analysis.statistics.estimates import Claim, bounds, effective_number, estimate, joint_level
from analysis.statistics.metrics import Metric, Ratio

Floats = npt.NDArray[np.float64]
MEAN = Metric(name="m", label="", unit="", form=Ratio(numerator="x", denominator="n"))


def of_table(values: Floats, layout: Layout, sizes: Floats | None = None) -> tuple[Floats, Floats, Variances]:
    """θ, θ without each project, and variances, of projects' means (P, C)."""
    n = (
        np.ones(values.shape)
        if sizes is None
        else np.broadcast_to(sizes[:, None], values.shape).astype(float)
    )
    sums = {"x": values * n, "n": n}
    theta, without = MEAN.of({k: v.sum(axis=0) for k, v in sums.items()}), MEAN.without_each(sums)
    return theta, without, variances(theta, theta - without, layout)


def anova(values: Floats) -> dict[str, float]:
    """Mean squares of (P, S) by hand."""
    projects, seeds = values.shape
    rows, columns, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    rest = values - rows[:, None] - columns + mean
    return {
        "project": seeds * ((rows - mean) ** 2).sum() / (projects - 1),
        "seed": projects * ((columns - mean) ** 2).sum() / (seeds - 1),
        "rest": (rest**2).sum() / ((projects - 1) * (seeds - 1)),
    }


def test_with_projects_of_equal_size_it_is_the_two_way_analysis_of_variance() -> None:
    values = np.random.default_rng(0).normal(size=(9, 4))
    _, _, found = of_table(values, Layout.of(range(4)))
    ms, cells = anova(values), values.size
    assert found.project == pytest.approx(ms["project"] / cells)
    assert found.seed == pytest.approx(ms["seed"] / cells)
    assert found.shared["project seed"] == pytest.approx(ms["rest"] / cells)
    assert found.unclipped == pytest.approx((ms["project"] + ms["seed"] - ms["rest"]) / cells)
    shares = found.shares
    assert shares["seed"] == pytest.approx(
        (ms["seed"] - ms["rest"]) / (ms["project"] + ms["seed"] - ms["rest"])
    )
    assert sum(shares[name] for name in ("seed", "project", "residual")) == pytest.approx(1)
    assert np.isnan(shares["draw"])


def test_three_crossed_sources_are_put_together_by_inclusion_and_exclusion() -> None:
    """Of many studies the mean estimate of each source is its part of the variance."""
    rng, n = np.random.default_rng(1), 6000
    p, s, d = 6, 3, 2
    sd = {"p": 1.0, "s": 0.8, "d": 0.6, "ps": 0.5, "pd": 0.4, "sd": 0.3, "psd": 0.7}
    values = sd["p"] * rng.normal(size=(n, p, 1, 1)) + sd["s"] * rng.normal(size=(n, 1, s, 1))
    values = values + sd["d"] * rng.normal(size=(n, 1, 1, d)) + sd["ps"] * rng.normal(size=(n, p, s, 1))
    values = values + sd["pd"] * rng.normal(size=(n, p, 1, d)) + sd["sd"] * rng.normal(size=(n, 1, s, d))
    values = values + sd["psd"] * rng.normal(size=(n, p, s, d))
    cells = values.reshape(n, p, s * d)
    theta = cells.mean(axis=1)
    influence = theta[:, None] - (cells.sum(axis=1, keepdims=True) - cells) / (p - 1)
    layout = Layout.of(np.repeat(range(s), d), np.tile(range(d), s))
    found = variances(theta, influence, layout)
    var = {k: v**2 for k, v in sd.items()}
    truth = {
        "project": var["p"] / p,
        "seed": var["s"] / s,
        "draw": var["d"] / d,
        "rest": var["ps"] / (p * s) + var["pd"] / (p * d) + var["sd"] / (s * d) + var["psd"] / (p * s * d),
    }
    assert found.unclipped.mean() == pytest.approx(sum(truth.values()), rel=0.03)
    assert found.unclipped.mean() == pytest.approx(theta.mean(axis=1).var(), rel=0.05)
    for name in ("project", "seed", "draw"):
        part = (found.shares[name] * found.unclipped)[found.unclipped > 0]
        assert part.mean() == pytest.approx(truth[name], rel=0.1), name
    assert (found.total >= np.maximum(found.project, np.maximum(found.seed, found.draw))).all()


def test_a_design_with_gaps_takes_nothing_off() -> None:
    values = np.random.default_rng(2).normal(size=(7, 5))
    layout = Layout.of([1, 1, 2, 2, 3], [1, 2, 1, 2, 1])
    theta, _, found = of_table(values, layout)
    assert found.shared == {}
    assert found.unclipped == pytest.approx(found.project + found.seed + found.draw)
    deviations = theta - theta.mean()
    sums = np.array([deviations[:2].sum(), deviations[2:4].sum(), deviations[4]])
    assert found.seed == pytest.approx(3 / 2 * (sums**2).sum() / 25)


@pytest.mark.parametrize(
    "seeds, draws, expected",
    [
        ([1, 2, 3], None, (3, 1)),
        ([1, 2, 3], [1, 2, 3], (3, 1)),  # each seed has a draw of its own: they can't be told apart
        ([1, 2, 3], [7, 7, 7], (3, 1)),
        ([1, 1, 2, 2], [1, 2, 1, 2], (2, 2)),
        ([1, 1, 1], [1, 2, 3], (1, 3)),
        ([1], [1], (1, 1)),
    ],
)
def test_which_sources_there_are(
    seeds: list[int], draws: list[int] | None, expected: tuple[int, int]
) -> None:
    layout = Layout.of(seeds, draws)
    assert (layout.seeds, layout.draws) == expected


def test_seeds_and_draws_that_stand_in_any_order_give_the_same() -> None:
    values = np.random.default_rng(3).normal(size=(6, 6))
    seeds, draws, order = np.repeat([1, 2, 3], 2), np.tile([1, 2], 3), np.array([5, 0, 3, 1, 4, 2])
    a = of_table(values, Layout.of(seeds, draws))[2]
    b = of_table(values[:, order], Layout.of(seeds[order], draws[order]))[2]
    assert a.total == pytest.approx(b.total)
    assert a.df(6) == pytest.approx(b.df(6))


def test_of_these_models_it_is_the_t_interval_over_projects() -> None:
    values = np.random.default_rng(4).normal(0.3, 1, size=(9, 3))
    theta, without, _ = of_table(values, Layout.of(range(3)))
    found = estimate(theta, without, Layout.of(range(3)), np.ones(9))
    expected = stats.ttest_1samp(values.mean(axis=1), 0)
    low, high = expected.confidence_interval(0.95)
    assert (found.models.low, found.models.high) == pytest.approx((low, high))
    assert found.models.p == pytest.approx(expected.pvalue)
    assert (found.models.covers, found.everything.covers) == ("projects", "projects × seeds")
    assert found.everything.low < low
    assert found.everything.high > high


def test_interval_and_p_agree() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        values = rng.normal(0.5, 1, size=(8, 3)) + rng.normal(0, 0.4, size=3)
        theta, without, _ = of_table(values, Layout.of(range(3)))
        claim = estimate(theta, without, Layout.of(range(3)), np.ones(8)).everything
        assert claim.excludes(0) == (claim.p < 0.05)


def test_seeds_that_differ_widen_the_interval_and_lower_its_degrees_of_freedom() -> None:
    values = np.random.default_rng(6).normal(size=(20, 3)) * 0.1
    layout = Layout.of(range(3))
    calm = estimate(*of_table(values, layout)[:2], layout, np.ones(20)).everything
    wild = estimate(
        *of_table(values + np.array([-1.0, 0.0, 1.0]), layout)[:2], layout, np.ones(20)
    ).everything
    assert wild.error > 5 * calm.error
    assert wild.df == pytest.approx(2, abs=0.05)
    assert calm.df > 10


@pytest.mark.parametrize("projects", [1, 2, 3, 4])
def test_below_five_projects_nothing_is_claimed(projects: int) -> None:
    values = np.ones((projects, 3)) + np.random.default_rng(7).normal(size=(projects, 3)) * 1e-3
    with np.errstate(invalid="ignore"):
        theta, without, _ = of_table(values, Layout.of(range(3)))
    found = estimate(theta, without, Layout.of(range(3)), np.ones(projects))
    assert found.everything.why == found.models.why == f"{projects} project{'s' * (projects > 1)}"
    assert not found.everything.excludes(0)
    assert np.isnan([found.everything.low, found.everything.p, found.models.high]).all()
    assert found.mean == pytest.approx(1, abs=0.01)


def test_one_seed_says_nothing_beyond_these_models() -> None:
    values = np.random.default_rng(8).normal(1, 0.1, size=(8, 1))
    theta, without, _ = of_table(values, Layout.of([1]))
    found = estimate(theta, without, Layout.of([1]), np.ones(8))
    assert found.everything.why == "one seed"
    assert not found.everything.excludes(0)
    assert found.models.excludes(0)
    assert np.isnan(found.shares["seed"])


def test_draws_count_where_models_are_fixed_too() -> None:
    values = np.random.default_rng(9).normal(size=(8, 1)) + np.array([-2.0, 0.0, 2.0])
    layout = Layout.of([1, 1, 1], [1, 2, 3])
    theta, without, _ = of_table(values, layout)
    found = estimate(theta, without, layout, np.ones(8))
    assert found.models.covers == "projects × draws"
    assert found.models.error >= np.sqrt(np.var([-2, 0, 2], ddof=1) / 3)
    assert found.everything.why == "one seed"


def test_a_project_that_holds_all_units_of_a_cell_leaves_no_interval() -> None:
    sums = {"x": np.zeros((6, 2)), "n": np.zeros((6, 2))}
    sums["x"][:, 0], sums["n"][:, 0] = np.arange(6), 1
    sums["x"][0, 1], sums["n"][0, 1] = 3, 1
    without = MEAN.without_each(sums)
    theta = MEAN.of({k: v.sum(axis=0) for k, v in sums.items()})
    found = estimate(theta, without, Layout.of([1, 2]), sums["n"].sum(axis=1))
    assert found.everything.why == found.models.why == "one project holds all units of a cell"


def test_no_difference_anywhere_is_a_certain_zero() -> None:
    found = estimate(np.zeros(3), np.zeros((6, 3)), Layout.of(range(3)), np.ones(6)).everything
    assert (found.low, found.high, found.p, found.error) == (0, 0, 1, 0)


def test_effective_number_of_projects() -> None:
    assert effective_number(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_number(np.array([6.0, 1, 1, 1, 1])) == pytest.approx(100 / 40)
    assert effective_number(np.zeros(3)) == 0


def test_joint_level_of_independent_rows_is_sidaks_and_of_equal_rows_that_of_one() -> None:
    rng = np.random.default_rng(10)
    apart, nothing = np.eye(20), np.zeros((20, 0))
    assert joint_level(apart, nothing) == pytest.approx(0.95 ** (1 / 20), abs=5e-4)
    same = np.tile(rng.normal(size=12), (20, 1))
    assert joint_level(same, nothing) == pytest.approx(0.95, abs=0.01)
    assert joint_level(apart[:1], nothing[:1]) == 0.95
    low, high = bounds(np.array([1.0]), np.array([0.5]), np.array([9.0]), 0.95)
    assert (high - low)[0] == pytest.approx(2 * 0.5 * stats.t.ppf(0.975, 9))


def test_nothing_claimed_excludes_nothing() -> None:
    assert not Claim(why="one seed").excludes(0)
    assert Claim(low=0.1, high=0.2).excludes(0)
    assert not Claim(low=-0.1, high=0.2).excludes(0)
