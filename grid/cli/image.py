"""`augrid image build`: the image of training and scoring, on one engine or on all of a hosts file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from preprocessing.errors import BadInput

BUILD_S = 7200


def register(app: typer.Typer, console: Console) -> None:
    """Add `image` to `app`; it prints to `console`."""
    image = typer.Typer(help="The image that training and scoring run in.", no_args_is_help=True)
    app.add_typer(image, name="image")

    @image.callback(epilog="example: augrid image build --hosts docker")
    def commands() -> None:
        """The image that training and scoring run in."""

    @image.command(epilog="example: augrid image build --hosts docker")
    def build(
        hosts: Annotated[
            str | None, typer.Option(metavar="FILE", help="Build on all Docker hosts of this file.")
        ] = None,
        host: Annotated[
            list[str] | None, typer.Option(metavar="NAME", help="Only on this host of it; repeatable.")
        ] = None,
        base: Annotated[
            str | None, typer.Option(metavar="IMAGE", help="Instead of python:3.11-slim.")
        ] = None,
        tag: Annotated[str | None, typer.Option(help="Its name; default: as the hosts file says.")] = None,
        wheels: Annotated[
            Path | None, typer.Option(metavar="DIR", help="Wheels of all packages: nothing is downloaded.")
        ] = None,
        argument: Annotated[
            list[str] | None, typer.Option("--build-arg", metavar="NAME=VALUE", help="As docker build's.")
        ] = None,
    ) -> None:
        """Build the image from this checkout, and print its digest."""
        given = dict(_pair(text) for text in argument or ())
        if wheels is not None and not any(wheels.glob("*.whl")):
            raise BadInput(f"--wheels {wheels}: no wheels there")
        for name, digest in _build_all(hosts, host or [], base, tag, wheels, given, console):
            console.print(f"{name}: {digest}", markup=False, highlight=False, soft_wrap=True)


def _build_all(
    file: str | None,
    names: list[str],
    base: str | None,
    tag: str | None,
    wheels: Path | None,
    arguments: dict[str, str],
    console: Console,
) -> list[tuple[str, str]]:
    from grid import hosts
    from grid.commands import image
    from grid.engines.config import SOCKET, DockerHost
    from grid.engines.engine import Engine, LostHostError

    image.checkout()
    here = DockerHost(name="local", url=f"unix://{SOCKET}", slots=1)
    places = [here] if file is None else hosts.load(file).hosts
    if not places:
        raise BadInput(
            f"--hosts {file}: it lists no Docker hosts; add them under hosts:, as in "
            "configs/hosts/docker.yaml, or leave out --hosts for the engine of this machine"
        )
    if unknown := sorted(set(names) - {place.name for place in places}):
        there = ", ".join(place.name for place in places)
        raise BadInput(f"--host {', '.join(unknown)}: no such Docker host; there are: {there}")
    built = []
    for place in places:
        if names and place.name not in names:
            continue
        engine = Engine(place)
        try:
            client = engine.ask(lambda client: client, patience_s=10)
            client.api.timeout = BUILD_S
            digest = image.build(
                client,
                tag=tag or place.image,
                base=base,
                wheels=wheels,
                arguments=arguments,
                show=lambda line: console.print(line, markup=False, highlight=False),
            )
        except LostHostError as error:
            raise BadInput(str(error)) from None
        finally:
            engine.close()
        built.append((f"{place.name} {tag or place.image}", digest))
    return built


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"--build-arg {text}: must be NAME=VALUE")
    return name, value
