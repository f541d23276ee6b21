"""`augrid image build`: the image of training and scoring, on one engine or on all of a hosts file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grid.cli.arguments import console
from preprocessing.errors import BadInput

commands = typer.Typer(help="The image that training and scoring run in.", no_args_is_help=True)


@commands.callback(epilog="example: augrid image build --hosts docker")
def about() -> None:
    """The image that training and scoring run in."""


@commands.command(epilog="example: augrid image build --hosts docker")
def build(
    hosts: Annotated[
        str | None, typer.Option(metavar="FILE", help="Build on all Docker hosts of this file.")
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only on this host of it; repeatable.")
    ] = None,
    base: Annotated[str | None, typer.Option(metavar="IMAGE", help="Instead of python:3.11-slim.")] = None,
    tag: Annotated[str | None, typer.Option(help="Its name; default: as the hosts file says.")] = None,
    wheels: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Wheels of all packages: nothing is downloaded.")
    ] = None,
    argument: Annotated[
        list[str] | None, typer.Option("--build-arg", metavar="NAME=VALUE", help="As docker build's.")
    ] = None,
) -> None:
    """Build the image from this checkout, and print its digest."""
    from grid.commands import image

    given = dict(_pair(text) for text in argument or ())
    if wheels is not None and not any(wheels.glob("*.whl")):
        raise BadInput(f"--wheels {wheels}: no wheels there")
    image.checkout()
    built = []
    for place in image.places(hosts, host or []):
        with image.client_of(place) as client:
            digest = image.build(
                client,
                tag=tag or place.image,
                base=base,
                wheels=wheels,
                arguments=given,
                show=lambda line: console.print(line, markup=False, highlight=False),
            )
        built.append(f"{place.name} {tag or place.image}: {digest}")
    for line in built:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"--build-arg {text}: must be NAME=VALUE")
    return name, value
