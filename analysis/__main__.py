"""`python -m analysis RESULTS_FOLDER` writes the figures, the tables and report.html of a results folder."""

import argparse
import sys
from collections.abc import Sequence

from analysis.report import page
from analysis.results import BadResults


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints each file written; returns 0, or 2 with one message for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis",
        description="Figures, tables and report of a results folder.",
        epilog="example: python -m analysis results/quickstart",
    )
    parser.add_argument("folder", metavar="RESULTS_FOLDER", help="the folder that `augrid run` wrote")
    chosen = parser.parse_args(arguments)
    try:
        written = page.make(chosen.folder)
    except BadResults as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.filename or chosen.folder}: {error.strerror or error}", file=sys.stderr)
        return 2
    for file in written:
        print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
