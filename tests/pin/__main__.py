"""`python -m tests.pin write` writes the pin anew; `python -m tests.pin BASE HEAD` compares two commits."""

import sys
import tempfile
from pathlib import Path

from tests.pin import commits, pinned, plans, texts, tiny

USAGE = "usage: python -m tests.pin write | python -m tests.pin BASE HEAD"


def main(arguments: list[str]) -> int:
    """0, or 1 when the commits differ, or 2 for a wrong command line."""
    if arguments == ["write"]:
        with tempfile.TemporaryDirectory() as folder:
            pinned.write([*plans.pins(), *texts.pins(), *tiny.pins(Path(folder))])
        return 0
    if len(arguments) != 2:
        print(USAGE, file=sys.stderr)
        return 2
    return commits.compare(*arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
