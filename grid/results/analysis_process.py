"""The analysis as a process of its own, so that the driver loads no plotting libraries."""

import subprocess
from pathlib import Path

from preprocessing import interpreter


def analyse(module: str, *arguments: Path | str, quiet: bool = False) -> "subprocess.CompletedProcess[str]":
    """Run a module of the analysis; quiet: what it prints is kept, not shown."""
    return subprocess.run(  # noqa: S603 - no shell
        interpreter.command(module, *arguments),
        env=interpreter.environment(),
        capture_output=quiet,
        text=True,
        check=False,
    )
