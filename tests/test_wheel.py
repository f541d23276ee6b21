"""What we give away: a wheel, installed where nothing of this checkout is, does its main job."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
NOT_SHIPPED = ("Dockerfile", "requirements.txt")

pytestmark = pytest.mark.slow


def run(*command: Path | str, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def pip(*arguments: Path | str, cwd: Path) -> None:
    run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments, cwd=cwd)


def needed(name: str, known: set[str]) -> set[str]:
    """The distributions that pip installs for this one, itself included, without any extra."""
    if name in known:
        return known
    known.add(name)
    for text in distribution(name).requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed(requirement.name, known)
    return known


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: what an earlier build left here could fill a gap."""
    sources, out = tmp_path_factory.mktemp("sources") / "augrid", tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns("__pycache__")
    sources.mkdir()
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, sources)
        elif any(path.glob("*.py")) or path.name == "configs":
            shutil.copytree(path, sources / path.name, ignore=unwanted)
    pip("wheel", "--no-deps", "--wheel-dir", out, sources, cwd=out)
    (file,) = out.iterdir()
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with this wheel and what it needs: links to what is installed here."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in needed("augrid", set()) - {"augrid"}:
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or [] if file.parts[0] != ".."}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(found.locate_file(top))).resolve())
    pip("--python", folder / "bin" / "python", "install", "--no-deps", "--no-index", wheel, cwd=folder)
    return folder / "bin"


def test_it_holds_every_file_of_the_packages_and_configs(wheel: Path) -> None:
    packages = {file.parent.name: file.parent.name for file in ROOT.glob("*/__init__.py")}
    ours = {
        str(Path(name) / file.relative_to(ROOT / folder))
        for folder, name in {**packages, "configs": "augrid_configs"}.items()
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.name not in NOT_SHIPPED
    }
    held = set(zipfile.ZipFile(wheel).namelist())
    about = {name for name in held if ".dist-info/" in name}
    assert held - about == ours
    assert any(name.endswith("/licenses/LICENSE") for name in about)


def test_the_quick_start_runs_elsewhere(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import grid; print(grid.__file__)", cwd=tmp_path)
    assert Path(where).is_relative_to(installed.parent)
    sets = ("--set", "training.max_steps=2")
    run(installed / "augrid", "run", "quickstart", *sets, cwd=tmp_path)
    assert (tmp_path / "results" / "quickstart" / "report.html").is_file()
    (tmp_path / "area.py").write_text("def area(width):\n    return width\n")
    assert "width" in run(installed / "augrid", "complete", "area.py:2:11", *sets, cwd=tmp_path)
