"""How we start Python again: with these packages, and with nothing of the folder where the user stands.

That folder may hold a `grid/`, a `models/` or a `pandas.py` of somebody else's.
"""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

import preprocessing

ROOT = Path(preprocessing.__file__).parents[1]


def command(module: str, *arguments: Path | str) -> list[str]:
    """`python -P -m MODULE ARGUMENT …`; it needs `environment` too."""
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


def environment() -> dict[str, str]:
    """Our own environment, for a process in which `grid` and the rest are the packages that run here.

    PYTHONSAFEPATH reaches the processes that it starts in turn: torchrun's, joblib's, a notebook's kernel.
    An empty entry of PYTHONPATH would be the current folder, and is left out. Where pip installed these
    packages they are found anyway, and nothing that lies there may come before the standard library.
    """
    installed = [*site.getsitepackages(), site.getusersitepackages()]
    own = [] if str(ROOT) in installed else [str(ROOT)]
    path = [*own, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    given = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return given | {"PYTHONSAFEPATH": "1"} | ({"PYTHONPATH": os.pathsep.join(path)} if path else {})
