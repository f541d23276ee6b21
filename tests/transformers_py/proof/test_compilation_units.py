"""Units cover the text, compile alone, and what is wrong in one of them is found."""

import sys
import sysconfig
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from transformers_py import Site, Source, emit
from transformers_py.proof.compilation_units import units_of
from transformers_py.proof.whole_lines import line_places
from transformers_py.rewrites import dead_branch, parentheses, rename_function
from transformers_py.source.edits import Edit

ROOT = Path(sysconfig.get_paths()["stdlib"])
TEXT = """import os; import sys
@d
class A(B):
    "doc"

    x = 1
    # note
    @property
    def f(self):
        return super().f + self.__x
class C: y = 2
def g(a):
    b = a
    return b
if os:
    z = 1"""
DIVIDED = [
    ("import os; import sys\n@d\nclass A:\n    x = 1\n    def f(self): pass\ny = 1", 5),
    ("\ufeffx = 1\r\ny = 2\r\n", 2),
    ("x = 1; \\\ny = 2\nz = 3\n", 2),
    ("from __future__ import annotations\ndef f(a: b): pass\n", 2),
    ("class A:\n\tx = 1\n\tdef f(self): pass", 3),
    ("class A: x = 1\n", 1),
    ("# nothing\n", 1),
]


@pytest.mark.parametrize(("text", "count"), DIVIDED)
def test_number_of_units(text: str, count: int) -> None:
    assert len(units_of(Source.analyse(text))) == count


@pytest.mark.parametrize("text", [TEXT, *(text for text, _ in DIVIDED)])
def test_units_cover_the_text(text: str) -> None:
    units = units_of(Source.analyse(text))
    assert units[0].start == text.startswith("\ufeff")
    assert [unit.end for unit in units] == [*(unit.start for unit in units[1:]), len(text)]
    assert all(unit.code for unit in units)


def test_units_of_real_files() -> None:
    for name in ("textwrap.py", "typing.py", "enum.py"):
        units = units_of(Source.analyse((ROOT / name).read_bytes().decode("utf-8")))
        assert len(units) > 10, name


def forged(monkeypatch: pytest.MonkeyPatch, module: Any, text: str, *edits: Edit, scope: int = 1) -> str:
    """What a rewrite with these edits, in one site (of the first function), is told by the proof."""
    start, end = edits[0].start, edits[-1].start
    site = Site(start, end if module is parentheses else start, edits, scope=scope)
    monkeypatch.setattr(module, "sites", lambda source, options: ([site], Counter()))
    if module is dead_branch:
        monkeypatch.setattr(module, "fill", lambda *_: "")
    result = emit(Source.analyse(text), [module.__name__.rpartition(".")[2]], rate=1.0, seed=1)
    assert result.text == (text if result.status == "disproved" else result.text)
    return result.problem or result.status


INSERTED = [
    ("def f(a):\n    return a\n", 14, "pass\n    ", "rewritten"),
    ("def f(a):\n    return a\n", 14, "if False:\n        b = a\n    ", "rewritten"),
    ("def f(a):\n    return a\n", 14, "a = 1\n    ", "a, which is not fresh"),
    ("def f(a):\n    return a\n", 14, "if False:\n        a = 1\n    ", "rewritten"),
    ("def f(a):\n    return a\n", 14, "if False:\n        return 1\n    ", "rewritten"),
    ("b = 1\ndef f(a):\n    return b\n", 20, "if False:\n        b = 1\n    ", "b, which is not fresh"),
    (
        "def g():\n    def f():\n        0\n        1\n",
        40,
        "if 0:\n            f = 1\n        ",
        "the scope of",
    ),
    ("def f(a):\n    return a\n", 14, "a(1)\n    ", "Expr is not known"),
    (
        "def f(a):\n    return a\n",
        14,
        "if False:\n        pass\n    else:\n        a()\n    ",
        "If is not known",
    ),
    ("def f(a):\n    return a\n", 14, "if True:\n        pass\n    ", "If is not known"),
    ("def f(a):\n    return a\n", 14, "pass\n  ", "doesn't compile"),
    ("def f(a):\n    'doc'\n    return a\n", 14, "pass\n    ", "before a docstring"),
    ("def f(a):\n    global b\n    b = a\n", 14, "if False:\n        c = b\n    ", "doesn't compile"),
    ("async def f(a):\n    yield a\n", 20, "if False:\n        return 1\n    ", "doesn't compile"),
    ("def f(a):\n    if a:\n        b()\n    else: c()\n", 31, "pass\n    ", "doesn't compile"),
    ("def f(a):\n    b(a,\n      1)\n", 25, "0\n      ", "doesn't compile"),
    ("def f(a):\n    b = '''\n    c'''\n", 26, "pass\n    ", "is no statement"),
    ("def f(a):\n    b = '''\n    c'''\n", 26, "  ", "several lines differs"),
    ("def f(a):\n    b = ''' c'''\n", 21, "pass", "is no statement"),
]


@pytest.mark.parametrize(("text", "offset", "new", "expected"), INSERTED)
def test_forged_insertions(
    monkeypatch: pytest.MonkeyPatch, text: str, offset: int, new: str, expected: str
) -> None:
    assert expected in forged(monkeypatch, dead_branch, text, Edit(offset, offset, new))


