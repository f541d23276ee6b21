"""`python -m grid`: the command line, and `python -m grid step FILE.json` without loading the rest of it."""

import sys


def _step(arguments: list[str]) -> int:
    """`FILE`, `--guarded FILE` of the local executor, or `--ahead FOLDER`: wait to be told which file."""
    from pathlib import Path

    from grid.steps import guard, worker

    file = guard.told() if arguments[0] == "--ahead" else Path(arguments[-1])
    if file is None:
        return 0
    if len(arguments) == 2:
        guard.die_with_driver()
    return worker.main(file)


def _main() -> None:
    if sys.argv[1:2] == ["step"] and len(sys.argv) in (3, 4) and sys.argv[2] not in ("-h", "--help"):
        sys.exit(_step(sys.argv[2:]))
    from grid.cli.app import main

    main()


if __name__ == "__main__":
    _main()
