"""Every hazard that the field's tools fall into: small programs do the same before and after every rewrite."""

# ruff: noqa: E501  (a program is a line)

from typing import Any, get_args

import pytest

from tests.transformers_py.executing import output
from transformers_py import Source, emit, names
from transformers_py.sites.new_names import Style

HAZARDS = {
    "locals": "def f(a):\n    b = a + 1\n    return sorted(locals())\nprint(f(1))\n",
    "vars": "def f(a):\n    b = a + 1\n    return sorted(vars())\nprint(f(1))\n",
    "dir": "def f(a):\n    b = a + 1\n    return dir()\nprint(f(1))\n",
    "eval": "def f(a):\n    b = a + 1\n    return eval('b * 2')\nprint(f(1))\n",
    "exec": "def f(a):\n    b = a + 1\n    exec('print(b)')\nf(1)\n",
    "eval in a nested function": (
        "def f(a):\n    b = a + 1\n    def g():\n        b\n        return eval('b')\n    return g()\nprint(f(1))\n"
    ),
    "alias of eval": "look = eval\ndef f(a):\n    b = a\n    return look('b')\nprint(f(1))\n",
    "alias of locals": "import builtins\nhere = builtins.locals\ndef f(a):\n    b = a\n    return here()\nprint(f(1))\n",
    "getattr builtins": (
        "import builtins\ndef f(a):\n    b = a\n    return getattr(builtins, 'locals')()\nprint(f(1))\n"
    ),
    "format **locals()": "def f(a):\n    b = a\n    return '{b}'.format(**locals())\nprint(f(1))\n",
    "f(**locals())": "def g(a, b): return a - b\ndef f(a):\n    b = 3\n    return g(**locals())\nprint(f(1))\n",
    "frames": (
        "import sys\ndef g(): return sorted(sys._getframe(1).f_locals)\ndef f(a):\n    b = a\n    return g()\nprint(f(1))\n"
    ),
    "currentframe": (
        "import inspect\ndef f(a):\n    b = a\n    return inspect.currentframe().f_lineno\nprint(f(1))\n"
    ),
    "co_varnames": "def f(a):\n    b = a\n    return b\nprint(f.__code__.co_varnames)\n",
    "getattr by string": "class A:\n    x = 1\n    def f(self):\n        x = 2\n        return getattr(self, 'x') + x\nprint(A().f())\n",
    "attribute of the same name": (
        "class A:\n    def __init__(self, name):\n        label = name\n        self.label = label\n        self.name = name\n"
        "print(vars(A(3)))\n"
    ),
    "Enum": "import enum\nclass E(enum.Enum):\n    a = 1\n    b = a + 1\nprint(list(E))\n",
    "dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1\n    y: int = 2\n"
        "    def s(self):\n        x = self.x\n        return x + self.y\nprint(P(y=3), P().s())\n"
    ),
    "NamedTuple": "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    y: int = 2\nprint(P(x=1))\n",
    "TypedDict": "from typing import TypedDict\nclass P(TypedDict):\n    x: int\nprint(P(x=1), P.__annotations__)\n",
    "slots": "class A:\n    __slots__ = ('a',)\n    def __init__(self):\n        a = 5\n        self.a = a\nprint(A().a)\n",
    "keyword call": "def f(a, b=2): return a - b\nprint(f(b=1, a=5))\n",
    "keyword call by dict": "def f(a, b=2): return a - b\nd = {'b': 1, 'a': 5}\nprint(f(**d))\n",
    "keyword of another call": "def f(key):\n    data = [3, 1, 2]\n    return sorted(data, key=key)\nprint(f(lambda x: -x))\n",
    "keyword of a nested function": (
        "def f():\n    def g(a, b):\n        return a - b\n    return g(b=1, a=3)\nprint(f())\n"
    ),
    "nested function that escapes": "def f():\n    def g(a): return a\n    return g\nprint(f()(a=1), f().__name__)\n",
    "partial": (
        "from functools import partial\ndef f():\n    def g(a, b): return a - b\n    return partial(g, b=1)(5)\nprint(f())\n"
    ),
    "lambda by keyword": "f = lambda a, b=1: a - b\nprint(f(a=3))\n",
    "lambda called by keyword at once": "def g():\n    h = lambda p: p + 1\n    return h(p=1), (lambda q: q)(q=2)\nprint(g())\n",
    "lambda in sorted": "print(sorted([3, 1], key=lambda v: -v), list(map(lambda w: w + 1, [1])))\n",
    "own sorted": "def sorted(x, key): return key(it=x)\nprint(sorted(3, key=lambda it: it))\n",
    "__all__ and globals": "__all__ = ['x', 'f']\nx = 1\ndef f(): return globals()['x']\nprint(f(), sorted(__all__))\n",
    "global": "x = 0\ndef f():\n    global x\n    x += 1\n    y = x\n    return y\nf()\nprint(f(), x)\n",
    "global made in a function": "def f():\n    global made\n    made = 3\nf()\nprint(made, 'made' in globals())\n",
    "nonlocal": (
        "def f():\n    x = 0\n    def g():\n        nonlocal x\n        x += 1\n        return x\n    g()\n    return g(), x\nprint(f())\n"
    ),
    "nonlocal through two": (
        "def f():\n    x = 1\n    def g():\n        def h():\n            nonlocal x\n            x *= 5\n        h()\n"
        "    g()\n    return x\nprint(f())\n"
    ),
    "except as": (
        "def f():\n    e = 1\n    try:\n        raise ValueError(2)\n    except ValueError as e:\n        v = e.args\n"
        "    try:\n        return e\n    except UnboundLocalError:\n        return 'unbound', v\nprint(f())\n"
    ),
    "del": (
        "def f():\n    x = [1, 2]\n    del x[0]\n    y = x\n    del x\n    try:\n        x\n    except NameError:\n"
        "        return y\nprint(f())\n"
    ),
    "import in a function": (
        "def f():\n    import os.path\n    import os.path as p\n    from os import sep as s, linesep\n"
        "    return os.path is p, s, linesep\nprint(f())\n"
    ),
    "comprehension reuses a name": "def f(x):\n    y = [x for x in x]\n    return y, x\nprint(f([1, 2]))\n",
    "comprehension of a comprehension": (
        "def f(n):\n    return [[i * j for j in range(i)] for i in range(n)], {i: i for i in range(n)}\nprint(f(3))\n"
    ),
    "comprehension in a class": "class A:\n    xs = [1, 2]\n    ys = [x for x in xs]\n    x = 5\nprint(A.ys, A.x)\n",
    "two comprehensions": (
        "def f(a):\n    u = [i for i in a]\n    v = {i for i in a}\n    w = (lambda: [i for i in a])()\n    return u, v, w\n"
        "print(f([1, 2]))\n"
    ),
    "loop and comprehension share": (
        "def f(a):\n    for i in a:\n        u = [i for i in range(i)]\n    return i, u\nprint(f([1, 2]))\n"
    ),
    "comprehension captured": "def f(a):\n    return [g() for g in [lambda: i for i in a]]\nprint(f([1, 2]))\n",
    "class body falls through": (
        "x = 'global'\ndef f():\n    x = 'local'\n    class A:\n        y = x\n        x = 'class'\n    return A.x\n"
        "try:\n    print(f())\nexcept NameError:\n    print('no')\n"
    ),
    "class body skips the function": (
        "x = 'global'\ndef f():\n    x = 'local'\n    class A:\n        x = x\n    return A.x, x\nprint(f())\n"
    ),
    "class body sees the function": "def f():\n    x = 'local'\n    class A:\n        y = x\n    return A.y\nprint(f())\n",
    "method sees the function": (
        "def f():\n    x = 1\n    class A:\n        x = 2\n        def g(self):\n            return x, self.x\n    return A().g()\n"
        "print(f())\n"
    ),
    "f-string": "def f(a):\n    width = 9\n    return f'{a:>{width}} {a!r} {width + 1}'\nprint(f('x'))\n",
    "nested f-string": "def f(a):\n    b = [a]\n    return f'{a} { f\"{b[0]} {a}\" }'\nprint(f('x'))\n",
    "f-string twice the same": "def f(a):\n    aa = 2\n    return f'a aa {aa} {a}' f'{aa}' 'aa'\nprint(f(1))\n",
    "debug f-string": "def f(a):\n    b = a\n    return f'{b=} {b = !r}'\nprint(f(1))\n",
    "walrus": "def f(a):\n    if (n := len(a)) > 1:\n        return n\n    return -n\nprint(f('ab'))\n",
    "walrus in a comprehension": "def f(a):\n    u = [last := x for x in a]\n    return last, u\nprint(f([1, 2]))\n",
    "walrus in a nested comprehension": (
        "def f(a):\n    u = [[last := y for y in x] for x in a]\n    return last, u\nprint(f([[1], [2]]))\n"
    ),
    "walrus in a module's comprehension": "u = [last := x for x in [1, 2]]\nprint(last, u)\n",
    "match": (
        "class P:\n    __match_args__ = ('x',)\n    def __init__(self, x, y): self.x, self.y = x, y\n"
        "def f(v):\n    match v:\n        case P(x, y=y) if x: return x, y\n        case [a, *rest]: return a, rest\n"
        "        case {'k': k, **others}: return k, others\n        case str() as s: return s\n        case _: return None\n"
        "print(f(P(1, 2)), f([1, 2]), f({'k': 1, 'l': 2}), f('z'), f(0))\n"
    ),
    "string annotation": (
        "import typing\ndef f():\n    class T: pass\n    U = T\n    def g(a: 'U') -> 'U': return a\n"
        "    return sorted(typing.get_type_hints(g, None, {'U': U})) , g.__annotations__\nprint(str(f())[:20])\n"
    ),
    "postponed annotation": (
        "from __future__ import annotations\ndef f():\n    T = int\n    def g(a: T) -> T: return a\n    return g.__annotations__\n"
        "print(f())\n"
    ),
    "local annotation": "def f():\n    x: int = 1\n    y: 'x'\n    return x, sorted(f.__annotations__)\nprint(f())\n",
    "__name__": "def f():\n    def g(): pass\n    class C: pass\n    return g.__name__, g.__qualname__, C.__name__\nprint(f())\n",
    "qualified name": "def f():\n    def g():\n        def h(): pass\n        return h\n    return g().__qualname__\nprint(f())\n",
    "generator's name": "def f():\n    def g():\n        yield 1\n    return g().__name__\nprint(f())\n",
    "pickle": "import pickle\ndef _f(): return 1\nprint(pickle.loads(pickle.dumps(_f)) is _f)\n",
    "tracebacks": (
        "import traceback\ndef f():\n    def g():\n        raise ValueError\n    try:\n        g()\n    except ValueError as e:\n"
        "        return [(s.name, s.lineno) for s in traceback.extract_tb(e.__traceback__)]\nprint(f())\n"
    ),
    "backslashes and semicolons": (
        "def f(a):\n    b = a + \\\n        1; c = 'x;  y'; \\\n    d = b\n    return 'a  b\\\\' + str(b + d), c\nprint(f(1))\n"
    ),
    "super and __class__": (
        "class A:\n    def f(self, *a): return a\nclass B(A):\n    def f(self, *a):\n        x = __class__\n"
        "        return super().f(*a), x.__name__\nprint(B().f(1))\n"
    ),
    "mangling": (
        "class A:\n    def f(self):\n        __x = 1\n        self.__y = __x\n        return __x, vars(self)\nprint(A().f())\n"
    ),
    "star import": "from os.path import *\ndef f():\n    a = join('x', 'y')\n    return a\nprint(f())\n",
    "docstring": "def f():\n    'doc'\n    x = 1\n    return x\nprint(f.__doc__)\n",
    "docstrings everywhere": '"""m"""\nclass A:\n    """c"""\n    def f(self):\n        """f"""\nprint(__doc__, A.__doc__, A.f.__doc__)\n',
    "future": '"""doc"""\nfrom __future__ import annotations\ndef f():\n    a = 1\n    return a\nprint(f())\n',
    "generator": "def f():\n    x = 1\n    if x:\n        return\n    yield x\nprint(list(f()), type(f()).__name__)\n",
    "not a generator": "def f():\n    x = 1\n    return x\nprint(f())\n",
    "coroutine": (
        "import asyncio\nasync def f(n):\n    total = 0\n    async def g(k):\n        return k\n    for i in range(n):\n"
        "        total += await g(i)\n    return total, [await g(i) async for i in h()]\nasync def h():\n    yield 1\n"
        "print(asyncio.run(f(3)))\n"
    ),
    "class body": "class A:\n    a = 1\n    if a:\n        b = 2\n    for c in (1,): pass\nprint(sorted(k for k in vars(A) if k[0] != '_'))\n",
    "bytes": "def f():\n    a = b'ab'\n    b = 'c' 'd'\n    return a + b'x', b\nprint(f())\n",
    "match patterns": "def f(v):\n    match v:\n        case 'a' | b'b' | -1 | 1.5: return 1\n        case (1, 2) | [3]: return 2\nprint(f('a'), f((1, 2)), f(-1))\n",
    "tuple parentheses": "def f(*a):\n    x = 1, 2\n    y, *z = a\n    return *x, y, *z\nprint(f(1, 2), [*f(3), *(4,)])\n",
    "chained comparisons": "def f(a, b, c):\n    return a < b < c, a in [b] in [[c]], not a is b\nprint(f(1, 2, 3))\n",
    "yield and await": "def f():\n    x = yield\n    y = yield x\n    yield from (x, y)\ng = f()\nprint(next(g), g.send(1), g.send(2), next(g))\n",
    "decorators": "def d(*a):\n    return lambda g: (a, g.__name__)\nk = 1\n@d(k, k + 1)\ndef f(): pass\nprint(f)\n",
    "with": (
        "import contextlib\ndef f():\n    with contextlib.nullcontext(1) as a, contextlib.nullcontext((2, 3)) as (b, c):\n"
        "        return a, b, c\nprint(f())\n"
    ),
    "defaults": "def f(n):\n    fs = [lambda i=i: i for i in range(n)]\n    def g(x=n, *, y=n + 1): return x, y\n    return [h() for h in fs], g()\nprint(f(2))\n",
    "closures that swap": (
        "def f(a, b):\n    x = a\n    y = b\n    def g():\n        return x - y\n    def h(y):\n        x = y\n        return x\n"
        "    return g(), h(9), [x + y for x in (1,) for y in (2,)]\nprint(f(5, 3))\n"
    ),
    "many cells": (
        "def f():\n    a, b, c, d, e = 1, 2, 3, 4, 5\n    def g():\n        def h(): return a, c, e\n        return h(), b, d\n"
        "    a += 10\n    return g()\nprint(f())\n"
    ),
    "recursion": "def f(n):\n    def g(k):\n        return 1 if k < 2 else k * g(k - 1)\n    return g(n)\nprint(f(5))\n",
    "redefined function": "def f(n):\n    if n:\n        def g(a): return a\n    else:\n        def g(b): return -b\n    return g(3)\nprint(f(0), f(1))\n",
    "UnboundLocalError": "def f(n):\n    if n:\n        x = 1\n    try:\n        return x\n    except UnboundLocalError:\n        return None\nprint(f(0))\n",
    "unicode": "def f(ä):\n    größe = ä + 1\n    ﬁ = größe\n    return fi\nprint(f(1), 'ä')\n",
    "line numbers": "def f():\n    x = 1\n    return x\nprint(f.__code__.co_name, type(f.__code__.co_firstlineno))\n",
    "timeit": "import timeit\ndef f():\n    x = 3\n    return timeit.timeit('x', globals=locals(), number=1) > 0\nprint(f())\n",
    "int methods": "print(1 .real, 1.5.real, (1).imag, 2j.imag)\n",
    "constant folding": "print(1 + 2 * 3, -1 ** 2, 'a' * 3, (1, 2) + (3,), not 1, 5 if 1 else 6)\n",
    "asserts": "def f(a):\n    assert a, f'{a}'\n    assert (a, 1)[0]\n    return a\nprint(f(1))\n",
    "print to a name": "def f(print):\n    x = print\n    return x(3)\nprint(f(str))\n",
    "class with metaclass": (
        "class M(type):\n    @classmethod\n    def __prepare__(mcs, name, bases): return {'x': 'from prepare'}\n"
        "def f():\n    x = 'local'\n    class A(metaclass=M):\n        y = x\n    return A.y\nprint(f())\n"
    ),
    "one-line suites": "def f(a): b = a; return b\nclass A: x = 1\nif f(1): print(f(2)); print(A.x)\n",
    "tabs and form feeds": "def f(a):\n\tb = a\n\x0c\n\tif b:\n\t        return b\n\treturn 0\nprint(f(1))\n",
    "CRLF": "def f(a):\r\n    b = a\r\n    return '''x\r\ny''', b\r\nprint(f(1))",
    "BOM": "\ufeffdef f(a):\n    b = a\n    return b\nprint(f(1))\n",
    "type comments": "def f(a):\n    # type: (int) -> int\n    b = []  # type: list\n    return b\nprint(f(1))\n",
}


