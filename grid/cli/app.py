"""The command line, `augrid`: its commands put together, and how it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from grid.cli import data_commands, grids, image_commands, keeping_commands, model_commands, rewrite
from preprocessing import interpreter
from preprocessing.errors import BadInput

app = typer.Typer(
    name="augrid",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for module in (grids, rewrite, data_commands, model_commands, keeping_commands):
    app.add_typer(module.commands)
app.add_typer(image_commands.commands, name="image")


def main() -> None:
    """Entry point. Bad input: its problems on standard error, exit code 2."""
    os.environ.update(interpreter.environment())
    try:
        app()
    except BadInput as error:
        for line in str(error).splitlines():
            print(f"error: {line}" if not line.startswith("  ") else line, file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _show_version(asked: bool) -> None:
    if asked:
        from grid.store import provenance

        print(f"augrid {provenance.shown()}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version of this code."
        ),
    ] = False,
) -> None:
    """Grid experiments on the robustness of code models to semantics-preserving rewrites of Python."""


@app.command(hidden=True, epilog="example: augrid step results/quickstart/logs/train-0123456789ab/job.json")
def step(file: Annotated[Path, typer.Argument(metavar="FILE.json", help="A job file.")]) -> None:
    """Do one job in this process: what executors run."""
    from grid.steps import worker

    raise typer.Exit(worker.main(file))
