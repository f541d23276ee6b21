"""`python -m grid`: the command line, and `python -m grid step FILE.json` without loading the rest of it."""

import sys


def _main() -> None:
    guarded = sys.argv[1:3] == ["step", "--guarded"]
    if len(sys.argv) == 3 + guarded and sys.argv[1] == "step" and not sys.argv[-1].startswith("-"):
        from pathlib import Path

        from grid import guard, work

        if guarded:
            guard.die_with_driver()
        sys.exit(work.main(Path(sys.argv[-1])))
    from grid.cli import main

    main()


if __name__ == "__main__":
    _main()