RENAMES = ("rename_variable", "rename_parameter", "rename_function")
VARIANTS: dict[str, list[Any]] = {
    **{name: [name] for name in names()},
    **{
        f"{name} {style}": [{name: {"style": style}}]
        for name in RENAMES
        for style in get_args(Style)
        if style != "pseudo"
    },
    "closed": [{name: {"world": "closed"}} for name in RENAMES],
    "closed, swap": [{name: {"world": "closed", "style": "swap"}} for name in RENAMES],
    "closed, documented": [{name: {"world": "closed", "documentation": "follow"}} for name in RENAMES[1:]],
    "closed, all": [
        *({name: {"world": "closed"}} for name in RENAMES),
        *(n for n in names() if n not in RENAMES),
    ],
    "private": [{"rename_parameter": {"private": True}}, {"rename_function": {"private": True}}],
    "nested": [{"lambda_identity": {"nested": True}}, {"conditional_identity": {"nested": True}}],
    "all": list(names()),
    "all, reversed": list(reversed(names())),
}


@pytest.mark.parametrize("hazard", HAZARDS)
def test_does_the_same(hazard: str) -> None:
    before = HAZARDS[hazard]
    expected = output(before)
    source = Source.analyse(before)
    for label, rewrites in VARIANTS.items():
        for seed in (1, 2, 3):
            result = emit(source, rewrites, rate=1.0, seed=seed, key=hazard)
            assert result.status != "disproved", (label, seed, result.problem)
            assert output(result.text) == expected, (label, seed, result.text)


def test_most_hazards_are_rewritten_somewhere() -> None:
    changed = sum(
        emit(Source.analyse(text), list(names()), rate=1.0, seed=1).text != text for text in HAZARDS.values()
    )
    assert changed > 0.95 * len(HAZARDS)
