"""One simulated results folder for all tests of the analysis."""

from pathlib import Path

import pytest

from analysis.results import Results
from tests.simulation.folder import write


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("results") / "simulated")


@pytest.fixture(scope="session")
def results(folder: Path) -> Results:
    return Results(folder)
