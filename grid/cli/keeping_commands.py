"""The commands that look after runs and the store: logs, ls, diff, compare, rm, gc, stop, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grid.cli import arguments
from grid.cli.arguments import RESULTS, CellName, Results, Sets, SpecName, console
from grid.results.analysis_process import analyse
from preprocessing.errors import BadInput

commands = arguments.commands()


@commands.command(epilog="example: augrid logs quickstart 3f2a -f")
def logs(
    spec: SpecName,
    cell: CellName,
    set_: Sets = None,
    results: Results = RESULTS,
    follow: Annotated[bool, typer.Option("-f", help="Go on as it grows, until Ctrl-C.")] = False,
) -> None:
    """Print the logs of the jobs behind one cell."""
    from grid.commands import keeping
    from grid.plan.opening import open_grid

    grid = open_grid(spec, set_ or ())
    files = keeping.logs(grid, results, keeping.find_cell(grid, cell)[0])
    if not files:
        raise BadInput(f"{cell}: no logs yet; its steps have not begun")
    for file in files:
        print(file.read_text(encoding="utf-8", errors="replace"), end="")
    if follow:
        keeping.follow(files[-1])


@commands.command(epilog="example: augrid ls --results results")
def ls(
    results: Results = RESULTS,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read everything, set aside what is damaged.")
    ] = False,
) -> None:
    """List what is in the store, by kind of step."""
    from grid.commands import keeping
    from grid.store.finished import Store

    store = Store(results / "store")
    found = list(keeping.artifacts(store))
    console.print(keeping.table(found) if found else f"{results}: nothing in the store")
    if verify:
        raise typer.Exit(keeping.verify(store, found, console))


@commands.command(epilog="example: augrid diff quickstart 3f2a 9c01")
def diff(spec: SpecName, cell: CellName, other: CellName, set_: Sets = None) -> None:
    """Show what differs between two cells: axes, overrides, and so which steps they share."""
    from grid.commands import keeping
    from grid.plan.opening import open_grid

    grid = open_grid(spec, set_ or ())
    for line in keeping.differences(grid, cell, other):
        console.print(line, markup=False, highlight=False)


@commands.command(epilog="example: augrid compare results/quickstart other/quickstart")
def compare(
    a: Annotated[Path, typer.Argument(metavar="RESULTS_A", help="A folder that a run wrote.")],
    b: Annotated[Path, typer.Argument(metavar="RESULTS_B", help="Another one.")],
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write all cells side by side, too.")
    ] = None,
) -> None:
    """Show what differs between two runs: spec, code, and the results of the cells they share."""
    missing = [folder for folder in (a, b) if not (folder / "run.json").exists()]
    if missing:
        raise BadInput("\n".join(f"{f}: not a folder of results (results/<name>)" for f in missing))
    also = () if csv is None else ("--csv", csv)
    raise typer.Exit(analyse("analysis.comparing.two_runs", a, b, *also).returncode)


@commands.command(epilog="example: augrid rm quickstart 3f2a")
def rm(
    spec: SpecName,
    cells: Annotated[list[str], typer.Argument(metavar="CELL …", help="First digits of cells' ids.")],
    set_: Sets = None,
    results: Results = RESULTS,
) -> None:
    """Remove the training and scores of cells; the next run makes them again."""
    from grid.commands import keeping
    from grid.plan.opening import open_grid

    n = keeping.remove(open_grid(spec, set_ or ()), results, cells)
    console.print(f"{n} artifacts removed", highlight=False)


@commands.command(epilog="example: augrid gc --dry-run")
def gc(
    results: Results = RESULTS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Remove what no grid of the results folder needs any more."""
    from grid.commands import keeping

    free = keeping.collect(results, dry_run=dry_run)
    size = sum(artifact.bytes for artifact in free) / 1e6
    verb = "would be removed" if dry_run else "removed"
    console.print(f"{len(free)} artifacts {verb}, {size:.1f} MB", highlight=False)


@commands.command(epilog="example: augrid stop quickstart")
def stop(spec: SpecName, results: Results = RESULTS) -> None:
    """End the run of a grid, as Ctrl-C does; the next run goes on from there."""
    from grid.commands import keeping
    from grid.plan.opening import open_grid

    pid = keeping.stop(open_grid(spec), results)
    console.print(f"process {pid} has ended", highlight=False)


@commands.command(epilog="example: augrid doctor --hosts local")
def doctor(
    hosts: Annotated[str | None, typer.Option(metavar="FILE", help="A hosts file.")] = None,
    results: Results = RESULTS,
) -> None:
    """Check the places where a grid would run; say what to do about what is wrong."""
    from grid import hosts as places
    from grid.commands import doctor

    raise typer.Exit(doctor.run(places.load(hosts), results, console))
