"""What a rewriting may change and nobody refuses: what another module sees of a program besides its values.

in a.py: def f(): size = 1     in b.py: a.f.__code__.co_varnames  ->  another name after `rename_variable`
"""

import textwrap
from dataclasses import dataclass

CLAIM = (
    "A rewritten program does what the original did, but for programs that look at their own lines, names, "
    "bytecode, stack or error texts from another module."
)
"""What is claimed of all rewrites, in the words of the README and of docs/rewrites.md."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One way to see a difference: a module, and another one, which imports it as `module` and prints."""

    what: str
    rewrite: str
    module: str
    other: str


_F = "def f(n):\n    half = n // 2\n    return half\n"
LIMITS = (
    Limit(
        what="Lines: where a function starts, what a debugger or a tracer steps through, what a coverage "
        "tool counts, the line in a warning, a log record or a traceback.",
        rewrite="blank_lines",
        module=f"{_F}\ndef g():\n    return 1\n",
        other="print(module.g.__code__.co_firstlineno)",
    ),
    Limit(
        what="The text itself: a module that is read as a file, with its comments, or as a syntax tree.",
        rewrite="parentheses",
        module=_F,
        other="print(open(module.__file__).read())",
    ),
    Limit(
        what="Bytecode: constants, names, numbers of variables, instructions, whether two codes are equal.",
        rewrite="unused_variable",
        module=_F,
        other="print(module.f.__code__.co_nlocals)",
    ),
    Limit(
        what="Names of local variables in code, closures and frames (a name that is a word of a string in "
        "the function stays: the string may be a query for a library that looks into its caller's "
        "frame).",
        rewrite="rename_variable",
        module=_F,
        other="print(module.f.__code__.co_varnames)",
    ),
    Limit(
        what="Names of inner functions in frames, tracebacks, profiles and log records.",
        rewrite="rename_function",
        module="def f(a):\n    def ratio(b): return a / b\n    return ratio(0)\n",
        other=(
            "import traceback\ntry:\n    module.f(1)\nexcept ZeroDivisionError as error:\n"
            "    print(traceback.extract_tb(error.__traceback__)[-1].name)"
        ),
    ),
    Limit(
        what="Error texts: those of NameError and UnboundLocalError name variables, those of TypeError "
        "functions and parameters.",
        rewrite="rename_variable",
        module="def f(n):\n    if n:\n        half = n // 2\n    return half\n",
        other="try:\n    module.f(0)\nexcept NameError as error:\n    print(error)",
    ),
    Limit(
        what="How many warnings are shown: two calls on one line, which the default filter shows once, may"
        " come to stand on two, and the function that warns is in another module.",
        rewrite="split_line",
        module="def f(old):\n    return old() + max(old(), old())\n",
        other=(
            "import warnings\ndef old():\n    warnings.warn('old', UserWarning, 2)\n    return 1\n"
            "with warnings.catch_warnings(record=True) as shown:\n    warnings.simplefilter('default')\n"
            "    module.f(old)\nprint(len(shown))"
        ),
    ),
    Limit(
        what="The depth of the stack: a recursion through another module, a table of functions or an "
        "attribute that holds one may end a call earlier.",
        rewrite="lambda_identity",
        module="def f(n, table):\n    return table[0](n - 1, table) + 1 if n else n\n",
        other=(
            "import sys\nn = 0\nsys.setrecursionlimit(80)\ntry:\n    while True:\n"
            "        module.f(n, [module.f])\n        n += 1\n"
            "except RecursionError:\n    sys.setrecursionlimit(1000)\nprint(n)"
        ),
    ),
)
"""Each is shown by its example, and a test runs it."""


def section() -> list[str]:
    """The part of docs/rewrites.md about limits, in lines of Markdown."""
    lines = ["## What another module may see", "", *_wrapped(CLAIM), ""]
    lines += _wrapped(
        "What looks at itself in one text is refused, and counted. Out of reach is what others do."
    )
    for limit in LIMITS:
        shown = [*limit.module.rstrip().splitlines(), "", "# elsewhere", *limit.other.splitlines()]
        lines += ["", *_wrapped(f"{limit.what} With `{limit.rewrite}`, for example:"), ""]
        lines += ["```python", *shown, "```"]
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 110, break_long_words=False, break_on_hyphens=False)
