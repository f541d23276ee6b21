"""Compiled code tells the same program from another one."""

import pytest

from transformers_py.proof.bytecode import NOTHING, Renamed, collect, difference, same_constant
from transformers_py.source.cpython import compile_flat

SAME = [
    ("x = 1", "x = (1)"),
    ("def f(a):\n return a + 1", "def f(a):\n\n return ((a) + (1))"),
    ("x = [a for a in b if c]", "x = ([(a) for a in (b) if (c)])"),
]
OTHER = [
    ("x = 1", "x = 1.0"),
    ("x = 1", "x = True"),
    ("x = 0.0", "x = -0.0"),
    ("x = (1, 2)", "x = (1, 2.0)"),
    ("x = a.b", "x = a.c"),
    ("f(a=1)", "f(b=1)"),
    ("def f(a): return a", "def f(b): return b"),
    ("def f(): return 1", "def g(): return 1"),
    ("def f():\n 'doc'", "def f():\n ('cod')"),
    ("def f():\n x = 1", "def f():\n y = 1"),
    ("def f():\n if 0: yield", "def f():\n if 0: pass"),
    ("x = a + b * c", "x = (a + b) * c"),
    ("x = {1, 2} in {frozenset()}", "x = {1, 3} in {frozenset()}"),
]
RENAMED = [
    ("def f():\n x = 1\n return x", "def f():\n n1 = 1\n return n1", {("x", "n1")}, True),
    ("def f():\n x = 1\n return x", "def f():\n n1 = 1\n return x", {("x", "n1")}, False),
    (
        "def f():\n x = 1\n y = 2\n return x, y",
        "def f():\n n1 = 1\n n1 = 2\n return n1, n1",
        {("x", "n1"), ("y", "n1")},
        False,
    ),
    (
        "def f():\n x = 1\n y = 2\n return x",
        "def f():\n y = 1\n x = 2\n return y",
        {("x", "y"), ("y", "x")},
        True,
    ),
    (
        "def f():\n b = a = 1\n def g(): return a, b\n return g",
        "def f():\n zz = n1 = 1\n def g(): return n1, zz\n return g",
        {("a", "n1"), ("b", "zz")},
        True,
    ),
    (
        "def f():\n b = a = 1\n def g(): return a, b\n return g",
        "def f():\n n1 = zz = 1\n def g(): return zz, n1\n return g",
        {("a", "zz"), ("b", "n1")},
        False,
    ),
    (
        "def f():\n b = a = 1\n def g(): return a, b\n return g",
        "def f():\n n1 = zz = 1\n def g(): return n1, zz\n return g",
        {("a", "zz"), ("b", "n1")},
        False,
    ),
    ("def f(o):\n x = o.x\n return x", "def f(o):\n n1 = o.n1\n return n1", {("x", "n1")}, False),
    ("def f(o):\n x = o(x=1)\n return x", "def f(o):\n n1 = o(n1=1)\n return n1", {("x", "n1")}, False),
    ("def f():\n return x", "def f():\n return n1", {("x", "n1")}, False),
]


def code(text: str):  # type: ignore[no-untyped-def]
    return compile(text, "f", "exec", optimize=0)


@pytest.mark.parametrize("old, new", SAME)
def test_same(old: str, new: str) -> None:
    assert difference(code(old), code(new)) is None


@pytest.mark.parametrize("old, new", OTHER)
def test_other(old: str, new: str) -> None:
    assert difference(code(old), code(new), NOTHING)


@pytest.mark.parametrize("old, new, pairs, same", RENAMED)
def test_renamed(old: str, new: str, pairs: set[tuple[str, str]], same: bool) -> None:
    found, fresh = collect(pairs, frozenset(["a", "b", "f", "g", "o", "x", "y"]))
    assert (difference(code(old), code(new), Renamed(found, fresh)) is None) is same


def test_parameters_only_where_allowed() -> None:
    old, new = code("f = lambda a: a"), code("f = lambda n1: n1")
    pairs, fresh = collect([("a", "n1")], frozenset("af"))
    assert difference(old, new, Renamed(pairs, fresh))
    assert difference(old, new, Renamed(pairs, fresh, parameters=True)) is None


def test_functions_only_where_allowed() -> None:
    old, new = code("def f(): pass\nf()\nx.f"), code("def n1(): pass\nn1()\nx.f")
    pairs, fresh = collect([("f", "n1")], frozenset("fx"))
    assert difference(old, new, Renamed(pairs, fresh))
    assert difference(old, new, Renamed(pairs, fresh, functions=True)) is None
    wrong = code("def n1(): pass\nn1()\nx.n1")
    assert difference(old, wrong, Renamed(pairs, fresh, functions=True))


def test_constants_that_are_kept_once_before_a_renaming() -> None:
    functions = "".join(f"    def {name}(): return [b for b in x]\n" for name in "ac")
    text = "def f():\n    x = ('a',); g(a=1)\n" + functions
    other = text.replace("b for b in x]\n", "n1 for n1 in x]\n", 1)
    pairs, fresh = collect([("b", "n1")], frozenset("abcfgx"))
    for compiling in (code, compile_flat):
        assert difference(compiling(text), compiling(other), Renamed(pairs, fresh)) is None
        wrong = compiling(other.replace("a=1", "a=2"))
        assert difference(compiling(text), wrong, Renamed(pairs, fresh))


def test_equal_code_of_two_owners_stays_apart_without_positions() -> None:
    text = "class A:\n    def f(self): pass\nclass B:\n    def f(self): pass\n"
    classes = [part for part in compile_flat(text).co_consts if hasattr(part, "co_consts")]
    methods = [part for owner in classes for part in owner.co_consts if hasattr(part, "co_consts")]
    assert [method.co_qualname for method in methods] == ["A.f", "B.f"]


def test_constants() -> None:
    assert same_constant((1, frozenset([b"a", 2])), (1, frozenset([2, b"a"])))
    assert not same_constant(frozenset([1]), frozenset([True]))
    assert not same_constant(1j, -1j)
    assert same_constant(float("nan"), float("nan"))
