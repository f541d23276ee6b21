"""Programs are executed before and after a rewrite."""

import contextlib
import io
import sys
from typing import Any


def output(text: str) -> Any:
    """What a program prints, or how it fails."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(text.removeprefix("\ufeff"), "<program>", "exec"), {"__name__": "program"})
        except Exception as error:
            return printed.getvalue(), type(error)
        finally:
            sys.setprofile(None)
    return printed.getvalue()
