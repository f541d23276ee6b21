"""Programs do the same before and after each inserting rewrite, with every choice of its options."""

# ruff: noqa: E501  (a program is a line)

import contextlib
import io
import itertools
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from transformers_py import Source, emit, lookup, names

INSERTING = [name for name in names() if lookup(name).PRESERVES != "names"]
PROGRAMS = {
    "control flow": (
        "def f(n):\n    out = []\n    for i in range(n):\n        if i % 2:\n            continue\n"
        "        elif i > 6: break\n        else:\n            out += [i, -1]\n    while n and not len(out) > 9:\n"
        "        n -= 1\n    else:\n        out.append('end')\n    return out\nprint(f(4), f(12))\n"
    ),
    "strings over lines": (
        "def f(a):\n    '''doc\n  more'''\n    b = '''x\n y'''; c = f'''{a}\n  {b!r:>{len(b)}}'''\n"
        "    if a:\n        return (b +\n  c, 'p' 'q', b'r', rf'\\{a}')\n    return f.__doc__\nprint(f(1), f(0))\n"
    ),
    "generators": (
        "def g(n):\n    x = yield\n    while x is not None:\n        x = yield x, 1\n    y = (yield from [n, 2])\n"
        "    return y\nit = g(3)\nnext(it)\nprint(it.send('a'), it.send(None), next(it))\n"
        "try: next(it)\nexcept StopIteration as e: print(e.value)\n"
    ),
    "coroutines": (
        "import asyncio\nasync def f(a):\n    await asyncio.sleep(0)\n    async def g():\n        yield a\n"
        "    return [x async for x in g()], await asyncio.sleep(0, (1, 2))\nprint(asyncio.run(f(5)))\n"
    ),
    "super and cells": (
        "class A:\n    def f(self, n): return n\nclass B(A):\n    kind: 'A' = 1\n    def f(self, n):\n"
        "        count = 0\n        def inner():\n            nonlocal count\n            count += n\n            return super(B, self).f(count)\n"
        "        inner()\n        return inner(), super().f(__class__.__name__), count\nprint(B().f(2), B.__annotations__)\n"
    ),
    "truth": (
        "class T:\n    def __init__(self, v): self.v = v\n    def __bool__(self):\n        print('bool', self.v)\n        return self.v\n"
        "a, b = T(True), T(False)\nprint(1 if a and not b or b else 2)\nwhile b or not a: pass\nassert a or b, 'no'\n"
        "print([x.v for x in (a, b) if x if not not x])\nprint((a or b) is a, (not a) is False)\n"
    ),
    "numbers": (
        "class N(int):\n    def __radd__(self, o): return 'radd'\nprint(1 + N(2), -0.0, 0.0, 1e999, 2.5j, 0xff, 10**2, 1 .real, True + 0)\n"
        "print({1: 'a', (1, 2): [3]}[1], [1, 2][-1], 'a%s' % (1,), *[4, 5], 'ab'.join(('c', 'd')))\n"
    ),
    "match": (
        "def f(x):\n    match x:\n        case 1 | 'a': return 'first'\n        case {'k': [y, *_]} if y > 1: return y\n"
        "        case (b'z', -1.5): return 'pair'\n        case str(z): return z\n        case _: return None\n"
        "print([f(v) for v in (1, 'a', {'k': [2]}, {'k': [0]}, (b'z', -1.5), 'q', 9)])\n"
    ),
    "exceptions": (
        "def f(a):\n    try:\n        with open('/nowhere/x') as h:\n            return h\n    except (OSError, ValueError) as e:\n"
        "        if a: raise KeyError(a) from e\n        return type(e).__name__\n    finally:\n        print('finally')\n"
        "print(f(0))\ntry: f('k')\nexcept KeyError as e: print(e, type(e.__cause__))\n"
    ),
    "declarations": (
        "from __future__ import annotations\nimport enum\nfrom dataclasses import dataclass\nfrom typing import NamedTuple\nx = 1\n"
        "class E(enum.Enum):\n    a = 1\n    b = 'c'\n@dataclass\nclass D:\n    p: int = 1\n    q: tuple = (1, 2)\n"
        "class N(NamedTuple):\n    r: int\n    s: str = 't'\ndef f(v: 'int' = 3, *w: 1) -> (2, 3):\n    global x\n    x = v\n    y: int\n"
        "    del v\n    return x\nprint(list(E), D(), N(1), f(), x, f.__annotations__, f.__defaults__)\n"
    ),
}


def output(text: str) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        exec(compile(text, "<program>", "exec"), {"__name__": "__main__"})
    return stream.getvalue()


def settings(name: str) -> list[dict[str, Any]]:
    """The defaults, and each single other choice."""
    hints = get_type_hints(lookup(name).Options)
    found: list[dict[str, Any]] = [{}]
    for key, hint in hints.items():
        choices = get_args(hint) if get_origin(hint) is Literal else (False, True) if hint is bool else (1,)
        found += [{key: choice} for choice in choices]
    return found


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", INSERTING)
def test_does_the_same(name: str, program: str) -> None:
    before = PROGRAMS[program]
    expected = output(before)
    source = Source.analyse(before)
    for options, seed in itertools.product(settings(name), (1, 2)):
        done = emit(source, [{name: options}], rate=1.0, seed=seed)
        assert done.status in ("rewritten", "unchanged"), (options, done.problem)
        assert output(done.text) == expected, (options, done.text)
        kept = [origin for origin, _ in done.alignment() if origin >= 0]
        assert kept == sorted(kept), options


@pytest.mark.parametrize("program", PROGRAMS)
def test_all_together_does_the_same(program: str) -> None:
    before = PROGRAMS[program]
    expected = output(before)
    source = Source.analyse(before)
    compound: list[Any] = [
        {"if_true": {"wrap": "compound"}} if name == "if_true" else name for name in INSERTING
    ]
    sets: list[list[Any]] = [INSERTING, INSERTING[::-1], compound]
    for rewrites, rate, seed in itertools.product(sets, (0.3, 1.0), (1, 2, 3)):
        done = emit(source, rewrites, rate=rate, seed=seed)
        assert done.status == "rewritten", done.problem
        assert output(done.text) == expected, done.text


@pytest.mark.parametrize("name", ["lambda_identity", "conditional_identity"])
def test_what_is_tested_in_parts_is_not_tested_twice(name: str) -> None:
    done = emit(
        Source.analyse("if not (1 or 2) or 1 < 2 < 3: pass\n"), [{name: {"places": "any"}}], rate=1.0, seed=1
    )
    assert done.refusals == {f"{name}:tested_in_parts": 4}
