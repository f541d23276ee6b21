"""The commands about data: corpus, sizes, preprocess."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grid.cli import arguments
from grid.cli.arguments import RESULTS, Results, Sets, Slots, SpecName, console

if TYPE_CHECKING:
    from grid.plan.opening import Grid

commands = arguments.commands()


@commands.command(epilog="example: augrid corpus quickstart")
def corpus(
    spec: SpecName,
    set_: Sets = None,
    results: Results = RESULTS,
    slots: Slots = None,
    leaks: Annotated[bool, typer.Option(help="Look for near duplicates across splits.")] = True,
) -> None:
    """Build the corpus of a grid, print the data section of a paper, save it beside the results."""
    from grid.commands import corpus
    from grid.plan.opening import open_grid

    grid = open_grid(spec, set_ or ())
    code = corpus.show(grid, results, console, leaks=leaks, slots=slots)
    raise typer.Exit(code or _draw(grid, results))


@commands.command(epilog="example: augrid sizes quickstart")
def sizes(spec: SpecName, set_: Sets = None, results: Results = RESULTS, slots: Slots = None) -> None:
    """Make the variants of a grid; show how they grow and what is thrown out, before any training."""
    from grid.commands import sizes
    from grid.plan.opening import open_grid

    grid = open_grid(spec, set_ or ())
    code = sizes.show(grid, results, console, slots=slots)
    raise typer.Exit(code or _draw(grid, results))


@commands.command(epilog="example: augrid preprocess src/ prepared/ --spec quickstart")
def preprocess(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A folder of .py files.")],
    out: Annotated[Path, typer.Argument(metavar="OUTPUT", help="An empty folder, or a new one.")],
    spec: Annotated[
        str | None, typer.Option(metavar="SPEC", help="Whose corpus rules, tokens and tokenizer to use.")
    ] = None,
    set_: Sets = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that clean and encode.")] = 1,
) -> None:
    """Turn a folder of Python files into encoded shards and one-line-per-file text, as the container."""
    from grid.commands import preprocess

    for line in preprocess.prepare(source, out, spec, set_ or (), jobs):
        console.print(line, markup=False, highlight=False)


def _draw(grid: Grid, results: Path) -> int:
    """Figures of what a command wrote; the analysis is a process of its own, which prints their names."""
    from grid.commands import steps_ahead
    from grid.results.analysis_process import analyse

    return analyse("analysis.figures.facts", steps_ahead.folder(grid, results)).returncode
