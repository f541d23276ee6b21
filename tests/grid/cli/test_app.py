import importlib.metadata
import pkgutil
import subprocess
import sys

import pytest
from typer import Typer
from typer.main import get_command
from typer.testing import CliRunner

from grid import cli
from grid.cli.app import app
from grid.commands import cell_choice
from grid.store import provenance

COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert f"example: augrid {name}" in " ".join(result.output.split())


def test_the_commands_of_every_module_are_there() -> None:
    names = [module.name for module in pkgutil.iter_modules(cli.__path__, "grid.cli.")]
    modules = [importlib.import_module(name) for name in names]
    with_commands = [
        module.commands for module in modules if isinstance(getattr(module, "commands", 0), Typer)
    ]
    assert len(with_commands) > 5
    assert all(one in [group.typer_instance for group in app.registered_groups] for one in with_commands)


def test_help_names_the_classes_of_retry() -> None:
    help_ = " ".join(CliRunner().invoke(app, ["run", "--help"]).output.replace("│", " ").split())
    listed = help_.partition("Only cells that failed last:")[2].partition(". ")[0]
    assert all(name in listed for name in cell_choice.CLASSES)


def test_version() -> None:
    said = CliRunner().invoke(app, ["--version"]).output
    assert said.startswith(f"augrid {importlib.metadata.version('augrid')}")
    assert provenance.git().get("commit", "")[:12] in said


@pytest.mark.parametrize("command", [["run", "nosuch"], ["run", "quickstart", "--executor", "remote"]])
def test_bad_input_exits_with_2(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grid", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_help_loads_nothing_that_takes_long() -> None:
    code = "import sys; from grid.cli.app import app; app(['--help'], standalone_mode=False)"
    heavy = "{'torch', 'pandas', 'pyarrow', 'docker', 'transformers_py'}"
    command = [sys.executable, "-c", f"{code}; sys.exit(bool({heavy} & set(sys.modules)))"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_the_driver_starts_without_torch() -> None:
    code = "import sys; from grid.plan.opening import open_grid; open_grid('quickstart').plan"
    command = [sys.executable, "-c", f"{code}; sys.exit('torch' in sys.modules)"]
    assert subprocess.run(command, check=False).returncode == 0
