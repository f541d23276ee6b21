"""The commands about models: check-model, complete."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grid.cli import arguments
from grid.cli.arguments import RESULTS, Results, Sets, console

commands = arguments.commands()


@commands.command("check-model", epilog="example: augrid check-model gru --set d_model=64")
def check_model(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A kind of model, or with --spec a model of that spec.")
    ],
    spec: Annotated[
        str | None, typer.Option(metavar="SPEC", help="A path, or the name of a file in configs/grid/.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Override a field of the model; repeatable."),
    ] = None,
) -> None:
    """Learn a few lines by heart: does this model learn at all? Exit code 1 if it doesn't."""
    from grid.commands import check_model

    raise typer.Exit(check_model.show(model, spec, set_ or (), console))


@commands.command(
    epilog="example: augrid complete src/area.py:12:8 --spec quickstart --rewrites rename_variable"
)
def complete(
    where: Annotated[
        str, typer.Argument(metavar="FILE:LINE:COL", help="Lines from 1, columns from 0, in characters.")
    ],
    model: Annotated[Path | None, typer.Option(metavar="FOLDER", help="A trained model in a store.")] = None,
    spec: Annotated[
        str, typer.Option(metavar="SPEC", help="Instead of --model: the grid whose model to ask.")
    ] = "quickstart",
    cell: Annotated[
        str | None, typer.Option(metavar="CELL", help="Which cell of it; default: the first baseline.")
    ] = None,
    set_: Sets = None,
    results: Results = RESULTS,
    rewrites: Annotated[
        str, typer.Option(metavar="NAME,…", help="In order; options as NAME{OPTION: VALUE, …}.")
    ] = "rename_variable",
    rate: Annotated[float, typer.Option(help="Share of the sites, 0 to 1.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Which sites, and which new names.")] = 1,
) -> None:
    """Show a model's ten best next tokens at a place of a file, and at the same place of the file
    rewritten.
    """
    from grid.commands import complete

    trained = (
        complete.of_folder(model) if model is not None else complete.of_grid(spec, set_ or (), cell, results)
    )
    complete.show(where, trained, rewrites, rate, seed, console)
