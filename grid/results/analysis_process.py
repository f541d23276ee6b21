"""The analysis as a process of its own: imports point from `analysis` to `grid`, and not back."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def analyse(module: str, *arguments: Path | str, quiet: bool = False) -> "subprocess.CompletedProcess[str]":
    """Run a module of the analysis; quiet: what it prints is kept, not shown.

    The current folder may be a results folder from someone else: nothing is imported from there (`-P`),
    unless it is this package's own.
    """
    own = [str(ROOT)] if Path.cwd() == ROOT else []
    path = os.pathsep.join([*own, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(  # noqa: S603 - no shell
        [sys.executable, "-P", "-m", module, *map(str, arguments)],
        env=os.environ | ({"PYTHONPATH": path} if path else {}),
        capture_output=quiet,
        text=True,
        check=False,
    )
