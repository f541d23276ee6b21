"""`python -m grid`: the command line, and `python -m grid step FILE.json` without loading the rest of it."""

import sys


def _main() -> None:
    if len(sys.argv) == 4 and sys.argv[1:3] == ["step", "--guarded"]:
        from pathlib import Path

        from grid import guard, work

        guard.die_with_driver()
        sys.exit(work.main(Path(sys.argv[3])))
    from grid.cli import main

    main()


if __name__ == "__main__":
    _main()
