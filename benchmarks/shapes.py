"""What rewriting costs when one unit of a text grows: the same shape at 1, 4 and 16 times its size.

    python -m benchmarks.shapes [--size 60] [--rounds 7] [--shapes dict function] [--json FILE]

For each shape the CPU time per token of the analysis and one variant with all rewrites at rate 1.0, proved,
and how much more of it a token costs at 16 times the size: 1.0 is cost in proportion to the text. Sizes take
turns; the ratio is a median with its interval. Two things grow by themselves: what doesn't fit the caches of
the processor any more, and CPython, which copies a function's names for every function inside of it; so what
`compile` takes for the rewritten text stands beside.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.turns import Round, load, ratio, take_turns
from transformers_py import Source, emit
from transformers_py.options import names
from transformers_py.source.lexing import tokens

FACTORS = (1, 4, 16)


def _lines(count: int, line: str) -> str:
    return "".join(line.replace("#", str(i)) for i in range(count))


SHAPES: dict[str, Callable[[int], str]] = {
    "dict": lambda n: "x = {\n" + _lines(n, "    'key#': (#, 'value #', [#]),\n") + "}\n",
    "list": lambda n: "x = [" + _lines(2 * n, "#, ") + "]\n",
    "function": lambda n: "def f(a):\n" + _lines(n, "    b = a.g(#, key=a)\n") + "    return b\n",
    "variables": lambda n: "def f(a):\n" + _lines(n, "    b# = a + #\n") + "    return a\n",
    "methods": lambda n: (
        "class A:\n" + _lines(n, "    def m#(self, a):\n        b = self.m#(a)\n        return b\n")
    ),
    "classes": lambda n: _lines(
        n,
        "class A#(B):\n    def __init__(self, a):\n        super().__init__(a)\n        self.a = a == 1\n"
        "    def __eq__(self, b):\n        return self.a == b.a(self)\n",
    ),
    "functions": lambda n: _lines(n, "def _f#(a):\n    b = _f#(a)\n    return b\n"),
    "inner functions": lambda n: (
        "def f(a):\n" + _lines(n, "    def g#(b, *c):\n        return (b, c)\n    g#(a)\n")
    ),
    "comprehensions": lambda n: (
        "def f(a):\n" + _lines(n, "    b# = [c for c in a if c]\n") + "    return a\n"
    ),
    "lambdas": lambda n: "x = [\n" + _lines(n, "    lambda a: a + #,\n") + "]\n",
    "branches": lambda n: "def f(a):\n" + _lines(n, "    if a > #:\n        return not a\n"),
    "strings": lambda n: "def f(a):\n" + _lines(n, "    a('''b\n  #''')\n"),
    "keywords": lambda n: "f(" + _lines(n, "a#=b, ") + ")\n",
    "parameters": lambda n: "def f(" + _lines(n, "a#=None, ") + "):\n    return a1\n",
    "one line": lambda n: "def f(a):\n    " + _lines(n, "b = (a, 'é'); ") + "return b\n",
    "if/elif": lambda n: (
        "def f(a):\n    if a:\n        b = 1\n"
        + _lines(n, "    elif a == #:\n        b = #\n")
        + "    return b\n"
    ),
    "strings side by side": lambda n: "x = (\n" + _lines(n, "    'text #'\n") + ")\n",
    "sum": lambda n: "def f(a):\n    return " + " + ".join(["a"] * n) + "\n",
    "nested": lambda n: "def f(a):\n    return " + "[" * n + "a" + "]" * n + "\n",
}
LIMITED = {"if/elif": 11, "strings side by side": 22, "sum": 11, "nested": 5}
"""The parsers and the table of nodes allow some hundred levels: these shapes start smaller."""


def text_of(shape: str, size: int, factor: int) -> str:
    """A text of one unit, of `factor` times the size."""
    return SHAPES[shape](min(size, LIMITED.get(shape, size)) * factor)


def everything(text: str) -> str:
    """The analysis, and one variant with all rewrites at all sites. Returns the rewritten text."""
    result = emit(Source.analyse(text), list(names()), rate=1.0, seed=1)
    assert result.status == "rewritten", result.problem
    return result.text


def measure(shape: str, size: int, rounds: int) -> dict[str, Any]:
    """CPU seconds per token at each size, and the ratios of the largest to the smallest."""
    works: dict[str, Callable[[None], object]] = {}
    counts = {}
    for factor in FACTORS:
        text = text_of(shape, size, factor)
        counts[factor] = len(tokens(text))
        repeat = FACTORS[-1] // factor
        rewritten = everything(text)
        jobs: dict[str, Callable[[], object]] = {
            "all": partial(everything, text),
            "compile": partial(compile, rewritten, "x", "exec"),
        }
        works |= {f"{label} {factor}": partial(_repeated, job, repeat) for label, job in jobs.items()}
    found = [_per_token(seconds, counts) for seconds in take_turns(works, [None], rounds)]
    last = FACTORS[-1]
    growth = {label: ratio(found, f"{label} {last}", f"{label} 1") for label in ("all", "compile")}
    us = sorted(1e6 * seconds[f"all {last}"] for seconds in found)[len(found) // 2]
    return {
        "tokens": list(counts.values()),
        "us_per_token": round(us, 1),
        "growth": round(growth["all"].value, 2),
        "interval": [round(growth["all"].low, 2), round(growth["all"].high, 2)],
        "compile_growth": round(growth["compile"].value, 2),
    }


def _repeated(job: Callable[[], object], times: int, _: None) -> None:
    for _turn in range(times):
        job()


def _per_token(seconds: Round, counts: dict[int, int]) -> Round:
    """Seconds for one token: each work was repeated until all sizes had as much text."""
    return {
        label: value / counts[int(label.split()[1])] / (FACTORS[-1] // int(label.split()[1]))
        for label, value in seconds.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES), metavar="SHAPE")
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    options = parser.parse_args(arguments)
    print(f"load {load()}\n{'shape':<22}{'tokens at 16 x':>16}{'us each':>9}   a token's cost, 16 x over 1 x")
    rows: dict[str, Any] = {}
    for shape in options.shapes:
        row = rows[shape] = measure(shape, options.size, options.rounds)
        low, high = row["interval"]
        figures = f"{row['tokens'][-1]:>16,}{row['us_per_token']:>9}   {row['growth']} ({low} to {high})"
        print(f"{shape:<22}{figures}; compile alone {row['compile_growth']}", flush=True)
    if options.json:
        options.json.write_text(json.dumps({"load": load(), "shapes": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