SPARE = "def _spare(a):\n    return a\n"
IN_MODULES = [
    ("import os\nx = 1\n", 10, SPARE, "rewritten"),
    ("class A:\n    y = 1\n# x\nx = 1\n", 19, SPARE, "rewritten"),
    ("x = 1\nx = 2\n", 6, "spare = 1\n", "into a module or class body"),
    ("x = 1\nx = 2\n", 6, SPARE.replace("_spare", "spare"), "isn't private"),
    ("x = 1\nx = 2\n", 6, SPARE.replace("_spare", "__spare"), "isn't private"),
    ("_spare = 1\nx = 2\n", 11, SPARE, "not fresh"),
    ("x = 1\nx = 2\n", 6, "@x\n" + SPARE, "has decorators"),
    ("x = 1\nx = 2\n", 6, SPARE.replace("(a)", "(a=x)"), "not constant"),
    ("x = 1\nx = 2\n", 6, SPARE.replace("return a", "global x"), "contains Global"),
    ("x = 1\ny = globals()\n", 6, SPARE, "may look at its names"),
    ("from os import *\nx = 1\n", 17, SPARE, "may look at its names"),
    ("'doc'\nx = 1\n", 0, SPARE, "before a docstring"),
    ("'doc'\nfrom __future__ import annotations\n", 6, SPARE, "doesn't compile"),
    ("if x:\n    y = 1\n", 10, "    spare = 1\n", "into a module or class body"),
    ("class A:\n    x = 1\n", 9, "    def _spare(a): pass\n", "is in a class"),
    ("def f():\n    x = 1\n", 9, "    def _spare(a): pass\n", "is in a function"),
]


@pytest.mark.parametrize(("text", "offset", "new", "expected"), IN_MODULES)
def test_forged_functions_in_modules(
    monkeypatch: pytest.MonkeyPatch, text: str, offset: int, new: str, expected: str
) -> None:
    assert expected in forged(monkeypatch, dead_branch, text, Edit(offset, offset, new), scope=0)


IN_SCOPES = [
    ("def f(): pass\nclass A:\n    x = 1\n", 23, "    spare = 1\n", "is in a class"),
    ("def f(): pass\nx = 1\n", 14, "spare = 1\n", "is in a module"),
    ("def f():\n    x = 1\n", 9, "    def spare():\n        super()\n", "uses super"),
    ("def f():\n    x = 1\n", 9, "    def spare():\n        nonlocal x\n", "contains Nonlocal"),
    ("def f():\n    x = 1\n    # x\n    x = 2\n", 19, "    spare = 1\n", "rewritten"),
    ("def f():\n    x = '''\n    # '''\n    x = 2\n", 21, "    spare = 1\n", "is no statement"),
    ("def f():\n    # x\n    x = 2\n", 9, "    spare = 1\n", "rewritten"),
    (
        "def f(a):\n    if a == '''\n        # ''':\n        x = 2\n",
        26,
        "        spare = 1\n",
        "is no statement",
    ),
    ("def f(a):\n    if (a\n        # x\n        ): x = 2\n", 20, "        spare = 1\n", "doesn't compile"),
    ("def f():\n    x = 1; \\\n    # x\n    x = 2\n", 22, "    if 0:\n        pass\n", "doesn't compile"),
]


@pytest.mark.parametrize(("text", "offset", "new", "expected"), IN_SCOPES)
def test_what_is_inserted_is_where_its_site_is(
    monkeypatch: pytest.MonkeyPatch, text: str, offset: int, new: str, expected: str
) -> None:
    assert expected in forged(monkeypatch, dead_branch, text, Edit(offset, offset, new))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("def f():\n    # x\n    x = 2\n", [1, 2]),
        ("def f():\n    try:\n        # x\n        # y\n        x = 2\n    finally: pass\n", [1, 2, 4]),
        ("def f(a):\n    if a == '''\n        # ''':\n        # x\n        x = 2\n", [1, 3, 4]),
        (
            "def f(a):\n    if a: pass\n    else:\n        # x\n        x = '''\n    # '''\n    y = a\n",
            [1, 3, 4, 6],
        ),
    ],
)
def test_lines_where_whole_lines_can_be_inserted(text: str, lines: list[int]) -> None:
    source = Source.analyse(text)
    assert [k for k, start in enumerate(source.line_starts) if start in line_places(source)] == lines


def test_too_many_nested_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = [" " * (4 + k) + f"for x{k} in a:\n" for k in range(20)]
    text = "def f(a):\n" + "".join(heads) + " " * 24 + "g()\n"
    offset = text.index("g()")
    new = "while False:\n" + " " * 25 + "pass\n" + " " * 24
    found = forged(monkeypatch, dead_branch, text, Edit(offset, offset, new))
    assert "doesn't compile" in found or sys.version_info >= (3, 13)  # which doesn't count `while False`


def test_forged_parentheses(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def f(a, b, c):\n    return a + b * c\n"
    first, last = text.index("a + b"), text.index(" * c")
    problem = forged(monkeypatch, parentheses, text, Edit(first, first, "("), Edit(last, last, ")"))
    assert problem.endswith("in f")


def test_a_function_renamed_in_one_unit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def _f(x): return x\n_f(1)\n"
    site = Site(4, 4, (Edit(4, 6, "_g"),))
    monkeypatch.setattr(rename_function, "sites", lambda source, options: ([site], Counter()))
    monkeypatch.setattr(rename_function, "draw", lambda *_: [""])
    result = emit(Source.analyse(text), ["rename_function"], rate=1.0, seed=1)
    assert (result.status, result.problem) == ("disproved", "the module's _f isn't renamed everywhere")
