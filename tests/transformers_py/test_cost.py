"""Cost in proportion to the text: counted in calls and compiled characters, which no busy machine changes."""

import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from benchmarks.shapes import LIMITED, SHAPES, everything, text_of
from transformers_py import Source
from transformers_py.engine import sites_of
from transformers_py.options import lookup, make_options, names

QUICK = ("classes", "comprehensions", "strings")
_counts: Counter[str] = Counter()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "compile" and isinstance(arguments[0], (str, bytes)):
        _counts["characters"] += len(arguments[0])


def _profile(frame: FrameType, event: str, argument: object) -> None:
    _counts["calls"] += event in ("call", "c_call")


@pytest.fixture(scope="module")
def auditing() -> None:
    """Audit hooks stay for ever, so there is one."""
    sys.addaudithook(_audit)


def counted(job: Callable[[], object]) -> Counter[str]:
    """How many functions a job calls, and how many characters CPython parses or compiles for it."""
    _counts.clear()
    sys.setprofile(_profile)
    try:
        job()
    finally:
        sys.setprofile(None)
    return +_counts


@pytest.mark.parametrize(
    "shape",
    [
        shape if shape in QUICK else pytest.param(shape, marks=pytest.mark.slow)
        for shape in SHAPES
        if shape not in LIMITED
    ],
)
def test_sites_are_found_in_calls_in_proportion_to_the_text(shape: str) -> None:
    small, large = text_of(shape, 20, 1), text_of(shape, 20, 16)
    few, many = Source.analyse(small), Source.analyse(large)
    for name in names():
        module = lookup(name)
        private = {"private": True} if hasattr(module.Options, "private") else {}
        options = make_options(name, private)
        calls = [counted(partial(sites_of, source, module, options))["calls"] for source in (few, many)]
        assert calls[1] <= 1.2 * len(large) / len(small) * calls[0], (name, calls)


@pytest.mark.slow
@pytest.mark.usefixtures("auditing")
@pytest.mark.parametrize("shape", list(SHAPES))
def test_proofs_compile_in_proportion_to_the_text(shape: str) -> None:
    small, large = text_of(shape, 20, 1), text_of(shape, 20, 4)
    for text in (small, large):
        everything(text)  # so that what is kept for all texts is there
    few, many = (counted(partial(everything, text)) for text in (small, large))
    assert few["characters"] > len(small)
    for what in few:
        assert many[what] <= 1.5 * len(large) / len(small) * few[what], (what, few, many)
