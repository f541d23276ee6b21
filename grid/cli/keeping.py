"""The commands that look after runs and the store: logs, ls, diff, compare, rm, gc, stop, doctor."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from grid.cli import data, image, model
from grid.results.analysis_process import analyse
from preprocessing.errors import BadInput

SpecName = Annotated[
    str, typer.Argument(metavar="SPEC", help="A path, or the name of a file in configs/grid/.")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Override a field; repeatable.")
]
Results = Annotated[Path, typer.Option("--results", metavar="DIR", help="Where results and the store are.")]
CellName = Annotated[str, typer.Argument(metavar="CELL", help="The first digits of a cell's id.")]
RESULTS = Path("results")


def register(app: typer.Typer, console: Console) -> None:
    """Add these commands, and those about data and models, to `app`; they print to `console`."""
    data.register(app, console)
    image.register(app, console)
    model.register(app, console)

    @app.command(epilog="example: augrid logs quickstart 3f2a -f")
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
            _follow(files[-1])

    @app.command(epilog="example: augrid ls --results results")
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
        table = Table(box=None, pad_edge=False)
        for column in ("step", "artifacts", "MB"):
            table.add_column(column, justify="left" if column == "step" else "right")
        for kind in dict.fromkeys(artifact.kind for artifact in found):
            sizes = [artifact.bytes for artifact in found if artifact.kind == kind]
            table.add_row(kind, str(len(sizes)), f"{sum(sizes) / 1e6:.1f}")
        console.print(table if found else f"{results}: nothing in the store")
        if verify:
            raise typer.Exit(_verify(store, found, console))

    @app.command(epilog="example: augrid diff quickstart 3f2a 9c01")
    def diff(spec: SpecName, cell: CellName, other: CellName, set_: Sets = None) -> None:
        """Show what differs between two cells: axes, overrides, and so which steps they share."""
        from grid.commands import keeping
        from grid.plan.opening import open_grid

        grid = open_grid(spec, set_ or ())
        (first, a), (second, b) = keeping.find_cell(grid, cell), keeping.find_cell(grid, other)
        pairs = [(n, x.text, y.text) for n, x, y in zip(grid.cells.axes, a.values, b.values, strict=True)]
        there, here = dict(a.patch), dict(b.patch)
        pairs += [(path, str(there.get(path)), str(here.get(path))) for path in {**there, **here}]
        for name, left, right in pairs:
            if left != right:
                console.print(f"{name}: {left} | {right}", markup=False, highlight=False)
        steps = [{step.key: step.kind for step in keeping.steps_of(grid, n)} for n in (first, second)]
        shared = [kind for key, kind in steps[0].items() if key in steps[1]]
        words = ", ".join(f"{shared.count(kind)} {kind}" for kind in dict.fromkeys(shared))
        console.print(f"shared steps: {words or 'none'}", highlight=False)

    @app.command(epilog="example: augrid compare results/quickstart other/quickstart")
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
        options = () if csv is None else ("--csv", csv)
        raise typer.Exit(analyse("analysis.comparing.two_runs", a, b, *options).returncode)

    @app.command(epilog="example: augrid rm quickstart 3f2a")
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

    @app.command(epilog="example: augrid gc --dry-run")
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

    @app.command(epilog="example: augrid stop quickstart")
    def stop(spec: SpecName, results: Results = RESULTS) -> None:
        """End the run of a grid, as Ctrl-C does; the next run goes on from there."""
        from grid.plan.opening import open_grid
        from grid.results.folder import Folder
        from grid.store import lock

        folder = Folder(results, open_grid(spec).spec.name)
        pid = lock.stop(folder.lock)
        for _ in range(300):
            if not lock.is_held(folder.lock):
                console.print(f"process {pid} has ended", highlight=False)
                return
            time.sleep(0.1)
        raise BadInput(f"process {pid} was told to stop and still runs")

    @app.command(epilog="example: augrid doctor --hosts local")
    def doctor(
        hosts: Annotated[str | None, typer.Option(metavar="FILE", help="A hosts file.")] = None,
        results: Results = RESULTS,
    ) -> None:
        """Check the places where a grid would run; say what to do about what is wrong."""
        from grid import hosts as places
        from grid.commands import doctor

        raise typer.Exit(doctor.run(places.load(hosts), results, console))


def _follow(file: Path) -> None:
    with open(file, encoding="utf-8", errors="replace") as stream:
        stream.seek(0, 2)
        while True:
            print(stream.read(), end="", flush=True)
            time.sleep(0.5)


def _verify(store: object, found: object, console: Console) -> int:
    from grid.commands.keeping import Artifact
    from grid.store.finished import DamagedError, Store

    assert isinstance(store, Store)
    assert isinstance(found, list)
    damaged = 0
    for artifact in found:
        assert isinstance(artifact, Artifact)
        try:
            store.verify(artifact.kind, artifact.key)
        except DamagedError as error:
            damaged += 1
            store.set_aside(artifact.kind, artifact.key)
            console.print(f"set aside: {error}", markup=False, highlight=False)
    console.print(f"{len(found) - damaged} artifacts are whole, {damaged} damaged", highlight=False)
    return 1 if damaged else 0
