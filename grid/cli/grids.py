"""The commands about one grid: run, plan, validate, schema, status, report, export."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from grid.cli import arguments
from grid.cli.arguments import RESULTS, Results, Sets, SpecName, console
from preprocessing.errors import BadInput

commands = arguments.commands()


@commands.command(epilog="example: augrid run quickstart --set training.max_steps=10")
def run(
    spec: SpecName,
    set_: Sets = None,
    results: Results = RESULTS,
    hosts: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where to run; see configs/hosts/.")
    ] = None,
    slots: Annotated[
        int | None, typer.Option(min=1, help="CPU jobs at a time; default: one per core.")
    ] = None,
    executor: Annotated[
        str | None, typer.Option(help="local, docker, dask, or inprocess for debugging.")
    ] = None,
    dask: Annotated[str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler to run on.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="When stopped, containers go on; the next run adopts them.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="AXIS=VALUE", help="Only cells with this value; repeatable.")
    ] = None,
    retry: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="Only cells that failed last: failed (however), user_error, error, timeout, infra, lost, "
            "oom (both of oom_host, oom_gpu).",
        ),
    ] = None,
    pilot: Annotated[
        bool,
        typer.Option("--pilot", help="The grid in miniature, in minutes, into a folder NAME-pilot."),
    ] = False,
    max_hours: Annotated[float | None, typer.Option(min=0, help="Stop then; the next run goes on.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take over a folder of another spec.")] = False,
    report: Annotated[bool, typer.Option(help="Make figures and report at the end.")] = True,
) -> None:
    """Compute whatever is missing of a grid, then write tables, figures and the report."""
    from grid import executors
    from grid import hosts as places
    from grid.commands import cell_choice
    from grid.commands.run import Run
    from grid.plan.opening import open_grid
    from grid.plan.pilot import miniature

    grid = open_grid(spec, set_ or ())
    if pilot:
        grid = miniature(grid)
    place = places.load(hosts).changed(slots=slots, dask=dask, detach=detach)
    worker, free = executors.lookup(executor or place.executor, place)
    one = Run(
        grid=grid,
        root=results,
        slots=free,
        executor=worker,
        console=console,
        replace=replace,
        report=report,
        chosen=cell_choice.cells(grid, only or [], retry, results),
        policy=place.policy(None if max_hours is None else time.monotonic() + max_hours * 3600),
    )
    raise typer.Exit(one.run())


@commands.command(epilog="example: augrid plan quickstart --why")
def plan(
    spec: SpecName,
    set_: Sets = None,
    results: Results = RESULTS,
    why: Annotated[bool, typer.Option("--why", help="Which fields of the keys changed.")] = False,
    cells: Annotated[bool, typer.Option("--cells", help="List the cells.")] = False,
) -> None:
    """Show cells and steps: what is finished, what would run, how long (from past runs), what it finds."""
    from grid.commands.plan import show
    from grid.plan.opening import open_grid

    show(open_grid(spec, set_ or ()), results, console, why=why, list_cells=cells)


@commands.command(epilog="example: augrid validate configs/grid/quickstart.yaml")
def validate(spec: SpecName, set_: Sets = None, results: Results = RESULTS) -> None:
    """Check a spec; every mistake at once, with its place, and what limits its grid as far as it is known."""
    from grid.commands.cautions import cautions
    from grid.plan.opening import open_grid
    from grid.store.finished import Store

    grid = open_grid(spec, set_ or ())
    steps = len(grid.plan.steps)
    baselines = sum(cell.baseline for cell in grid.cells.cells)
    n = len(grid.cells.cells) - baselines
    console.print(
        f"{grid.document.name}: {n} cells and {baselines} baselines, {steps} steps", highlight=False
    )
    for line in cautions(grid, Store(results / "store")):
        console.print(f"caution: {line}", highlight=False, markup=False, soft_wrap=True)


@commands.command(epilog="example: augrid schema > docs/grid.schema.json")
def schema(
    hosts: Annotated[bool, typer.Option("--hosts", help="Of a hosts file, not of a spec.")] = False,
) -> None:
    """Print the JSON schema of a spec (or of a hosts file), for editors."""
    from grid import hosts as places
    from grid.spec import schema as of_specs

    print(json.dumps(places.schema() if hosts else of_specs.schema(), indent=1))


@commands.command(epilog="example: augrid status quickstart")
def status(
    spec: Annotated[str | None, typer.Argument(metavar="[SPEC]", help="Without it: all grids.")] = None,
    set_: Sets = None,
    results: Results = RESULTS,
    watch: Annotated[bool, typer.Option("--watch", help="Again every few seconds, until Ctrl-C.")] = False,
) -> None:
    """Show how far a grid is, or all grids of a results folder."""
    from grid.commands import plan
    from grid.plan.opening import open_grid

    while True:
        if watch:
            console.clear()
        if spec is None:
            plan.overview(results, console)
        else:
            plan.status(open_grid(spec, set_ or ()), results, console)
        if not watch:
            return
        time.sleep(5)


@commands.command(epilog="example: augrid report quickstart --notebooks")
def report(
    spec: SpecName,
    set_: Sets = None,
    results: Results = RESULTS,
    notebooks: Annotated[
        bool, typer.Option("--notebooks", help="Run the notebooks too, into notebooks/ beside it.")
    ] = False,
) -> None:
    """Make figures, tables and report.html again from the tables of a run."""
    from grid.results.analysis_process import analyse

    folder = _results_folder(spec, set_, results)
    code = analyse("analysis", folder).returncode
    if notebooks and code == 0:
        code = analyse("analysis.notebooks.execution", folder).returncode
    raise typer.Exit(code)


@commands.command(epilog="example: augrid export quickstart quickstart.csv")
def export(
    spec: SpecName,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A .parquet or .csv file; for data a folder.")],
    set_: Sets = None,
    results: Results = RESULTS,
    data: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="The corpus instead: jsonl, huggingface or openvocab."),
    ] = None,
    cell: Annotated[
        str | None, typer.Option(metavar="CELL", help="With --data: the rewritten data of this cell.")
    ] = None,
) -> None:
    """Write all metrics of all cells as one tidy table, or the data for others to use."""
    from grid.commands import export as writing
    from grid.plan.opening import open_grid

    if data is not None:
        n = writing.data(open_grid(spec, set_ or ()), results, out, data, cell, console)
        console.print(f"{out}: {n} samples", markup=False, highlight=False)
        return
    if cell is not None:
        raise BadInput("--cell: only with --data; metrics are written for all cells")
    rows = writing.export(_results_folder(spec, set_, results), out)
    console.print(f"{out}: {rows} rows", highlight=False)


def _results_folder(spec: str, sets: list[str] | None, results: Path) -> Path:
    from grid.plan.opening import open_grid

    folder = results / open_grid(spec, sets or ()).spec.name
    if not (folder / "run.json").exists():
        raise BadInput(f"{folder}: no results yet; first `augrid run {spec}`")
    return folder
