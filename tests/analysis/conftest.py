"""Simulated results folders for all tests of the analysis."""

from pathlib import Path

import pytest

from analysis.results import Results
from tests.simulation.folder import Simulation, write


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("results") / "simulated")


@pytest.fixture(scope="session")
def calibrated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A smaller grid whose tokens know how probable the best one was."""
    simulation = Simulation(
        rewrites=["rename", "parens"],
        intensities=[0.25, 0.5, 1.0],
        models=["small"],
        projects=8,
        with_best=True,
    )
    return write(tmp_path_factory.mktemp("results") / "calibrated", simulation)


@pytest.fixture(scope="session")
def calibrated(calibrated_folder: Path) -> Results:
    return Results(calibrated_folder)


@pytest.fixture(scope="session")
def results(folder: Path) -> Results:
    return Results(folder)
