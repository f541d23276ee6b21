"""Files that come with these packages, under the names that they have in a checkout.

configs/grid/quickstart.yaml   ->   the user's own file of that name, else the one that comes with us
"""

from __future__ import annotations

from pathlib import Path

from preprocessing.interpreter import ROOT

CONFIGS = Path("configs")
INSTALLED = ROOT / "augrid_configs"  # what the folder is called beside packages that were installed
FOLDER = INSTALLED if INSTALLED.is_dir() else ROOT / CONFIGS


def located(path: Path | str) -> Path:
    """Where the file is that `path` names; `path` itself if there is none, here or with us."""
    if not (given := Path(path)).exists() and given.is_relative_to(CONFIGS):
        ours = FOLDER / given.relative_to(CONFIGS)
        return ours if ours.is_file() else given
    return given


def names(folder: Path) -> list[str]:
    """The YAML files that `located` finds in a folder of configs/, without their ending."""
    both = (folder, FOLDER / folder.relative_to(CONFIGS))
    return sorted({file.stem for place in both for file in place.glob("*.yaml")})
