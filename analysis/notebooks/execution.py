"""`python -m analysis.notebooks.execution FOLDER` runs the notebooks over a results folder, headless."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.results import BadResults, Results

NOTEBOOKS = Path(__file__).parent
VARIABLE = "AUGRID_RESULTS"


def run(folder: Path | str, *, timeout_s: int = 600) -> list[Path]:
    """Executes every notebook with the results folder in AUGRID_RESULTS; returns the executed copies.

    These go to `<results>/notebooks/`; the notebooks of the package stay without outputs. Raises
    `BadResults` for a folder that can't be used, and nbclient's error with the traceback where a cell
    fails.
    """
    import nbformat
    from nbclient import NotebookClient

    results = Results(folder)
    out = results.folder / "notebooks"
    out.mkdir(exist_ok=True)
    written = []
    for file in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
        environment = os.environ | {VARIABLE: str(results.folder.resolve())}
        client = NotebookClient(
            notebook,
            timeout=timeout_s,
            kernel_name="python3",
            resources={"metadata": {"path": str(NOTEBOOKS)}},
        )  # the kernel imports from its current folder: not from the results of someone else
        client.execute(env=environment)
        nbformat.write(notebook, out / file.name)  # type: ignore[no-untyped-call]
        written.append(out / file.name)
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints each notebook written; returns 0, or 2 for bad input or where nbclient isn't installed."""
    parser = argparse.ArgumentParser(prog="python -m analysis.notebooks.execution", description=__doc__)
    parser.add_argument("folder", metavar="RESULTS_FOLDER")
    try:
        for file in run(parser.parse_args(arguments).folder):
            print(file)
    except BadResults as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"error: the notebooks need nbclient and ipykernel ({error})", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
