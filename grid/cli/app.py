"""The command line, `augrid`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from preprocessing import interpreter
from preprocessing.errors import BadInput

app = typer.Typer(
    name="augrid",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
console = Console() if sys.stdout.isatty() else Console(soft_wrap=True, width=120)

SpecName = Annotated[
    str, typer.Argument(metavar="SPEC", help="A path, or the name of a file in configs/grid/.")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Override a field; repeatable.")
]
Results = Annotated[Path, typer.Option("--results", metavar="DIR", help="Where results and the store are.")]
RESULTS = Path("results")


def main() -> None:
    """Entry point. Bad input: its problems on standard error, exit code 2."""
    from grid.cli import keeping

    os.environ.update(interpreter.environment())
    keeping.register(app, console)
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


@app.command(epilog="example: augrid run quickstart --set training.max_steps=10")
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

    grid = open_grid(spec, set_ or ())
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


@app.command(epilog="example: augrid plan quickstart --why")
def plan(
    spec: SpecName,
    set_: Sets = None,
    results: Results = RESULTS,
    why: Annotated[bool, typer.Option("--why", help="Which fields of the keys changed.")] = False,
    cells: Annotated[bool, typer.Option("--cells", help="List the cells.")] = False,
) -> None:
    """Show cells and steps: what is finished, what would run, and (from past runs) how long."""
    from grid.commands.plan import show
    from grid.plan.opening import open_grid

    show(open_grid(spec, set_ or ()), results, console, why=why, list_cells=cells)


@app.command(epilog="example: augrid validate configs/grid/quickstart.yaml")
def validate(spec: SpecName, set_: Sets = None) -> None:
    """Check a spec; every mistake at once, with its place."""
    from grid.plan.opening import open_grid

    grid = open_grid(spec, set_ or ())
    steps = len(grid.plan.steps)
    baselines = sum(cell.baseline for cell in grid.cells.cells)
    n = len(grid.cells.cells) - baselines
    console.print(
        f"{grid.document.name}: {n} cells and {baselines} baselines, {steps} steps", highlight=False
    )


@app.command(epilog="example: augrid schema > docs/grid.schema.json")
def schema(
    hosts: Annotated[bool, typer.Option("--hosts", help="Of a hosts file, not of a spec.")] = False,
) -> None:
    """Print the JSON schema of a spec (or of a hosts file), for editors."""
    from grid import hosts as places
    from grid.spec import schema as of_specs

    print(json.dumps(places.schema() if hosts else of_specs.schema(), indent=1))


@app.command(epilog="example: augrid status quickstart")
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


@app.command(epilog="example: augrid report quickstart --notebooks")
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


@app.command(epilog="example: augrid export quickstart quickstart.csv")
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


@app.command(
    epilog="example: augrid rewrite src/ --rewrites 'rename_variable, dead_branch{style: if_false}' --count 5"
)
def rewrite(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH …", help="Files, folders, and .jsonl files.")
    ] = None,
    rewrites: Annotated[
        str, typer.Option(metavar="NAME,…", help="Which, in order; options as NAME{OPTION: VALUE, …}.")
    ] = "",
    rate: Annotated[float | None, typer.Option(help="Share of the sites, 0 to 1; default 1.")] = None,
    count: Annotated[int | None, typer.Option(help="Sites per file, instead of a rate.")] = None,
    seed: Annotated[int, typer.Option(help="Which sites, and which new names.")] = 1,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what changes; default without --out, --report.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write all files there.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Facts per file.")] = None,
    column: Annotated[str, typer.Option(metavar="NAME", help="Where the code is in JSONL.")] = "code",
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    explain: Annotated[
        str | None, typer.Option(metavar="FILE:LINE", help="Why a line's names are, or aren't, rewritten.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name all rewrites.")] = False,
) -> None:
    """Rewrite Python files without changing what they do; every result is proved."""
    from grid.commands.rewrite import command

    if list_:
        command.list_rewrites(console)
        return
    if explain is not None:
        for line in command.explain(explain, rewrites, rate=rate, count=count, seed=seed):
            console.print(line, markup=False, highlight=False)
        return
    asked: dict[str, Any] = {"rewrites": rewrites, "rate": rate, "count": count, "seed": seed}
    shown: dict[str, Any] = {"diff": diff, "out": out, "report": report, "column": column, "jobs": jobs}
    raise typer.Exit(command.run(paths or [], console, **asked, **shown))


@app.command(hidden=True, epilog="example: augrid step results/quickstart/logs/train-0123456789ab/job.json")
def step(file: Annotated[Path, typer.Argument(metavar="FILE.json", help="A job file.")]) -> None:
    """Do one job in this process: what executors run."""
    from grid.steps import worker

    raise typer.Exit(worker.main(file))


def _results_folder(spec: str, sets: list[str] | None, results: Path) -> Path:
    from grid.plan.opening import open_grid

    folder = results / open_grid(spec, sets or ()).spec.name
    if not (folder / "run.json").exists():
        raise BadInput(f"{folder}: no results yet; first `augrid run {spec}`")
    return folder
