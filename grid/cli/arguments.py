"""The options that several commands share, and the console that all of them print to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console() if sys.stdout.isatty() else Console(soft_wrap=True, width=120)

SpecName = Annotated[
    str, typer.Argument(metavar="SPEC", help="A path, or the name of a file in configs/grid/.")
]
CellName = Annotated[str, typer.Argument(metavar="CELL", help="The first digits of a cell's id.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Override a field; repeatable.")
]
Results = Annotated[Path, typer.Option("--results", metavar="DIR", help="Where results and the store are.")]
RESULTS = Path("results")  # the default of Results
Slots = Annotated[int | None, typer.Option(min=1, help="Jobs at a time; default: one per core.")]


def commands() -> typer.Typer:
    """An empty set of commands, which `grid/cli/app.py` adds to `augrid`."""
    return typer.Typer(add_completion=False, rich_markup_mode="rich")
