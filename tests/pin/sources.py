"""The pinned source texts: files of this repository as they were, and some rare syntax.

They are kept as .txt, so that no formatter, checker or renaming changes them.
"""

from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).with_name("data")
SPECS = Path(__file__).with_name("specs")


def texts() -> Iterator[tuple[str, str]]:
    """Name (project/file) and text of each, in order."""
    for file in sorted(DATA.glob("*/*.txt")):
        yield f"{file.parent.name}/{file.stem}", file.read_bytes().decode()


def write(folder: Path) -> None:
    """The texts as a folder `data` of Python files, for a grid's corpus."""
    for name, text in texts():
        file = folder / "data" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
