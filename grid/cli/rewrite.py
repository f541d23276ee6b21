"""The command about rewriting files: rewrite."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grid.cli import arguments
from grid.cli.arguments import console

commands = arguments.commands()


@commands.command(
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
    growth_limit: Annotated[
        float | None, typer.Option(metavar="X", help="At most X times the tokens of a file.")
    ] = None,
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
    request = command.Request(
        paths=tuple(paths or ()),
        rewrites=rewrites,
        rate=rate,
        count=count,
        growth_limit=growth_limit,
        seed=seed,
        column=column,
        diff=diff,
        out=out,
        report=report,
    )
    raise typer.Exit(command.run(request, console, jobs=jobs))
