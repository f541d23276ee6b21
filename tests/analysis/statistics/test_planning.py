"""What a design finds: the same error as a finished study's, and the power that it promises."""

import numpy as np
import pytest
from scipy import special

from analysis.statistics.crossed import Layout
from analysis.statistics.estimates import Estimate, estimate
from analysis.statistics.metrics import Metric, Ratio
from analysis.statistics.planning import Design, Spread, enough
from analysis.statistics.significance import smallest_margin, tost

MEAN = Metric(name="m", label="", unit="", form=Ratio(numerator="x", denominator="n"))
GAINS = Spread(project=0.0097**2, seed=0.0041**2)


def study(
    rng: np.random.Generator, spread: Spread, projects: int, seeds: int, draws: int = 1, effect: float = 0.0
) -> Estimate:
    """One study of projects of equal size."""
    assert spread.seed is not None
    shape, d = (projects, seeds, draws), np.sqrt(spread.draw)
    values = effect + np.sqrt(spread.residual) * rng.normal(size=shape)
    values = values + np.sqrt(spread.project) * rng.normal(size=(projects, 1, 1))
    values = (
        values + np.sqrt(spread.seed) * rng.normal(size=(1, seeds, 1)) + d * rng.normal(size=(1, 1, draws))
    )
    values = values.reshape(projects, -1)
    sums = {"x": values, "n": np.ones_like(values)}
    theta, without = MEAN.of({k: v.sum(axis=0) for k, v in sums.items()}), MEAN.without_each(sums)
    layout = Layout.of(np.repeat(range(seeds), draws), np.tile(range(draws), seeds))
    return estimate(theta, without, layout, np.ones(projects))


def row(found: Estimate, seeds: int, draws: int = 1) -> dict[str, float]:
    """As it stands in a table of differences."""
    return {
        "standard_error": found.everything.error,
        "standard_error_models": found.models.error,
        "n_effective": found.effective,
        "n_seeds": seeds,
        "n_draws": draws,
        **{f"variance_{name}": share for name, share in found.shares.items()},
    }


@pytest.mark.parametrize("residual", [0.0, 0.004**2])
def test_a_design_like_a_finished_one_has_its_error(residual: float) -> None:
    rng = np.random.default_rng(5)
    spread = Spread(project=0.01**2, seed=0.004**2, residual=residual)
    for _ in range(20):
        found = study(rng, spread, 12, 3)
        if min(found.shares[name] for name in ("seed", "project", "residual")) < 0:
            continue
        again = Spread.of([row(found, 3)])
        assert again is not None
        error, df = Design(projects=12, seeds=3).error(again)
        assert error == pytest.approx(found.everything.error)
        assert df == pytest.approx(found.everything.df)


def test_a_row_whose_estimates_add_up_to_nothing_still_counts() -> None:
    rng = np.random.default_rng(9)
    noise = Spread(project=0.0, seed=0.0, residual=0.01**2)
    rows = [row(study(rng, noise, 8, 2), 2) for _ in range(200)]
    without = [one for one in rows if np.isnan(one["variance_seed"])]
    assert without
    for one in without:
        found = Spread.of([one])
        assert found is not None
        error, _ = Design(projects=8, seeds=2).error(found)
        assert error == pytest.approx(one["standard_error"])


def test_variances_are_found_again_on_average() -> None:
    rng = np.random.default_rng(6)
    truth = Spread(project=0.01**2, seed=0.005**2, draw=0.003**2, residual=0.004**2)
    found = Spread.of([row(study(rng, truth, 20, 4, 3), 4, 3) for _ in range(300)])
    assert found is not None
    assert found.seed is not None
    assert truth.seed is not None
    assert found.project == pytest.approx(truth.project, rel=0.1)
    assert found.seed == pytest.approx(truth.seed, rel=0.15)
    assert found.draw == pytest.approx(truth.draw, rel=0.2)


def test_rows_of_one_seed_tell_of_projects_alone() -> None:
    rng = np.random.default_rng(7)
    rows = [row(study(rng, GAINS, 20, 1), 1) for _ in range(200)]
    found = Spread.of(rows)
    assert found is not None
    assert found.seed is None
    assert found.project == pytest.approx(GAINS.project, rel=0.1)
    nothing = dict.fromkeys(rows[0], float("nan"))
    assert Spread.of([nothing]) is None
    assert Spread.of([]) is None


@pytest.mark.parametrize("projects, seeds", [(22, 5), (40, 3)])
def test_what_is_said_to_be_found_is_found_in_four_of_five_studies(projects: int, seeds: int) -> None:
    rng = np.random.default_rng(8)
    least = Design(projects=projects, seeds=seeds).finds(GAINS)
    p = np.array([study(rng, GAINS, projects, seeds, effect=least).everything.p for _ in range(500)])
    assert 0.75 < np.mean(p < 0.05) < 0.9


def test_more_seeds_or_projects_find_less_and_more_rows_need_more() -> None:
    few, many = Design(projects=22, seeds=3), Design(projects=60, seeds=12)
    assert many.finds(GAINS) < 0.0055 < 0.009 < few.finds(GAINS) < 0.013
    assert few.finds(GAINS, rows=30) > 1.5 * few.finds(GAINS)
    own_draws = Spread(project=0.0097**2, seed=0.0041**2, draw=0.01**2)
    assert few.finds(own_draws) > few.finds(GAINS)  # each seed has a draw of its own
    assert Design(projects=22, seeds=3, draws=5).finds(own_draws) < few.finds(own_draws)


def test_the_smallest_design_that_finds_a_difference() -> None:
    there = Design(projects=22, seeds=3)
    design = enough(GAINS, 0.005, there)
    assert design is not None
    assert design.finds(GAINS) <= 0.005
    assert design.projects > 22  # with as many seeds as may be, 22 don't find it
    assert Design(projects=22, seeds=30).finds(GAINS) > 0.005
    fewer = Design(projects=design.projects, seeds=design.seeds - 1)
    assert fewer.finds(GAINS) > 0.005
    assert enough(GAINS, there.finds(GAINS), there) == there
    assert enough(GAINS, 1e-6, there) is None


def test_within_the_smallest_margin_nothing_is_shown_to_be_nothing_in_four_of_five_studies() -> None:
    error, df = 0.7, 9.0
    margin = smallest_margin(error, df)
    edge = margin - special.stdtrit(df, 0.95) * error  # estimates within ± this pass the test
    assert tost(0.999 * edge, error, margin, df) < 0.05 < tost(1.001 * edge, error, margin, df)
    assert special.stdtr(df, edge / error) - special.stdtr(df, -edge / error) == pytest.approx(0.8)
